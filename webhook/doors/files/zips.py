"""What is refused of a zip among the uploaded files: bombs, zips in zips, and names that lead out of its folder.

It is not unpacked. Its directory says what unpacking it would make, which unpackers believe too; and the first bytes of
each file inside say whether that is a zip again, whatever its name.
"""

import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, cast

from webhook.doors.files.bundle import Inside
from webhook.doors.files.window import Ranges, Window
from webhook.errors import BadRequest, MedeaError, quoted, wrong_field
from webhook.model.limits.files import INSPECTED, MIB, MOST_FILES, MOST_PACKED, PIECE

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED = 0x1
# The others take as much memory as the zip says.
_PACKED_BY = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(frozen=True)
class Entry:
    """A file in a zip, as its directory has it. `size` is in bytes, unpacked."""

    name: str
    size: int
    is_link: bool = False


def trouble(entries: Sequence[Entry], packed: int, largest: int) -> str | None:
    """What is wrong with a zip of `packed` bytes that has these entries; None if nothing is. Pure.

    `largest` is how many bytes it may unpack to.
    """
    if len(entries) > MOST_FILES:
        return f"it has {len(entries)} files, and may have {MOST_FILES}"
    for entry in entries:
        if entry.is_link:
            return f"it has a link, {quoted(entry.name)}"
        if _leads_out(entry.name):
            return f"{quoted(entry.name)} in it leads out of its folder"
    size = sum(entry.size for entry in entries)
    if size > largest:
        return f"it unpacks to {size} bytes, and may to {largest}"
    if size > INSPECTED and size > MOST_PACKED * packed:
        return f"it unpacks to {size} bytes, more than {MOST_PACKED} times its own {packed}"
    return None


def check_zip(inside: Inside, read_range: Ranges, *, largest: int) -> None:
    """Raises BadRequest if this zip is not one to take; what reading it raises is passed on."""
    window = Window(read_range, inside.start, inside.size, ahead=PIECE, most=MIB)
    try:
        found = _trouble_of(cast("IO[bytes]", window), inside.size, largest)
    except MedeaError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        EOFError,
        OSError,
        RuntimeError,
        OverflowError,
    ) as error:
        found = f"it is no zip that can be read: {quoted(str(error))}"
    if found:
        raise wrong_field(BadRequest, "file", inside.name, found)


def _trouble_of(file: IO[bytes], packed: int, largest: int) -> str | None:
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        entries = [Entry(one.orig_filename, one.file_size, stat.S_ISLNK(one.external_attr >> 16)) for one in infos]
        wrong = trouble(entries, packed, largest)
        if wrong:
            return wrong
        for one in infos:
            if one.is_dir() or one.flag_bits & _ENCRYPTED:
                continue
            if one.compress_type not in _PACKED_BY:
                return f"{quoted(one.filename)} in it is packed by another method than deflate"
            with archive.open(one) as member:
                if member.read(4) in _MAGIC:
                    return f"{quoted(one.filename)} in it is a zip again: upload it beside it"
    return None


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not name.isprintable() or name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":"
