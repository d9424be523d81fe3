"""Translates the call of Argo's agent into the question for Medea. Pure.

The agent sends `{"workflow": {"metadata": {name, namespace, uid}}, "template": {…, "plugin": {"medea": {VERB: {…}}}}}`,
and Medea gets `{"workflow": {name, namespace, uid}, "call": {VERB: {…}}}`.
"""

import json
from typing import Any

_SHOWN = 80
"""A wrong value is cut to this many characters in messages."""


class BadCall(Exception):
    """The body is not a call; the message names the field."""


def read(body: bytes) -> bytes | None:
    """The question for Medea; None if the template is for another plugin. Raises BadCall."""
    try:
        call = json.loads(body)
    except RecursionError:
        raise BadCall("the body is nested too deeply") from None
    except ValueError as error:
        raise BadCall(f"the body is not JSON: {error}") from None
    call = _object(call, "the body")
    metadata = _object(_object(call.get("workflow"), "workflow").get("metadata"), "workflow.metadata")
    workflow = {key: _text(metadata.get(key), f"workflow.metadata.{key}") for key in ("name", "namespace", "uid")}
    plugin = _object(_object(call.get("template"), "template").get("plugin"), "template.plugin")
    if "medea" not in plugin:
        return None
    verbs = _object(plugin["medea"], "template.plugin.medea")
    if len(verbs) != 1:
        found = ", ".join(map(_shown, verbs)) or "none"
        raise BadCall(f"template.plugin.medea must hold exactly one verb, such as track or run; it holds {found}")
    for verb, argument in verbs.items():
        _object(argument, f"template.plugin.medea.{verb[:_SHOWN]}")
    return _bytes({"workflow": workflow, "call": verbs})


def _bytes(question: dict[str, Any]) -> bytes:
    try:
        return json.dumps(question, allow_nan=False).encode()
    except ValueError:
        # Python reads NaN and 1e999, which JSON can't express.
        raise BadCall("template.plugin.medea holds a number that JSON cannot carry") from None
    except RecursionError:
        raise BadCall("template.plugin.medea is nested too deeply") from None


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadCall(f"{field} must be an object; it is {_shown(value)}")
    return value


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadCall(f"{field} must be a text that is not empty; it is {_shown(value)}")
    return value


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    # Only the type of what can be nested: its text may be as long as the body.
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value if not isinstance(value, str) else value[:_SHOWN])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
