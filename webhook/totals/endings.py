"""Whether what a resource template creates has ended for certain when its step has."""

import re
from collections.abc import Mapping
from typing import Any

from webhook.model.objects import mapping
from webhook.totals.shape import Spec, text
from webhook.totals.tags import Bindings, filled

_REQUIREMENT = re.compile(r"\s*([\w.]+)\s*(?:(?:=|==)\s*(\w+)|\s+in\s*\(([\w\s,]+)\))\s*")
_WORKFLOW = ("status.phase", frozenset({"Succeeded", "Failed", "Error"}))
_SPARK = ("status.applicationState.state", frozenset({"COMPLETED", "FAILED"}))
_RUN_AGAIN = frozenset({"Always", "OnFailure"})


def has_ended(template: Spec, one: Mapping[str, Any], known: Bindings) -> bool:
    """Whether its step waits until this object has ended: every condition that may end the step says so.

    Without `successCondition` Argo waits for nothing. A step that may end for other reasons leaves its object running.
    """
    if any(template.get(key) is not None for key in ("timeout", "activeDeadlineSeconds")):
        return False
    if mapping(template.get("retryStrategy")).get("retryPolicy") not in (None, "OnFailure"):
        return False
    resource = mapping(template.get("resource"))
    success, failure = (text(resource.get(f"{kind}Condition")) for kind in ("success", "failure"))
    if success is None:
        return False
    field, ends = _end_of(one)
    # All requirements of success must hold, but any one of failure ends the step.
    met = any(_says_end(one, field, ends) for one in _requirements(filled(success, known)))
    return met and all(_says_end(one, field, ends) for one in _requirements(filled(failure or "", known)))


def _end_of(one: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """The field that says how an object goes on, and the values with which nothing of it runs any more."""
    if one.get("kind") != "SparkApplication":
        return _WORKFLOW
    field, ends = _SPARK
    policy = mapping(mapping(one.get("spec")).get("restartPolicy")).get("type")
    return field, ends if policy in _RUN_AGAIN else ends | {"SUBMISSION_FAILED"}


def _requirements(condition: str) -> list[str]:
    """The requirements of a condition, which commas outside of parentheses separate."""
    found = re.split(r",(?![^()]*\))", condition)
    return found if condition.strip() else []


def _says_end(requirement: str, field: str, ends: frozenset[str]) -> bool:
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None or match[1] != field:
        return False
    values = [match[2]] if match[2] else [value.strip() for value in match[3].split(",")]
    return all(value in ends for value in values)


def bounded_in_time(spec: Spec) -> bool:
    """Whether a deadline of the whole Workflow, or of all its templates, may end a step, whatever that waits for."""
    every = (spec, mapping(spec.get("templateDefaults")))
    return any(one.get("activeDeadlineSeconds") is not None or one.get("timeout") is not None for one in every)
