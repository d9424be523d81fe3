"""The programs people use, run as they run them, each with a deadline."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.lab.binaries import binary
from tests.lab.layout import BY_NAME

_TIMEOUT = 120.0


@dataclass(frozen=True)
class Ran:
    """How a program ended, and what it said."""

    words: Sequence[str]
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything its user saw."""
        return f"{self.out}\n{self.err}"

    def ok(self) -> "Ran":
        """Itself, if it ended well."""
        assert self.code == 0, f"{' '.join(self.words)}: exit {self.code}\n{self.said}"
        return self


def run(words: Sequence[str], *, stdin: str | None = None, timeout: float = _TIMEOUT) -> Ran:
    """Run a program to its end, whatever that is."""
    # With these in the environment argo would talk to argo-server, and not to the cluster.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ARGO_")}
    try:
        done = subprocess.run(
            words, input=stdin, env=environment, timeout=timeout, text=True, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{' '.join(words)}: no end within {timeout:.0f} s\n{late.stdout!r}") from late
    return Ran(words, done.returncode, done.stdout, done.stderr)


def argo(*words: str, stdin: str | None = None, timeout: float = _TIMEOUT) -> Ran:
    """Argo's command line at the front door."""
    return run(argo_words("front", *words), stdin=stdin, timeout=timeout)


def argo_words(cluster: str, *words: str) -> list[str]:
    """The command line of `argo` for one of the clusters."""
    return [str(binary("argo")), f"--kubeconfig={BY_NAME[cluster].kubeconfig}", *words]


def kubectl(cluster: str, *words: str, stdin: str | None = None, timeout: float = _TIMEOUT) -> Ran:
    """kubectl on one of the clusters."""
    return run(kubectl_words(cluster, *words), stdin=stdin, timeout=timeout)


def kubectl_words(cluster: str, *words: str) -> list[str]:
    """The command line of `kubectl`, for those who start it themselves."""
    return [str(binary("kubectl")), f"--kubeconfig={BY_NAME[cluster].kubeconfig}", *words]


@contextmanager
def reading(*words: str) -> Iterator[Iterator[str]]:
    """The lines a program prints, as it prints them."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            yield iter(process.stdout.readline, "")
        finally:
            process.kill()
