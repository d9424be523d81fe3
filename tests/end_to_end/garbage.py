"""Everything wrong that can be sent: bodies broken at every place, as text, since no JSON library would write them."""

import copy
import json
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

_MARK = "@@here@@"
_DEEP = 100_000

WHOLE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "half of an object": b'{"kind": ',
    "null": b"null",
    "a list": b"[]",
    "a text": b'"review"',
    "a number": b"7",
    "NaN": b"NaN",
    "no UTF-8": b'{"kind": "\xff\xfe"}',
    "UTF-16": '{"kind": "AdmissionReview"}'.encode("utf-16"),
    "another kind": b'{"kind": "Pod", "apiVersion": "v1"}',
    "more than four megabytes": b'{"kind": "' + b"x" * (4 * 1024 * 1024) + b'"}',
    "a bottomless list": b"[" * _DEEP + b"]" * _DEEP,
    "a bottomless object": b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    "an endless bottomless list": b"[" * _DEEP,
    "a number of 5000 digits": b'{"kind": ' + b"7" * 5000 + b"}",
}
"""Bodies that are wrong as a whole, to whomever they are sent."""

NO_JSON = {
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "1e999": "1e999",
    "5000 digits": "7" * 5000,
    "nested": "[" * _DEEP + "]" * _DEEP,
}
"""Values that make any body unreadable, wherever they are."""

TEXTS = {
    "an empty text": '""',
    "a text": '"text"',
    "a lone surrogate": '"a\\ud800b"',
    "a zero byte": '"a\\u0000b"',
    "Unicode": '"Größe ☃ \\u202e日本"',
    "a path": '"../../secrets/%2e%2e/x y"',
    "a huge text": json.dumps("x" * 200_000),
}
OTHERS = {
    "null": "null",
    "a number": "7",
    "a fraction": "-1.5",
    "a large number": "1e300",
    "a boolean": "true",
    "a list": "[]",
    "a list of lists": "[[[]]]",
    "an object": "{}",
    "a nested object": '{"a": {"b": ["c"]}}',
}
VALUES = {**NO_JSON, **TEXTS, **OTHERS}


def places(value: Any, prefix: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value, but for the value itself."""
    inside: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for key, inner in inside:
        yield (*prefix, key)
        yield from places(inner, (*prefix, key))


def with_value(body: Any, place: Path, text: str) -> bytes:
    """The body with this JSON text at one place."""
    changed = copy.deepcopy(body)
    _inside(changed, place)[place[-1]] = _MARK
    return json.dumps(changed).replace(f'"{_MARK}"', text).encode()


def without(body: Any, place: Path) -> bytes:
    """The body without one field."""
    changed = copy.deepcopy(body)
    del _inside(changed, place)[place[-1]]
    return json.dumps(changed).encode()


def _inside(value: Any, place: Path) -> Any:
    for key in place[:-1]:
        value = value[key]
    return value
