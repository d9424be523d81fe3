"""The files that a job leaves: where in the store they are, and how a worker puts them there."""

import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import structlog

from webhook.doors.store import Reading, Store
from webhook.errors import StoreUnavailable
from webhook.model.limits.classes import WORKER_PAUSE
from webhook.model.limits.files import PIECE

log = structlog.get_logger(__name__)
Check = Callable[[], None]
"""Called again and again while it takes long; what it raises ends it."""


@dataclass(frozen=True)
class Results:
    """The results of all jobs, in a folder each. `prefix` is a folder of the bucket."""

    store: Store
    prefix: str

    def key(self, job: str) -> str:
        """Where those of a job are, packed as Argo does: a .tgz."""
        return f"{self._folder(job)}/results.tgz"

    def read(self, job: str) -> Reading | None:
        """What a job has left; None if nothing."""
        return self.store.read(self.key(job))

    def remove(self, job: str) -> None:
        """Remove what it has left. Safe to repeat."""
        self.store.remove(self._folder(job))

    def keep(self, job: str, folder: Path, check: Check) -> None:
        """Put what is in a folder there, however long the store is away; nothing if it is empty."""
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        if not files:
            return
        with tempfile.TemporaryFile() as packed:
            _pack(packed, folder, files, check)
            while not self._kept(job, packed, check):
                check()
                time.sleep(WORKER_PAUSE)

    def _kept(self, job: str, packed: IO[bytes], check: Check) -> bool:
        packed.seek(0)
        try:
            self.store.write(self.key(job), _pieces(packed, check))
        except StoreUnavailable as error:
            log.warning("results wait for the store", job=job, reason=error.message)
            return False
        return True

    def _folder(self, job: str) -> str:
        return f"{self.prefix}/classes/{job}"


@dataclass(frozen=True)
class _Watched:
    file: IO[bytes]
    check: Check

    def read(self, size: int) -> bytes:
        self.check()
        return self.file.read(size)


def _pack(packed: IO[bytes], folder: Path, files: list[Path], check: Check) -> None:
    # A file that has two names would otherwise be a link under the second, and links are left out of a results.zip.
    with tarfile.open(fileobj=packed, mode="w:gz", dereference=True) as tar:
        for path in files:
            with path.open("rb") as file:
                about = tar.gettarinfo(arcname=f"job/{path.relative_to(folder)}", fileobj=file)
                tar.addfile(about, cast("IO[bytes]", _Watched(file, check)))


def _pieces(packed: IO[bytes], check: Check) -> Iterator[bytes]:
    while piece := packed.read(PIECE):
        check()
        yield piece
