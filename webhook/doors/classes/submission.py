"""What `POST /submit-job` takes, read strictly: nothing is guessed, and nothing left out. Pure.

JSON's own parsers let `NaN`, `1e400` and a name that is there twice through, and pydantic takes `true` for 1.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from webhook.doors.classes.rules import Priority, Submission
from webhook.errors import BadRequest, quoted, wrong_field
from webhook.model.bounded_json import is_deep
from webhook.model.json_input import check_storable, check_unique
from webhook.model.limits.classes import LONGEST_NUMBER, LONGEST_RUNTIME, MOST_DATA, MOST_ROWS
from webhook.model.limits.model import DEEPEST_JSON

ROWS = ("rows", "nr_of_rows")
RUNTIME = ("estimated_runtime_sec", "estimated_runtime")
LATENCY = ("latency_sensitive", "latency_sensitivity")
_KNOWN = (*ROWS, *RUNTIME, "priority", *LATENCY, "data")
_PRIORITIES = ", ".join(Priority)
Value = TypeVar("Value")


def read_submission(body: bytes) -> Submission:
    """The job in a body. Raises BadRequest with the field that is wrong."""
    given = _parsed(body)
    if not isinstance(given, dict):
        raise wrong_field(BadRequest, "the body", given, "it must be a JSON object")
    for name in given:
        if name not in _KNOWN:
            raise wrong_field(BadRequest, name, given[name], f"there is no such field; there are {', '.join(_KNOWN)}")
    defaults = Submission()
    return Submission(
        rows=_either(given, ROWS, _rows, defaults.rows),
        runtime=_either(given, RUNTIME, _runtime, defaults.runtime),
        priority=_either(given, ("priority",), _priority, defaults.priority),
        latency_sensitive=_either(given, LATENCY, _yes_or_no, defaults.latency_sensitive),
        data=_either(given, ("data",), _data, defaults.data),
    )


def _either(
    given: Mapping[str, Any], names: tuple[str, ...], read: Callable[[str, Any], Value], default: Value
) -> Value:
    """A value that may have either of two names. Raises BadRequest if both are there and differ."""
    found = [(name, read(name, given[name])) for name in names if name in given]
    if not found:
        return default
    for name, value in found[1:]:
        if value != found[0][1]:
            expected = f"{found[0][0]} means the same, and is {quoted(given[found[0][0]])}"
            raise wrong_field(BadRequest, name, given[name], expected)
    return found[0][1]


def _rows(name: str, value: Any) -> int:
    number = _number(value)
    if number is None or number != math.floor(number) or not 0 <= number <= MOST_ROWS:
        raise wrong_field(BadRequest, name, value, f"it must be a whole number from 0 to {MOST_ROWS}")
    return int(number)


def _runtime(name: str, value: Any) -> float:
    number = _number(value)
    if number is None or not 0 <= number <= LONGEST_RUNTIME:
        raise wrong_field(BadRequest, name, value, f"it must be a number of seconds from 0 to {LONGEST_RUNTIME:.0f}")
    return float(number)


def _number(value: Any) -> int | float | None:
    """A finite number; None if it is none. `true` is none either, though Python takes it for 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _priority(name: str, value: Any) -> Priority:
    if not isinstance(value, str) or value not in list(Priority):
        raise wrong_field(BadRequest, name, value, f"it must be one of {_PRIORITIES}")
    return Priority(value)


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong_field(BadRequest, name, value, "it must be true or false")
    return value


def _data(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong_field(BadRequest, name, value, "it must be an object")
    check_storable(BadRequest, name, value)
    try:
        size = len(json.dumps(value, allow_nan=False))
    except ValueError:
        raise wrong_field(BadRequest, name, value, "the numbers in it must be finite") from None
    if size > MOST_DATA:
        raise wrong_field(BadRequest, name, value, f"it has {size} bytes, and may have {MOST_DATA}")
    return value


def _parsed(body: bytes) -> Any:
    """JSON in which `NaN`, `Infinity` and numbers that are too large are there as such, for the field to be named."""
    try:
        value = json.loads(body, parse_int=_whole, object_pairs_hook=check_unique)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {quoted(str(error))}") from error
    if is_deep(value):
        raise BadRequest(f"the body is nested more than {DEEPEST_JSON} levels deep")
    return value


def _whole(text: str) -> int | float:
    """Python reads no more digits than some, and takes long for many."""
    return int(text) if len(text) <= LONGEST_NUMBER else math.inf
