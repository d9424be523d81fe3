"""Ports for servers that tests start."""

import socket


def free_port(host: str = "127.0.0.1") -> int:
    """One that nobody listens at now."""
    with socket.create_server((host, 0)) as found:
        return int(found.getsockname()[1])
