"""Addresses in URLs and headers. Pure."""

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(authority: str) -> bool:
    """Whether `host[:port]`, as in a URL or the header Host, means this machine."""
    try:
        return urlsplit(f"//{authority}").hostname in _LOOPBACK
    except ValueError:
        return False
