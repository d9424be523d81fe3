"""The functions that expressions may call: expr-lang's own, and Argo's `asInt`, `asFloat`, `jsonpath` and `toJson`.

Each raises Doubt, TypeError, ValueError, ArithmeticError or LookupError for arguments that it does not take.
"""

import base64
import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.jsonpath import as_floats, from_json, queried
from webhook.totals.expressions.sprig import SPRIG
from webhook.totals.expressions.texts import ascii_text, joined, repeated, replaced, trimmed
from webhook.totals.expressions.values import (
    Value,
    as_float,
    as_integer,
    as_json,
    as_list,
    as_number,
    as_text,
    integer_of,
    plain_text,
)

Function = Callable[..., Value]


def _int(value: Value) -> int:
    return integer_of(value) if isinstance(value, str) else int(as_number(value))


def _len(value: Value) -> int:
    if not isinstance(value, str | list | dict):
        raise Doubt
    return len(value)


def _round(value: Value) -> float:
    return float(Decimal(as_number(value)).quantize(Decimal(1), ROUND_HALF_UP))


def _numbers(values: tuple[Value, ...]) -> list[int | float]:
    listed = as_list(values[0]) if len(values) == 1 and isinstance(values[0], list) else list(values)
    return [as_number(value) for value in listed]


def _mean(*values: Value) -> float:
    numbers = _numbers(values)
    return sum(map(float, numbers)) / len(numbers)


def _get(of: Value, key: Value) -> Value:
    if isinstance(of, dict):
        return of.get(as_text(key))
    listed, place = as_list(of), as_integer(key)
    return listed[place] if -len(listed) <= place < len(listed) else None


def _split(text: Value, separator: Value) -> list[Value]:
    return [*as_text(text).split(as_text(separator))]


def _keys_of(value: Value) -> Mapping[str, Value]:
    if not isinstance(value, dict) or len(value) > 1:
        raise Doubt
    return value


def _plain_json(value: Value) -> str:
    if isinstance(value, list | dict):
        raise Doubt
    return as_json(value)


def _index(text: Value, part: Value) -> int:
    return ascii_text(text).find(ascii_text(part))


def _last_index(text: Value, part: Value) -> int:
    return ascii_text(text).rfind(ascii_text(part))


def _decoded(value: Value) -> str:
    return base64.b64decode(as_text(value), validate=True).decode()


FUNCTIONS: Mapping[str, Function] = {
    "abs": lambda value: abs(as_number(value)),
    "asFloat": as_float,
    "asInt": _int,
    "ceil": lambda value: float(math.ceil(as_number(value))),
    "first": lambda value: as_list(value)[0],
    "float": as_float,
    "floor": lambda value: float(math.floor(as_number(value))),
    "fromBase64": _decoded,
    "fromJSON": lambda value: as_floats(from_json(as_text(value))),
    "get": _get,
    "hasPrefix": lambda text, part: as_text(text).startswith(as_text(part)),
    "hasSuffix": lambda text, part: as_text(text).endswith(as_text(part)),
    "indexOf": _index,
    "int": _int,
    "join": lambda values, glue="": joined(as_list(values), as_text(glue)),
    "jsonpath": lambda text, path: queried(as_text(text), as_text(path)),
    "keys": lambda value: [*_keys_of(value)],
    "last": lambda value: as_list(value)[-1],
    "lastIndexOf": _last_index,
    "len": _len,
    "lower": lambda value: ascii_text(value).lower(),
    "max": lambda *values: max(_numbers(values)),
    "mean": _mean,
    "min": lambda *values: min(_numbers(values)),
    "repeat": lambda text, times: repeated(as_text(text), as_integer(times)),
    "replace": lambda text, old, new: replaced(as_text(text), as_text(old), as_text(new)),
    "reverse": lambda value: as_list(value)[::-1],
    "round": _round,
    "split": _split,
    "string": plain_text,
    "sum": lambda value: sum(_numbers((as_list(value),))),
    "toBase64": lambda value: base64.b64encode(as_text(value).encode()).decode(),
    "toJSON": _plain_json,
    "toJson": as_json,
    "trim": lambda text, cut=None: trimmed(text) if cut is None else as_text(text).strip(as_text(cut)),
    "trimPrefix": lambda text, part: as_text(text).removeprefix(as_text(part)),
    "trimSuffix": lambda text, part: as_text(text).removesuffix(as_text(part)),
    "upper": lambda value: ascii_text(value).upper(),
    "values": lambda value: [*_keys_of(value).values()],
    **SPRIG,
}
