"""What a run has left, as the `results.zip` that portals expect: made from Argo's .tgz while it is downloaded.

Nothing is kept but the piece at hand, and the store is read once, from its beginning to its end.
"""

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, cast

from webhook.doors.pieces import Outbox
from webhook.errors import StoreUnavailable, quoted
from webhook.model.limits.files import ENTRY_KEPT, MOST_ENTRIES_KEPT, PIECE


def as_zip(packed: Any) -> Iterator[bytes]:
    """The files of a .tgz, `packed` being a file object, as the pieces of a zip.

    Argo packs a folder under its own name, which is left out. Links and the like are, too. Raises StoreUnavailable if
    it breaks off or is none.
    """
    out = Outbox()
    try:
        with (
            gzip.GzipFile(fileobj=packed) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as tar,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            names: set[str] = set()
            kept = 0
            for member in tar:
                # It would keep all of them.
                cast("Any", tar).members.clear()
                name = inner_name(member.name)
                if not member.isfile() or not name or name in names:
                    continue
                names.add(name)
                kept += len(name) + ENTRY_KEPT
                if kept > MOST_ENTRIES_KEPT:
                    raise StoreUnavailable(f"there are too many results: {len(names)} files, {quoted(name)} the last")
                yield from _member(archive, out, name, member, cast("IO[bytes]", tar.extractfile(member)))
            # What breaks off between two files looks like the end to `tarfile`, but not to `gzip`.
            while unpacked.read(PIECE):
                pass
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise StoreUnavailable(f"the results can't be read: {quoted(str(error))}") from error
    yield out.take()


def _member(
    archive: zipfile.ZipFile, out: Outbox, name: str, member: tarfile.TarInfo, content: IO[bytes]
) -> Iterator[bytes]:
    about = zipfile.ZipInfo(name)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = (0o100000 | (member.mode & 0o777)) << 16
    with archive.open(about, "w", force_zip64=True) as file:
        while piece := content.read(PIECE):
            file.write(piece)
            yield out.take()


def inner_name(name: str) -> str:
    """A file's name without the folder that all of them are in; empty if nothing is left, or if it leads out. Pure.

    Bytes that are no UTF-8 are shown as such, and so is what leads out on a machine with other separators.
    """
    whole = name.encode(errors="surrogateescape").decode(errors="replace").replace("\\", "_")
    parts = [part for part in whole.split("/") if part not in ("", ".")]
    return "" if ".." in parts else "/".join(parts[1:])
