"""The AdmissionReview protocol. Reviews are untrusted input: every field is checked before use."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jsonpatch

from webhook.errors import AlreadyExists, BadRequest, MedeaError, wrong_field
from webhook.model.deadline import Clock, Deadline
from webhook.model.durations import go_duration
from webhook.model.json_input import check_storable, parse_json
from webhook.model.limits.admission import RETRY_AFTER, REVIEW_LONGEST, REVIEW_MARGIN, REVIEW_TIMEOUT
from webhook.model.objects import Object

# Checked later, where a refusal becomes an answer that the user can read.
_OBJECTS = ("object", "oldObject")
# Characters. kubectl cuts warnings after 256.
_LONGEST_WARNING = 250


@dataclass(frozen=True)
class Review:
    """What Medea needs of a request. `object` is the new Workflow, `old` the previous one; empty if absent."""

    uid: str
    operation: str
    kind: str
    namespace: str
    dry_run: bool
    user: str
    object: Object
    old: Object = field(default_factory=dict)
    field_manager: str = ""
    groups: tuple[str, ...] = ()


def decode(body: bytes) -> Review:
    """Read an AdmissionReview of `admission.k8s.io/v1`. Raises BadRequest with the field that is wrong."""
    review = _mapping("the body", parse_json(body))
    if review.get("kind") != "AdmissionReview":
        raise wrong_field(BadRequest, "kind", review.get("kind"), "it must be AdmissionReview")
    if review.get("apiVersion") != "admission.k8s.io/v1":
        raise wrong_field(BadRequest, "apiVersion", review.get("apiVersion"), "it must be admission.k8s.io/v1")
    request = _mapping("request", review.get("request"))
    who = _mapping("request.userInfo", request.get("userInfo"))
    check_storable(BadRequest, "request", {key: value for key, value in request.items() if key not in _OBJECTS})
    return Review(
        uid=_text("request.uid", request.get("uid")),
        operation=_text("request.operation", request.get("operation")),
        kind=_text("request.kind.kind", _mapping("request.kind", request.get("kind")).get("kind")),
        namespace=_text("request.namespace", request.get("namespace", ""), may_be_empty=True),
        dry_run=request.get("dryRun") is True,
        user=_text("request.userInfo.username", who.get("username")),
        object=_optional("request.object", request.get("object")),
        old=_optional("request.oldObject", request.get("oldObject")),
        field_manager=str(_optional("request.options", request.get("options")).get("fieldManager", "")),
        groups=_all_texts("request.userInfo.groups", who.get("groups")),
    )


def deadline_of(timeout: str | None, clock: Clock = time.monotonic) -> Deadline:
    """When a review must be answered. `timeout` is how long the apiserver waits, from its query `?timeout=10s`."""
    asked = go_duration(timeout or "") or 0.0
    seconds = asked if asked > 0 else REVIEW_TIMEOUT
    return Deadline.after(min(seconds, REVIEW_LONGEST) - REVIEW_MARGIN, clock)


def allow(review: Review, *, patch: Sequence[Object] = (), warnings: Sequence[str] = ()) -> Object:
    """The answer that allows the request, changed by a JSON Patch. Warnings are cut; the user sees them."""
    response: Object = {"uid": review.uid, "allowed": True}
    if patch:
        text = jsonpatch.JsonPatch(list(patch)).to_string()
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(text.encode()).decode()}
    if warnings:
        response["warnings"] = [line[:_LONGEST_WARNING] for line in warnings]
    return _envelope(response)


def deny(uid: str, error: MedeaError, *, again: bool = False) -> Object:
    """The answer that denies the request; the user sees the error's message. `again`: it is to be sent again soon."""
    reason = "AlreadyExists" if isinstance(error, AlreadyExists) else "Invalid" if error.status == 422 else ""
    status: Object = {"code": error.status, "reason": reason, "message": error.message}
    if again:
        status["details"] = {"retryAfterSeconds": RETRY_AFTER}
    return _envelope({"uid": uid, "allowed": False, "status": status})


def _envelope(response: Object) -> Object:
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def _mapping(field: str, value: Any) -> Object:
    if not isinstance(value, dict):
        raise wrong_field(BadRequest, field, value, "it must be a JSON object")
    return value


def _optional(field: str, value: Any) -> Object:
    return {} if value is None else _mapping(field, value)


def _all_texts(field: str, value: Any) -> tuple[str, ...]:
    if value is not None and not isinstance(value, list):
        raise wrong_field(BadRequest, field, value, "it must be a list of texts")
    return tuple(_text(f"{field}[{number}]", one, may_be_empty=True) for number, one in enumerate(value or ()))


def _text(field: str, value: Any, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or may_be_empty):
        raise wrong_field(BadRequest, field, value, "it must be a text")
    return value
