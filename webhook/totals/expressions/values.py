"""The values of expressions, and how Go writes them as text."""

import json
import re
from decimal import Decimal

from webhook.model.limits.admission import EXPRESSION_LARGEST
from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.times import Moment, Span

Value = str | int | float | bool | None | Moment | Span | list["Value"] | dict[str, "Value"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})", re.ASCII)
_LARGEST = 1 << 63
_ESCAPED_BY_GO = re.compile("[<>&\u2028\u2029\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def is_number(value: Value) -> bool:
    """Whether it is a whole number or a float; Python counts true and false among the former."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_number(value: Value) -> int | float:
    """The number that it is. Raises Doubt for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Doubt
    return value


def as_integer(value: Value) -> int:
    """The whole number that it is. Raises Doubt for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Doubt
    return value


def as_text(value: Value) -> str:
    """The text that it is. Raises Doubt for anything else."""
    if not isinstance(value, str):
        raise Doubt
    return value


def as_list(value: Value) -> list[Value]:
    """The list that it is. Raises Doubt for anything else."""
    if not isinstance(value, list):
        raise Doubt
    return value


def integer_of(text: str) -> int:
    """A whole number as Go reads it in decimal. Raises Doubt."""
    if not _INTEGER.fullmatch(text):
        raise Doubt
    return int(text)


def float_of(text: str) -> float:
    """A number without an exponent. Raises Doubt."""
    if not _DECIMAL.fullmatch(text):
        raise Doubt
    return float(text)


def as_float(value: Value) -> float:
    """The number that it is, or that a text writes. Raises Doubt for anything else."""
    return float_of(value) if isinstance(value, str) else float(as_number(value))


def plain_text(value: Value) -> str:
    """A text, a number or a truth value as Go prints it. Raises Doubt for anything else."""
    if isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else number_text(as_number(value))


def bounded(value: Value) -> Value:
    """The value, if it is small enough to go on with and Go would not wrap it around. Raises Doubt."""
    if isinstance(value, int) and not -_LARGEST < value < _LARGEST:
        raise Doubt
    if isinstance(value, str | list | dict) and len(value) > EXPRESSION_LARGEST:
        raise Doubt
    return value


def shown(value: Value) -> str:
    """What Argo puts in place of a tag with this value: a text as it is, everything else as JSON. Raises Doubt."""
    if value is None:
        raise Doubt
    if isinstance(value, str):
        if len(value) > 1 and value[0] == value[-1] == '"':
            raise Doubt
        return value
    return as_json(value)


def as_json(value: Value) -> str:
    """Compact JSON with sorted keys, as Go writes it. Raises Doubt for times and what it would escape."""
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list):
        return f"[{','.join(as_json(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{as_json(key)}:{as_json(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, Moment | Span) or (isinstance(value, str) and _ESCAPED_BY_GO.search(value)):
        raise Doubt
    return json.dumps(value, ensure_ascii=False)


def number_text(number: int | float) -> str:
    """A number as Go writes it. Raises Doubt for those that it writes with an exponent."""
    if isinstance(number, float) and number and not 1e-4 <= abs(number) < 1e21:
        raise Doubt
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
