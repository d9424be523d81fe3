"""The files of an upload as one object: a zip that is written while they arrive, without packing them once more.

One object is there as a whole or not at all, and Argo unpacks it where the run wants it. All is in one folder inside,
since Argo takes the only thing in an archive for what is wanted, and an upload may have a single file.
"""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from webhook.doors.files.form import Begin, Data, Event, Value
from webhook.doors.files.names import safe_name
from webhook.doors.pieces import Outbox
from webhook.errors import BadRequest, wrong_field

FOLDER = "job"
_FIELDS = frozenset({"user_id", "service"})
MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""How zips begin."""
SUFFIX = ".zip"
_END = b"PK\x05\x06"
# As far from a zip's end as its directory's end may be: unpackers look for that, whatever is before the zip.
_TAIL = 22 + 65535
# Argo gives the folder the mode of the first file in it.
_EXECUTABLE = 0o100755 << 16


@dataclass(frozen=True)
class Inside:
    """A zip among the files: its name, and where its bytes are in the object.

    It may be none if it is not certain: then its name says that it is one, or something at its end looks so.
    """

    name: str
    start: int
    size: int
    is_certain: bool = True


class Bundle:
    """The zip of one upload, and what else its form says."""

    def __init__(self) -> None:
        self._out = Outbox()
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_STORED)
        self._names: set[str] = set()
        self._file: IO[bytes] | None = None
        self._name, self._start, self._head, self._tail = "", 0, b"", bytearray()
        self.zips: list[Inside] = []
        """The zips among the files so far."""
        self.fields: dict[str, str] = {}
        """The fields of the form that count: others are nobody's here."""

    @property
    def count(self) -> int:
        """Files so far."""
        return len(self._names)

    @property
    def size(self) -> int:
        """Bytes of the zip so far."""
        return self._out.position

    def pieces(self, events: Iterator[Event], check: Callable[[], None]) -> Iterator[bytes]:
        """The zip's bytes while the form arrives. `check` is called before the last of them, and may raise.

        Raises BadRequest for names that are wrong or there twice.
        """
        for event in events:
            if isinstance(event, Begin):
                self._begin(safe_name(event.name))
            elif isinstance(event, Data):
                self._write(event.data)
                yield self._out.take()
            else:
                self._note(event)
        self._end_file()
        check()
        self._zip.close()
        yield self._out.take()

    def _note(self, value: Value) -> None:
        if value.name not in _FIELDS:
            return
        if self.fields.setdefault(value.name, value.text) != value.text:
            raise wrong_field(BadRequest, value.name, value.text, "it is there twice")

    def _begin(self, name: str) -> None:
        self._end_file()
        if name.casefold() in self._names:
            raise wrong_field(BadRequest, "file", name, "two files of one upload can't have the same name")
        self._names.add(name.casefold())
        about = zipfile.ZipInfo(f"{FOLDER}/{name}")
        about.external_attr = _EXECUTABLE
        # How long it will be is not known.
        self._file = self._zip.open(about, "w", force_zip64=True)
        self._name, self._start, self._head = name, self._out.position, b""
        self._tail.clear()

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        if len(self._head) < 4:
            self._head += data[:4]
        self._tail += data[-_TAIL:]
        del self._tail[:-_TAIL]
        self._file.write(data)

    def _end_file(self) -> None:
        if self._file is None:
            return
        is_certain = self._head[:4] in MAGIC
        if is_certain or self._name.lower().endswith(SUFFIX) or _END in self._tail:
            self.zips.append(Inside(self._name, self._start, self._out.position - self._start, is_certain))
        self._file.close()
        self._file = None
