"""Reads JSON from the network and refuses what later code could not handle. Pure."""

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from webhook.errors import BadRequest, MedeaError, named, quoted, wrong_field
from webhook.model.bounded_json import is_deep
from webhook.model.limits.model import DEEPEST_JSON

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Model = TypeVar("Model", bound=BaseModel)


def parse_json(body: bytes, *, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Parse strict JSON: no NaN, no numbers beyond a double, no excessive nesting. Raises BadRequest.

    `pairs` makes each object of its keys and values, and may raise.
    """
    try:
        value = json.loads(body, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {quoted(str(error))}") from error
    if is_deep(value):
        raise BadRequest(f"the body is nested more than {DEEPEST_JSON} levels deep")
    return value


def check_unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """For `pairs`. Raises BadRequest for a key that is there twice: nobody knows which one counts."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise BadRequest(f"the key {quoted(name)} is there twice in one object", field=named(name))
        found[name] = value
    return found


def parse_model(body: bytes, model: type[Model]) -> Model:
    """Parse JSON and validate it as a `model`. Raises BadRequest with the first field that is wrong."""
    return as_model(parse_json(body), model, "the body")


def as_model(value: Any, model: type[Model], whole: str) -> Model:
    """Validate parsed JSON as a `model`; `whole` is what messages call it. Raises BadRequest, as `parse_model` does."""
    check_storable(BadRequest, whole, value)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or whole
        raise wrong_field(BadRequest, field, first.get("input"), first["msg"]) from error


def check_storable(error: type[MedeaError], field: str, value: Any) -> None:
    """Raise `error` for text that Postgres can't store: zero bytes and lone surrogates."""
    waiting: list[tuple[_Place | None, Any]] = [(None, value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str) and _UNSTORABLE.search(one):
            raise wrong_field(
                error, _where(field, place), one, "it must be text without zero bytes and lone surrogates"
            )
        if isinstance(one, dict):
            waiting += [((place, one, None), key) for key in one]
            waiting += [((place, one, key), inner) for key, inner in one.items()]
        elif isinstance(one, list):
            waiting += [((place, one, number), inner) for number, inner in enumerate(one)]


_Place = tuple[Any, dict[str, Any] | list[Any], str | int | None]
"""The parent place, the object or list it is in, and the key there; the key is None if the place is a key itself."""


def _where(field: str, place: _Place | None) -> str:
    """A place as a path. Built only for errors: the paths in a large object would take too much memory."""
    if place is None:
        return field
    around, holder, key = place
    where = _where(field, around)
    if key is None:
        return f"a key in {where}"
    if isinstance(holder, list):
        return f"{where}[{_called(holder[int(key)], int(key))}]"
    return f"{where}.{key}"


def storable(value: Any, *, levels: int = DEEPEST_JSON) -> Any:
    """The same JSON, with U+FFFD for what `check_storable` refuses: for what nobody can be asked to send again.

    Without what is nested deeper than `levels`: Python can't follow everything that a cluster may store.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return None
    if isinstance(value, list):
        return [storable(inner, levels=levels - 1) for inner in value]
    return {storable(key): storable(inner, levels=levels - 1) for key, inner in value.items()}


def _called(entry: Any, number: int) -> object:
    """An entry of a list as paths show it: its name if it has one, otherwise its number."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and not _UNSTORABLE.search(name) else number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{quoted(text)} is too large for a number")
    return number
