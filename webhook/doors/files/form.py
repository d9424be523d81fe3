"""A multipart body, piece by piece: nothing of a file is kept. What is malformed or too much is refused by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser
from werkzeug.http import parse_options_header

from webhook.api.http import BROKEN
from webhook.errors import BadRequest, TooLarge, quoted, wrong_field
from webhook.model.limits.files import LONGEST_FIELD, MIB, MOST_FILES, MOST_PARTS, PIECE, TOTAL_FACTOR


@dataclass(frozen=True)
class Begin:
    """A file begins; `name` is what the client calls it."""

    name: str | None


@dataclass(frozen=True)
class Data:
    """The next bytes of that file."""

    data: bytes


@dataclass(frozen=True)
class Value:
    """A field that is no file."""

    name: str
    text: str


Event = Begin | Data | Value


def boundary_of(content_type: str | None) -> str:
    """What separates the parts. Raises BadRequest unless it is a multipart form."""
    kind, options = parse_options_header(content_type or "")
    if kind.lower() != "multipart/form-data" or not options.get("boundary"):
        raise wrong_field(BadRequest, "header Content-Type", kind, "it must be multipart/form-data with a boundary")
    return options["boundary"]


def read_form(stream: IO[bytes], boundary: str, *, largest_file: int) -> Iterator[Event]:
    """The form's files and fields in their order. `largest_file` is in bytes; all together may have TOTAL_FACTOR times.

    Files are what is named `file`. Raises BadRequest, or TooLarge, with the field.
    """
    form = _Form(largest_file)
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_PARTS) as parser:
            while not parser.closed:
                piece = _next(stream)
                form.count(len(piece))
                for part in parser.parse(piece):
                    yield from form.take(part)
                if not piece:
                    break
    except ParserLimitReached as error:
        expected = f"at most {MOST_FILES} files, some fields, and lines of 4096 bytes before each"
        raise wrong_field(TooLarge, "file", str(error), expected) from error
    except MultipartError as error:
        raise BadRequest(f"the body is no multipart form, or it breaks off: {quoted(str(error))}") from error


def _next(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(PIECE)
    except BROKEN as error:
        raise BadRequest(f"the body breaks off: {quoted(str(error))}") from error


class _Form:
    """Turns the parser's events into ours, within the limits."""

    def __init__(self, largest_file: int) -> None:
        self._largest, self._total = largest_file, 0
        self._files, self._size = 0, 0
        self._part: MultipartSegment | None = None
        self._text = bytearray()

    def count(self, size: int) -> None:
        """Bytes of the body have come. A little more than the files' may be what is between them."""
        self._total += size
        if self._total > TOTAL_FACTOR * self._largest + MIB:
            expected = f"all files together may have {TOTAL_FACTOR * self._largest} bytes"
            raise wrong_field(TooLarge, "file", "too large", expected)

    def take(self, event: MultipartSegment | bytearray | None) -> Iterator[Event]:
        """Parts begin with a segment, go on with bytes, and end with None."""
        if isinstance(event, MultipartSegment):
            yield from self._begin(event)
        elif event is None:
            yield from self._end()
        else:
            yield from self._go_on(event)

    def _begin(self, part: MultipartSegment) -> Iterator[Event]:
        self._part, self._size, self._text = part, 0, bytearray()
        if part.name == "file":
            self._files += 1
            if self._files > MOST_FILES:
                raise wrong_field(TooLarge, "file", f"file {self._files}", f"at most {MOST_FILES} files an upload")
            yield Begin(part.filename)
        elif part.filename is not None:
            raise wrong_field(BadRequest, part.name, part.filename, "files are sent as `file`, any number of them")

    def _go_on(self, data: bytearray) -> Iterator[Event]:
        assert self._part is not None
        self._size += len(data)
        if self._part.name == "file":
            if self._size > self._largest:
                expected = f"a file may have {self._largest} bytes (MEDEA_FILES_LARGEST)"
                raise wrong_field(TooLarge, "file", self._part.filename, expected)
            yield Data(bytes(data))
            return
        if self._size > LONGEST_FIELD:
            raise wrong_field(TooLarge, self._part.name, "too long", f"it may have {LONGEST_FIELD} bytes")
        self._text += data

    def _end(self) -> Iterator[Event]:
        assert self._part is not None
        if self._part.name != "file":
            yield Value(self._part.name, _text(self._part.name, self._text))


def _text(name: str, data: bytearray) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise wrong_field(BadRequest, name, bytes(data), "it must be UTF-8") from error
