"""Running other programs: always with a deadline, and with their own words in the error."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab.errors import LabError


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float = 60,
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
) -> str:
    """Run a program to its end and return what it printed to stdout."""
    words = [str(word) for word in argv]
    environment = {**os.environ, **env} if env is not None else None
    try:
        done = subprocess.run(
            words, input=input, env=environment, cwd=cwd, timeout=timeout, text=True, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise LabError(f"{' '.join(words)}: no end within {timeout:.0f} s") from late
    except FileNotFoundError as missing:
        raise LabError(f"{words[0]}: not found") from missing
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(words)}: exit {done.returncode}\n{(done.stderr or done.stdout).strip()}")
    return done.stdout
