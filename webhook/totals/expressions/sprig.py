"""Sprig's functions in common use. Sprig turns arguments into numbers as it likes; only plain ones are taken here."""

import base64
import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce

from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.jsonpath import as_floats, from_json
from webhook.totals.expressions.patterns import found_in
from webhook.totals.expressions.texts import SPACES, ascii_text, joined, repeated, replaced, trimmed
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

# Go reads a leading zero as octal here.
_OCTAL = re.compile(r"[+-]?0[0-9]")
_QUOTED = re.compile(r"[\x20-\x7e]*")
# Digits after the point of a quotient.
_QUOTIENT = Decimal("1e-16")
_EXACT = Context(prec=80)


def _integer(value: Value) -> int:
    if isinstance(value, str):
        if _OCTAL.match(value):
            raise Doubt
        return integer_of(value)
    return int(as_number(value))


def _decimal(value: Value) -> Decimal:
    return Decimal(repr(as_float(value)))


def _decimals(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., Value]:
    return lambda first, *others: float(reduce(operation, map(_decimal, others), _decimal(first)))


def _quotient(one: Decimal, other: Decimal) -> Decimal:
    return _EXACT.divide(one, other).quantize(_QUOTIENT, ROUND_HALF_UP, _EXACT)


def _truncated(one: int, other: int) -> int:
    return abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)


def _div(one: Value, other: Value) -> int:
    return _truncated(_integer(one), _integer(other))


def _mod(one: Value, other: Value) -> int:
    left, right = _integer(one), _integer(other)
    return left - right * _truncated(left, right)


def _rounded(value: Value, places: Value) -> float:
    number, scale = as_float(value), as_integer(places)
    if number < 0 or not 0 <= scale <= 9:
        raise Doubt
    digits = math.pow(10, scale) * number
    whole = math.ceil(digits) if digits - math.floor(digits) >= 0.5 else math.floor(digits)
    return whole / math.pow(10, scale)


def _quote(value: Value) -> str:
    text = plain_text(value)
    if not _QUOTED.fullmatch(text) or '"' in text or "\\" in text:
        raise Doubt
    return f'"{text}"'


def _default(default: Value, *given: Value) -> Value:
    return given[0] if given and given[0] else default


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value), None)


def _ternary(yes: Value, no: Value, condition: Value) -> Value:
    if not isinstance(condition, bool):
        raise Doubt
    return yes if condition else no


def _trunc(length: Value, text: Value) -> str:
    whole, size = ascii_text(text), as_integer(length)
    return whole[size:] if size < 0 else whole[:size]


def _substr(start: Value, end: Value, text: Value) -> str:
    whole, first, last = ascii_text(text), as_integer(start), as_integer(end)
    if first < 0:
        if not 0 <= last <= len(whole):
            raise Doubt
        return whole[:last]
    return whole[first:] if last < 0 or last > len(whole) else whole[first:last]


def _has(needle: Value, values: Value) -> bool:
    return as_text(needle) in [as_text(value) for value in as_list(values)]


def _until(count: Value) -> list[Value]:
    if not 0 <= as_integer(count) <= 10_000:
        raise Doubt
    return list(range(as_integer(count)))


def _sum(*values: Value) -> int:
    return sum(map(_integer, values))


def _product(*values: Value) -> int:
    return math.prod(map(_integer, values))


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "add": _sum,
    "add1": lambda value: _integer(value) + 1,
    "addf": _decimals(_EXACT.add),
    "atoi": lambda value: integer_of(as_text(value)),
    "b64dec": lambda value: base64.b64decode(as_text(value), validate=True).decode(),
    "b64enc": lambda value: base64.b64encode(as_text(value).encode()).decode(),
    "biggest": lambda *values: max(map(_integer, values)),
    "ceil": lambda value: float(math.ceil(as_float(value))),
    "coalesce": _coalesce,
    "contains": lambda part, text: as_text(part) in as_text(text),
    "default": _default,
    "div": _div,
    "divf": _decimals(_quotient),
    "empty": lambda value: not value,
    "first": lambda values: as_list(values)[0],
    "float64": as_float,
    "floor": lambda value: float(math.floor(as_float(value))),
    "fromJson": lambda value: as_floats(from_json(as_text(value))),
    "has": _has,
    "hasPrefix": lambda part, text: as_text(text).startswith(as_text(part)),
    "hasSuffix": lambda part, text: as_text(text).endswith(as_text(part)),
    "int": _integer,
    "int64": _integer,
    "join": lambda glue, values: joined([plain_text(value) for value in as_list(values)], as_text(glue)),
    "last": lambda values: as_list(values)[-1],
    "list": lambda *values: [*values],
    "lower": lambda value: ascii_text(value).lower(),
    "max": lambda *values: max(map(_integer, values)),
    "maxf": lambda *values: max(map(as_float, values)),
    "min": lambda *values: min(map(_integer, values)),
    "minf": lambda *values: min(map(as_float, values)),
    "mod": _mod,
    "mul": _product,
    "mulf": _decimals(_EXACT.multiply),
    "nospace": lambda value: "".join(one for one in ascii_text(value) if one not in SPACES),
    "quote": _quote,
    "regexMatch": lambda pattern, text: found_in(as_text(pattern), as_text(text)),
    "repeat": lambda times, text: repeated(as_text(text), as_integer(times)),
    "replace": lambda old, new, text: replaced(as_text(text), as_text(old), as_text(new)),
    "round": _rounded,
    "splitList": lambda separator, text: [*as_text(text).split(as_text(separator))],
    "squote": lambda value: f"'{plain_text(value)}'",
    "sub": lambda one, other: _integer(one) - _integer(other),
    "subf": _decimals(_EXACT.subtract),
    "substr": _substr,
    "ternary": _ternary,
    "toJson": as_json,
    "toString": plain_text,
    "trim": trimmed,
    "trimAll": lambda cut, text: as_text(text).strip(as_text(cut)),
    "trimPrefix": lambda part, text: as_text(text).removeprefix(as_text(part)),
    "trimSuffix": lambda part, text: as_text(text).removesuffix(as_text(part)),
    "trunc": _trunc,
    "until": _until,
    "upper": lambda value: ascii_text(value).upper(),
}
SPRIG = {f"sprig.{name}": function for name, function in _FUNCTIONS.items()}
"""By the name with which an expression calls it."""
