"""What a run has left, as the `results.zip` that portals expect: made from Argo's .tgz while it is downloaded.

Nothing is kept but the piece at hand, and the store is read once, from its beginning to its end.
"""

import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any, cast

from webhook.doors.files.outbox import Outbox
from webhook.errors import StoreUnavailable, quoted
from webhook.model.limits.files import PIECE


def as_zip(packed: Any) -> Iterator[bytes]:
    """The files of a .tgz, `packed` being a file object, as the pieces of a zip.

    Argo packs a folder under its own name, which is left out. Links and the like are, too. Raises StoreUnavailable if
    it breaks off or is none.
    """
    out = Outbox()
    try:
        with (
            tarfile.open(fileobj=packed, mode="r|gz") as tar,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            names: set[str] = set()
            for member in tar:
                # It would keep all of them.
                cast("Any", tar).members.clear()
                name = inner_name(member.name)
                if not member.isfile() or not name or name in names:
                    continue
                names.add(name)
                yield from _member(archive, out, name, member, cast("IO[bytes]", tar.extractfile(member)))
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
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
    """A file's name without the folder that all of them are in; empty if nothing is left, or if it leads out. Pure."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "" if ".." in parts else "/".join(parts[1:])
