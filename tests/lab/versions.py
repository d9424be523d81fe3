"""The pinned versions of versions.env."""

from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@cache
def pinned() -> dict[str, str]:
    """The lines NAME=VERSION of versions.env."""
    lines = (HERE / "versions.env").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def version(name: str) -> str:
    """One pinned version, by its name in versions.env."""
    return pinned()[name]
