"""What a run has left, as the `results.zip` that portals expect: made from Argo's .tgz while it is downloaded.

Nothing is kept but the piece at hand, and the store is read once, from its beginning to its end.
"""

import gzip
import struct
import tarfile
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from typing import IO, Any, cast

from webhook.doors.pieces import Outbox
from webhook.errors import StoreUnavailable, quoted
from webhook.model.limits.files import ENTRY_KEPT, LONGEST_HEADER, MOST_ENTRIES_KEPT, PIECE

# What `tarfile` and `zipfile` raise at what is no archive, or none that they can have.
_NO_ARCHIVE = (tarfile.TarError, EOFError, OSError, ValueError, RecursionError, struct.error, zlib.error)


def as_zip(packed: Any) -> Iterator[bytes]:
    """The files of a .tgz, `packed` being a file object, as the pieces of a zip.

    Argo packs a folder under its own name, which is left out. Links and the like are, too. Raises StoreUnavailable if
    it breaks off or is none.
    """
    out = Outbox()
    try:
        unpacked = gzip.GzipFile(fileobj=packed)
        source = _Source(unpacked)
        with (
            unpacked,
            tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as tar,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            names: set[str] = set()
            kept = 0
            for member in tar:
                # It would keep all of them, and what is said for all that follow.
                cast("Any", tar).members.clear()
                cast("Any", tar).pax_headers.clear()
                source.begin()
                if not member.isfile():
                    continue
                if member.issparse():
                    # Argo makes none, and what is said of some bytes would be as long as it likes.
                    raise StoreUnavailable(f"the results can't be read: {quoted(member.name)} has holes")
                name, content = inner_name(member.name), _content(cast("IO[bytes]", tar.extractfile(member)), source)
                if not name or name in names:
                    deque(content, maxlen=0)
                    continue
                names.add(name)
                kept += len(name) + ENTRY_KEPT
                if kept > MOST_ENTRIES_KEPT:
                    raise StoreUnavailable(f"there are too many results: {len(names)} files, {quoted(name)} the last")
                yield from _member(archive, out, name, member, content)
            # What breaks off between two files looks like the end to `tarfile`, but not to `gzip`.
            while unpacked.read(PIECE):
                pass
    except _NO_ARCHIVE as error:
        raise StoreUnavailable(f"the results can't be read: {quoted(str(error))}") from error
    yield out.take()


class _Source:
    """The bytes of a tar. Of what is no file's content only so much is read: `tarfile` keeps it, however long."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file, self._left = file, LONGEST_HEADER

    def begin(self) -> None:
        """Another header may follow."""
        self._left = LONGEST_HEADER

    def read(self, size: int) -> bytes:
        """The next bytes. Raises StoreUnavailable if a header does not end, EOFError if the tar ends in between."""
        data = self._file.read(size)
        if not data:
            # What is still missing `tarfile` would look for again and again.
            raise EOFError("it ends before its end")
        self._left -= len(data)
        if self._left < 0:
            raise StoreUnavailable(f"the results can't be read: what is said of a file is over {LONGEST_HEADER} bytes")
        return data


def _content(file: IO[bytes], source: _Source) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        source.begin()
        yield piece


def _member(
    archive: zipfile.ZipFile, out: Outbox, name: str, member: tarfile.TarInfo, content: Iterator[bytes]
) -> Iterator[bytes]:
    about = zipfile.ZipInfo(name)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = (0o100000 | (member.mode & 0o777)) << 16
    with archive.open(about, "w", force_zip64=True) as file:
        for piece in content:
            file.write(piece)
            yield out.take()


def inner_name(name: str) -> str:
    """A file's name without the folder that all of them are in; empty if nothing is left, or if it leads out. Pure.

    Bytes that are no UTF-8 are shown as such, and so is what leads out on a machine with other separators.
    """
    whole = name.encode(errors="surrogateescape").decode(errors="replace").replace("\\", "_")
    parts = [part for part in whole.split("/") if part not in ("", ".")]
    return "" if ".." in parts else "/".join(parts[1:])
