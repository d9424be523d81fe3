"""Every pod that was ever there: a watch, because a pod may come and go between two looks.

Pods that only stand for those on a target are none: nothing runs in them.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.commands import kubectl_words

_REAL = "!medea.dev/mirrored"
_COLUMNS = r"custom-columns=NAME:.metadata.name,COMPONENT:.metadata.labels.workflows\.argoproj\.io/component"


class PodWatch:
    """The pods seen so far, by name, with the part each plays for Argo: `agent`, or `<none>` for a job's."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def seen(self) -> dict[str, str]:
        """Name and part of every pod."""
        return dict(line.split() for line in self._file.read_text().splitlines() if line.strip())


@contextmanager
def watching(cluster: str, namespace: str, file: Path) -> Iterator[PodWatch]:
    """Watch a namespace's pods; `file` takes what is seen."""
    words = kubectl_words(cluster, "get", "pods", "-n", namespace, "-l", _REAL, "-w", "--no-headers", "-o", _COLUMNS)
    with file.open("w") as out, subprocess.Popen(words, stdout=out, stderr=subprocess.DEVNULL) as process:
        try:
            yield PodWatch(file)
        finally:
            process.terminate()
