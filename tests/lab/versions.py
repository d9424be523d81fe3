"""The versions that the laboratory is built from: those of versions.env, or for some what the environment says."""

import os
import re
from functools import cache
from pathlib import Path

from tests.lab.errors import LabError
from webhook.targets.versions import ARGO, KUBERNETES, Age

HERE = Path(__file__).parent
CHOSEN = {"ARGO": ARGO, "KUBERNETES": KUBERNETES}
"""What `make lab ARGO=4.0.5 KUBERNETES=1.33.13` may choose; make hands both on in the environment."""


@cache
def pinned() -> dict[str, str]:
    """The lines NAME=VERSION of versions.env."""
    lines = (HERE / "versions.env").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def version(name: str) -> str:
    """One version, by its name in versions.env.

    Raises LabError for a choice that names no single version, or one that Medea can't work with.
    """
    chosen = os.environ.get(name) if name in CHOSEN else None
    if not chosen:
        return pinned()[name]
    if not re.fullmatch(r"\d+\.\d+\.\d+", chosen):
        raise LabError(f"{name}={chosen}: a version with all its three numbers is needed, as in {pinned()[name]}")
    if CHOSEN[name].age(chosen) is Age.TOO_OLD:
        raise LabError(f"{name}={chosen}: {CHOSEN[name].words(chosen)}")
    return chosen


def triple(text: str) -> tuple[int, ...]:
    """A version's numbers, three of them."""
    return tuple([*(int(part) for part in text.split(".")), 0, 0][:3])


def fingerprint() -> str:
    """Everything that is pinned or chosen, as one text."""
    return "\n".join(f"{name}={version(name)}" for name in pinned())
