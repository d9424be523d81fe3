"""What is asked for, checked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.errors import BadRequest, Missing, Refused, quoted, wrong_field
from webhook.kube.resources import is_name
from webhook.model.json_input import check_unique, parse_json
from webhook.model.limits.jobs import LARGEST_JOB_ID, LONGEST_JOB_NAME, MOST_POWER
from webhook.splitting.asked import AUTO, asked

_FIELDS = frozenset({"power", "powerNeeded", "name", "namespace", "split", "template"})


@dataclass(frozen=True)
class Asking:
    """A job that somebody asks for. `power` is in watt-seconds."""

    power: int
    name: str | None
    namespace: str
    split: str
    template: str


def asking(body: bytes, *, namespace: str | None, template: str) -> Asking:
    """What the body says, with these defaults. Raises BadRequest with the field that is wrong."""
    said = parse_json(body, pairs=check_unique)
    if not isinstance(said, dict):
        raise BadRequest('the body must be a JSON object such as {"power": 100}', field="body")
    unknown = sorted(set(said) - _FIELDS)
    if unknown:
        raise wrong_field(BadRequest, str(unknown[0])[:60], said[unknown[0]], "there is no such field")
    return Asking(
        _power(said),
        _optional_name(said, "name", LONGEST_JOB_NAME),
        _namespace(said, namespace),
        _split(said.get("split", AUTO)),
        _optional_name(said, "template") or template,
    )


def job_id(text: str) -> int:
    """The id of a job. Raises Missing: nothing else was ever given as one."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else 0
    if not 0 < number <= LARGEST_JOB_ID:
        raise Missing(f"there is no job {quoted(text)}: an id is a number")
    return number


def _power(said: Mapping[str, Any]) -> int:
    given = [one for one in ("power", "powerNeeded") if one in said]
    if len(given) != 1:
        raise wrong_field(BadRequest, "power", said.get("power"), "it must be there once, in watt-seconds")
    value = said[given[0]]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_POWER:
        raise wrong_field(BadRequest, given[0], value, f"it must be a whole number from 1 to {MOST_POWER} watt-seconds")
    return value


def _optional_name(said: Mapping[str, Any], field: str, longest: int = 253) -> str | None:
    value = said.get(field)
    if value is None:
        return None
    if not is_name(value) or len(value) > longest:
        expected = f"it must be lower-case letters, digits, - and ., {longest} at most"
        raise wrong_field(BadRequest, field, value, expected)
    return str(value)


def _namespace(said: Mapping[str, Any], default: str | None) -> str:
    found = _optional_name(said, "namespace", 63) or default
    if found is None:
        raise wrong_field(BadRequest, "namespace", None, "it must be there, since MEDEA_JOBS_NAMESPACE is not set")
    return found


def _split(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise wrong_field(BadRequest, "split", value, f'it must be "{AUTO}" or a number of chunks')
    try:
        asked(text)
    except Refused as error:
        raise wrong_field(BadRequest, "split", value, f'it must be "{AUTO}" or a number of chunks') from error
    return text
