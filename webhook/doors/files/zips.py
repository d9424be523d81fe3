"""What is refused of a zip among the uploaded files: bombs, zips in zips, and names that lead out of its folder.

It is not unpacked. Its directory says what unpacking it would make, which unpackers believe too; and the first bytes of
each file inside, or its name, say whether that is a zip again.
"""

import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, cast

from webhook.doors.files.bundle import MAGIC, SUFFIX, Inside
from webhook.doors.files.window import Ranges, Window
from webhook.errors import BadRequest, MedeaError, quoted, wrong_field
from webhook.model.limits.files import INSPECTED, MIB, MOST_FILES, MOST_PACKED, MOST_ZIPPED, PIECE, TOTAL_FACTOR

_ENCRYPTED = 0x1
# The others take as much memory as the zip says.
_PACKED_BY = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(frozen=True)
class Entry:
    """A file in a zip, as its directory has it. `size` is in bytes, unpacked."""

    name: str
    size: int
    is_link: bool = False


@dataclass(frozen=True)
class Contents:
    """What is in a zip, or in some together: files, bytes unpacked, and bytes packed."""

    files: int = 0
    size: int = 0
    packed: int = 0

    def __add__(self, other: "Contents") -> "Contents":
        return Contents(self.files + other.files, self.size + other.size, self.packed + other.packed)

    @property
    def is_bomb(self) -> bool:
        """Whether it is packed as only a bomb is."""
        return self.size > INSPECTED and self.size > MOST_PACKED * self.packed


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
    found = _contents(entries, packed)
    if found.size > largest:
        return f"it unpacks to {found.size} bytes, and may to {largest}"
    if found.is_bomb:
        return f"it unpacks to {found.size} bytes, more than {MOST_PACKED} times its own {packed}"
    return None


def trouble_together(found: Contents, largest: int) -> str | None:
    """What is wrong with the zips of an upload, none of which is wrong by itself; None if nothing is. Pure."""
    if found.files > MOST_ZIPPED:
        return f"the zips of one upload may have {MOST_ZIPPED} files together"
    if found.size > TOTAL_FACTOR * largest:
        return f"the zips of one upload may unpack to {TOTAL_FACTOR * largest} bytes together"
    if found.is_bomb:
        return f"the zips so far unpack to {found.size} bytes, more than {MOST_PACKED} times their own {found.packed}"
    return None


def check_zips(zips: Sequence[Inside], read_range: Ranges, *, largest: int) -> None:
    """Raises BadRequest with the first that is not one to take; what reading it raises is passed on."""
    together = Contents()
    for inside in zips:
        together += check_zip(inside, read_range, largest=largest)
        wrong = trouble_together(together, largest)
        if wrong:
            raise wrong_field(BadRequest, "file", inside.name, wrong)


def check_zip(inside: Inside, read_range: Ranges, *, largest: int) -> Contents:
    """What is in it: nothing if it only looked like a zip. Raises as `check_zips`."""
    window = Window(read_range, inside.start, inside.size, ahead=PIECE, most=MIB)
    try:
        archive = _opened(cast("IO[bytes]", window), inside)
        if archive is None:
            return Contents()
        with archive:
            entries = _entries(archive)
            found = trouble(entries, inside.size, largest) or _trouble_within(archive)
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
        zlib.error,
    ) as error:
        raise wrong_field(
            BadRequest, "file", inside.name, f"it is no zip that can be read: {quoted(str(error))}"
        ) from error
    if found:
        raise wrong_field(BadRequest, "file", inside.name, found)
    return _contents(entries, inside.size)


def _opened(file: IO[bytes], inside: Inside) -> zipfile.ZipFile | None:
    """None if it is no zip, and nothing at its beginning said so."""
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        if inside.is_certain:
            raise
        return None


def _entries(archive: zipfile.ZipFile) -> list[Entry]:
    return [
        Entry(one.orig_filename, one.file_size, stat.S_ISLNK(one.external_attr >> 16)) for one in archive.infolist()
    ]


def _trouble_within(archive: zipfile.ZipFile) -> str | None:
    for one in archive.infolist():
        if one.is_dir():
            continue
        if one.flag_bits & _ENCRYPTED:
            return f"{quoted(one.filename)} in it is encrypted: nobody can see what it is"
        if one.compress_type not in _PACKED_BY:
            return f"{quoted(one.filename)} in it is packed by another method than deflate"
        with archive.open(one) as member:
            if member.read(4) in MAGIC or one.filename.lower().endswith(SUFFIX):
                return f"{quoted(one.filename)} in it is a zip again: upload it beside it"
    return None


def _contents(entries: Sequence[Entry], packed: int) -> Contents:
    return Contents(len(entries), sum(entry.size for entry in entries), packed)


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not name.isprintable() or name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":"
