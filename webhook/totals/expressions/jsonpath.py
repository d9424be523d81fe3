"""The paths into JSON that Argo's `jsonpath` takes, as far as they are plain: `$.name`, `$['name']`, `$[0]`, `$[*]`."""

import re

from webhook.model.bounded_json import read_json
from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.values import Value

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*)|\[(?P<index>[0-9]{1,6})\]|\[(?P<quote>['"])(?P<key>[^'"\\]*)(?P=quote)\]|(?P<all>\[\*\]|\.\*)""",
    re.ASCII,
)
_MOST_STEPS = 20


def queried(text: str, path: str) -> Value:
    """What lies at the path; numbers are floats, as in Go. Raises Doubt."""
    return _followed([as_floats(from_json(text))], _steps(path))


def from_json(text: str) -> Value:
    """What a JSON text says. Raises Doubt if it is none."""
    try:
        found: Value = read_json(text.encode())
    except ValueError as error:
        raise Doubt from error
    return found


def as_floats(value: Value) -> Value:
    """The value with all numbers as floats. Raises Doubt for a number that is no float."""
    if isinstance(value, list):
        return [as_floats(one) for one in value]
    if isinstance(value, dict):
        return {key: as_floats(one) for key, one in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > 1 << 53:
            raise Doubt
        return float(value)
    return value


def _steps(path: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    at = 1
    while path.startswith("$") and at < len(path) and len(found) < _MOST_STEPS:
        match = _STEP.match(path, at)
        if match is None:
            raise Doubt
        found.append(match)
        at = match.end()
    if at != len(path):
        raise Doubt
    return found


def _followed(values: list[Value], steps: list[re.Match[str]]) -> Value:
    many = False
    for step in steps:
        if step["all"]:
            if many or not all(isinstance(one, list) for one in values):
                raise Doubt
            values, many = [inner for one in values if isinstance(one, list) for inner in one], True
        else:
            values = [_below(one, step) for one in values]
    return values if many else values[0]


def _below(value: Value, step: re.Match[str]) -> Value:
    if step["index"] is not None:
        place = int(step["index"])
        if not isinstance(value, list) or place >= len(value):
            raise Doubt
        return value[place]
    key = step["name"] or step["key"]
    if not isinstance(value, dict) or key not in value:
        raise Doubt
    return value[key]
