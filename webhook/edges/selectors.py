"""Which objects a request is about: label selectors, and fields by name. Pure."""

import re
from collections.abc import Mapping

from webhook.errors import BadRequest, wrong_field
from webhook.model.objects import Object, labels

_SET = re.compile(r"(?P<key>\S+)\s+(?P<how>in|notin)\s+\((?P<values>[^)]*)\)")


def selected(thing: Object, label_selector: str, field_selector: str = "") -> bool:
    """Whether an object is meant. Raises BadRequest for a selector that is not understood."""
    given = labels(thing)
    return all(_matches(given, term) for term in _terms(label_selector)) and all(
        _field(thing, term) for term in _terms(field_selector)
    )


def _terms(selector: str) -> list[str]:
    return [term.strip() for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _matches(given: Mapping[str, str], term: str) -> bool:
    found = _SET.fullmatch(term)
    if found:
        values = {one.strip() for one in found["values"].split(",")}
        return (given.get(found["key"]) in values) is (found["how"] == "in")
    for sign in ("!=", "==", "="):
        key, there, value = term.partition(sign)
        if there:
            return (given.get(key.strip()) == value.strip()) is (sign != "!=")
    return term[1:] not in given if term.startswith("!") else term in given


def _field(thing: Object, term: str) -> bool:
    key, there, value = term.partition("=")
    if not there or key not in ("metadata.name", "metadata.namespace"):
        raise wrong_field(BadRequest, "fieldSelector", term, "an edge knows metadata.name and metadata.namespace only")
    return bool(thing["metadata"].get(key.removeprefix("metadata.")) == value)
