"""What a process of the laboratory is: a declaration. The supervisor does the rest."""

import hashlib
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.layout import LOGS

Check = Callable[[], bool]


@dataclass(frozen=True)
class Process:
    """One program that runs in the background, with all that is needed to start it again.

    `pid_file` is one that it makes itself and refuses to start beside: kill -9
    leaves it, and the number in it may be another process's since.
    """

    name: str
    argv: Sequence[str]
    ready: Check
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    user: str | None = None
    deadline: float = 120
    config: str = ""
    pid_file: Path | None = None

    @property
    def declared(self) -> str:
        """A digest of what it was started with: when it changes, `up` starts the process anew."""
        said = json.dumps([list(self.argv), dict(self.env), str(self.cwd), self.user, self.config], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return LOGS / f"{self.name}.log"


def from_caller(**defaults: str) -> dict[str, str]:
    """Environment variables with a default that the caller's own environment overrides."""
    return {name: os.environ.get(name, default) for name, default in defaults.items()}


def logged(name: str, text: str) -> Check:
    """Ready when the process has written a text near the beginning of its log."""

    def check() -> bool:
        try:
            with (LOGS / f"{name}.log").open(errors="replace") as log:
                return text in log.read(200_000)
        except FileNotFoundError:
            return False

    return check


def http_ok(url: str, ca: Path | None = None) -> Check:
    """Ready when the address answers 200."""

    return lambda: _answers(url, ssl.create_default_context(cafile=str(ca)) if ca else None)


def http_ok_unverified(url: str) -> Check:
    """The same for a server whose certificate it made itself."""

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return lambda: _answers(url, context)


def listening(host: str, port: int) -> Check:
    """Ready when something accepts connections there."""

    def check() -> bool:
        try:
            with socket.create_connection((host, port), timeout=1):
                return True
        except OSError:
            return False

    return check


def socket_listening(path: Path) -> Check:
    """Ready when a Unix socket accepts connections."""

    def check() -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(path))
            except OSError:
                return False
            return True

    return check


def _answers(url: str, context: ssl.SSLContext | None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
