"""Ports for servers that tests start, and patience until these listen."""

import socket

import urllib3


def free_port(host: str = "127.0.0.1") -> int:
    """One that nobody listens at now."""
    with socket.create_server((host, 0)) as found:
        return int(found.getsockname()[1])


def until_it_listens() -> urllib3.Retry:
    """For a client of a server that was started just now: three minutes, which imports take on a busy machine."""
    return urllib3.Retry(total=1800, backoff_factor=0.01, backoff_max=0.1)
