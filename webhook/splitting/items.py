"""The items of a fan-out: of withItems, withParam or withSequence, known before anything runs. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from webhook.errors import Refused, quoted, wrong_field
from webhook.model.bounded_json import is_deep
from webhook.model.limits.splitting import LONGEST_ITEMS, MOST_ITEMS
from webhook.totals.scope import value_of
from webhook.totals.tags import Bindings

LOOPS = ("withItems", "withParam", "withSequence")
_SEQUENCE = ("start", "end", "count", "format")
_NUMBER = re.compile(r"[-+]?[0-9]{1,12}")
# With other verbs Go and Python write a number differently, and a wide one is a text without end.
_FORMAT = re.compile(r"(?:[^%]|%%)*%[-+ 0]{0,4}[0-9]{0,2}(?:\.[0-9]{1,2})?[dxX](?:[^%]|%%)*", re.DOTALL)
_KNOWN_BEFORE = "it must be known before the Workflow runs: a text, or {{workflow.parameters.NAME}}"


def items_of(step: Mapping[str, Any], field: str, known: Bindings) -> list[Any]:
    """The items over which this step or task is repeated, in their order. `field` is where it is in the Workflow.

    `known` are the Workflow's parameters. Raises Refused for what is not known yet, nothing at all, or too much.
    """
    loops = [one for one in LOOPS if step.get(one) is not None]
    if len(loops) != 1:
        raise wrong_field(Refused, field, loops or step.get("name"), f"it must have one of {', '.join(LOOPS)}")
    by, where = loops[0], f"{field}.{loops[0]}"
    read = {"withItems": _listed, "withParam": _from_parameter, "withSequence": _sequence}
    items = read[by](step[by], where, known)
    if not items:
        raise wrong_field(Refused, where, step[by], "there are no items in it")
    if len(items) > MOST_ITEMS:
        raise _too_many(where, len(items))
    if any(one is None for one in items):
        raise wrong_field(Refused, where, None, "an item must be a text, a number, an object or a list")
    return items


def _listed(value: Any, where: str, _: Bindings) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_field(Refused, where, value, "it must be a list")
    return value


def _from_parameter(value: Any, where: str, known: Bindings) -> list[Any]:
    text = value_of(value, known)
    if text is None:
        raise wrong_field(Refused, where, value, _KNOWN_BEFORE)
    try:
        items = json.loads(text, parse_float=_as_written, parse_constant=_as_written)
    except (ValueError, RecursionError) as error:
        raise wrong_field(Refused, where, text, f"it must be a list in JSON: {quoted(str(error))}") from error
    if not isinstance(items, list) or is_deep(items):
        raise wrong_field(Refused, where, text, "it must be a list in JSON, without much nesting")
    return items


def _as_written(text: str) -> float:
    """A number that is passed on exactly as it was written, or refused."""
    number = float(text)
    if repr(number) != text:
        raise ValueError(f"{text} would be passed on as {number!r}: write it so, or as a text")
    return number


def _sequence(value: Any, where: str, known: Bindings) -> list[Any]:
    if not isinstance(value, Mapping) or set(value) - set(_SEQUENCE):
        raise wrong_field(Refused, where, value, f"it may have {', '.join(_SEQUENCE)}")
    start = _number(value, "start", where, known)
    end, count = _number(value, "end", where, known), _number(value, "count", where, known)
    if (end is None) == (count is None):
        raise wrong_field(Refused, where, dict(value), "it must have either end or count")
    first = start or 0
    if count is not None:
        if not 0 <= count <= MOST_ITEMS:
            raise _too_many(where, count)
        numbers = range(first, first + count)
    else:
        assert end is not None
        if abs(end - first) >= MOST_ITEMS:
            raise _too_many(where, abs(end - first) + 1)
        numbers = range(first, end + 1) if first <= end else range(first, end - 1, -1)
    how = _format(value.get("format"), len(numbers), where)
    return [how % one for one in numbers]


def _number(value: Mapping[str, Any], key: str, where: str, known: Bindings) -> int | None:
    if value.get(key) is None:
        return None
    text = value_of(value[key], known)
    if text is None:
        raise wrong_field(Refused, f"{where}.{key}", value[key], _KNOWN_BEFORE)
    if not _NUMBER.fullmatch(text):
        raise wrong_field(Refused, f"{where}.{key}", text, "it must be a whole number")
    return int(text)


def _format(how: Any, count: int, where: str) -> str:
    """A format, in Go, of so many numbers: one that means the same in Python."""
    if how is None:
        return "%d"
    if not isinstance(how, str) or not _FORMAT.fullmatch(how):
        raise wrong_field(Refused, f"{where}.format", how, "it must be a format for one number, such as %03d")
    if len(how) * count > LONGEST_ITEMS:
        expected = f"all items together may have {LONGEST_ITEMS} characters, and there are {count}"
        raise wrong_field(Refused, f"{where}.format", how, expected)
    return how


def _too_many(where: str, count: int) -> Refused:
    return Refused(f"{where}: it has {count} items, and may have 1 to {MOST_ITEMS}", field=where)
