"""A review from the network is untrusted data."""

import base64
import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.admission.wire import allow, decode, deny
from webhook.errors import BadRequest, Refused


def review(**request: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u-1",
            "operation": "CREATE",
            "kind": {"group": "argoproj.io", "version": "v1alpha1", "kind": "Workflow"},
            "namespace": "ns",
            "userInfo": {"username": "ann"},
            "object": {"metadata": {}, "spec": {}},
            **request,
        },
    }


def body(**request: Any) -> bytes:
    return json.dumps(review(**request)).encode()


def test_a_review_is_read() -> None:
    read = decode(body(dryRun=True))
    assert (read.uid, read.operation, read.kind, read.namespace, read.user) == (
        "u-1",
        "CREATE",
        "Workflow",
        "ns",
        "ann",
    )
    assert read.dry_run


def test_the_groups_of_who_asks_are_read_and_must_be_texts() -> None:
    who = {"username": "ann", "groups": ["team-a", "system:authenticated"], "uid": "u", "extra": {"a": ["b"]}}
    assert decode(body(userInfo=who)).groups == ("team-a", "system:authenticated")
    assert decode(body(userInfo={"username": "ann", "groups": None})).groups == decode(body()).groups == ()
    wrong: list[Any] = ["team-a", {}, [1], [None], [["a"]]]
    for groups in wrong:
        with pytest.raises(BadRequest, match=r"userInfo\.groups"):
            decode(body(userInfo={"username": "ann", "groups": groups}))


def test_a_delete_has_no_object() -> None:
    assert decode(body(object=None, operation="DELETE")).object == {}


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"uid": ""}, "request.uid"),
        ({"uid": 7}, "request.uid"),
        ({"operation": None}, "request.operation"),
        ({"kind": "Workflow"}, "request.kind"),
        ({"namespace": 5}, "request.namespace"),
        ({"userInfo": {}}, "request.userInfo.username"),
        ({"object": [1]}, "request.object"),
    ],
)
def test_a_wrong_field_is_named(broken: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest, match=field):
        decode(body(**broken))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"kind": "Pod"}',
        b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1beta1"}',
        b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": []}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 300 + b"]" * 300,
        b"\xff\xfe",
    ],
)
def test_what_is_no_review_is_a_bad_request(text: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_in_place_of_the_request_is_a_bad_request(value: Any) -> None:
    broken = {**review(), "request": value}
    with pytest.raises(BadRequest):
        decode(json.dumps(broken).encode())


def test_an_allowed_review_carries_its_uid_the_patch_and_the_warnings() -> None:
    operations = [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]
    answer = allow(decode(body()), patch=operations, warnings=["placed on west"])
    response = answer["response"]
    assert (response["uid"], response["allowed"], response["warnings"]) == ("u-1", True, ["placed on west"])
    patch = jsonpatch.JsonPatch.from_string(base64.b64decode(response["patch"]).decode())
    assert patch.apply({"metadata": {}}) == {"metadata": {"labels": {"a": "b"}}}


def test_a_denied_review_tells_why() -> None:
    response = deny("u-1", Refused("too large"))["response"]
    assert response == {
        "uid": "u-1",
        "allowed": False,
        "status": {"code": 422, "reason": "Invalid", "message": "too large"},
    }
