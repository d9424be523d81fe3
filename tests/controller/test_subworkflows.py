"""Sub-Workflows are stopped with their parents, and nobody else's are."""

from typing import Any, cast

import pytest

from webhook.controller.subworkflows import Subworkflows
from webhook.errors import NotThere
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.model.subworkflows import marked, parent_of, shutdown_with_parent

Object = dict[str, Any]


def _parent(*, spec: Object | None = None, **status: Any) -> Object:
    metadata = {"name": "parent", "namespace": "ns", "uid": "u0"}
    return {"metadata": metadata, "spec": spec or {}, "status": {"phase": "Running", **status}}


def _child(*, spec: Object | None = None, marks: Object | None = None, **status: Any) -> Object:
    metadata = marked({"annotations": marks or {}}, name="child", parent="parent", parent_uid="u0")
    metadata |= {"namespace": "ns", "uid": "u1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata, "spec": spec or {}, "status": {"phase": "Running", **status}}


FAILED: Object = {"phase": "Failed", "finishedAt": "2026-01-01T01:00:00Z"}


@pytest.mark.parametrize(
    ("parent", "child", "wanted"),
    [
        (_parent(), _child(), None),
        (_parent(spec={"shutdown": "Stop"}), _child(), "Stop"),
        (_parent(spec={"shutdown": "Terminate"}), _child(), "Terminate"),
        (_parent(**FAILED), _child(), "Stop"),
        (_parent(phase="Succeeded", finishedAt="2026-01-01T01:00:00Z"), _child(), "Stop"),
        (_parent(**FAILED), _child(phase="Succeeded"), None),
        (_parent(**FAILED), _child(spec={"shutdown": "Stop"}), None),
        (_parent(spec={"shutdown": "Terminate"}), _child(spec={"shutdown": "Stop"}), "Terminate"),
        (_parent(**FAILED), _child(spec={"shutdown": "Terminate"}), None),
        (_parent(**FAILED), _child(marks={"medea.dev/stopped-with-parent": "Stop"}), None),
        (_parent(**FAILED), _child(startedAt="2026-01-01T00:00:01Z"), "Stop"),
        (_parent(**FAILED), _child(startedAt="2026-01-01T02:00:00Z"), None),
    ],
)
def test_how_a_child_is_stopped_follows_from_its_parent(parent: Object, child: Object, wanted: str | None) -> None:
    assert shutdown_with_parent(child, parent) == wanted


def test_one_that_was_begun_in_the_moment_of_its_parents_end_is_stopped_too() -> None:
    child = _child(startedAt="2026-01-01T01:00:02Z")
    child["metadata"]["creationTimestamp"] = "2026-01-01T01:00:01Z"
    assert shutdown_with_parent(child, _parent(**FAILED)) == "Stop"


def test_a_resubmitted_copy_is_nobodys_sub_workflow() -> None:
    child = _child()
    assert parent_of(child) == ("parent", "u0")
    child["metadata"]["name"] = "child-x7k2p"
    assert parent_of(child) is None


class _Front:
    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.patches: list[tuple[str, Object, str]] = []

    def patch(self, _kind: object, _namespace: str, name: str, body: Object, *, manager: str) -> Object:
        if self.gone:
            raise NotThere("it is gone")
        self.patches.append((name, body, manager))
        return body


class _Seen:
    def __init__(self, *workflows: Object) -> None:
        self._workflows = {one["metadata"]["name"]: one for one in workflows}

    def get(self, _namespace: str, name: str) -> Object | None:
        return self._workflows.get(name)


def _children(front: _Front) -> tuple[Subworkflows, list[str]]:
    looked: list[str] = []
    return Subworkflows(cast("Cluster", front), looked.append), looked


def test_a_change_of_the_parent_is_a_reason_to_look_at_its_living_children() -> None:
    children, looked = _children(_Front())
    children.note(_parent(), gone=False)
    assert looked == []
    children.note(_child(), gone=False)
    looked.clear()
    children.note(_parent(spec={"shutdown": "Stop"}), gone=False)
    assert looked == children.living() == ["child/ns/child"]


@pytest.mark.parametrize(("change", "gone"), [({"phase": "Succeeded"}, False), ({}, True)])
def test_a_child_that_has_ended_or_is_gone_is_forgotten(change: Object, gone: bool) -> None:
    children, _ = _children(_Front())
    children.note(_child(), gone=False)
    children.note(_child(**change), gone=gone)
    assert children.living() == []


def test_a_child_is_stopped_as_a_person_would_and_marked_in_the_same_change() -> None:
    front = _Front()
    children, _ = _children(front)
    children.look_at("child/ns/child", cast("Informer", _Seen(_parent(**FAILED), _child())))
    [(name, body, manager)] = front.patches
    assert (name, body["spec"]) == ("child", {"shutdown": "Stop"})
    assert body["metadata"] == {"uid": "u1", "annotations": {"medea.dev/stopped-with-parent": "Stop"}}
    assert manager != "medea"


ANOTHER = {**_parent(**FAILED), "metadata": {"name": "parent", "uid": "u9"}}


@pytest.mark.parametrize("seen", [[], [_child()], [_parent(**FAILED)], [_child(), ANOTHER]])
def test_without_both_nothing_is_done(seen: list[Object]) -> None:
    front = _Front()
    children, _ = _children(front)
    children.look_at("child/ns/child", cast("Informer", _Seen(*seen)))
    assert front.patches == []


def test_a_child_that_is_gone_by_then_is_no_error() -> None:
    children, _ = _children(_Front(gone=True))
    children.look_at("child/ns/child", cast("Informer", _Seen(_parent(**FAILED), _child())))


@pytest.mark.parametrize(
    "odd", [{"status": {"phase": ["Failed"]}}, {"status": 7}, {"spec": "x", "status": None}, {"spec": {"shutdown": {}}}]
)
def test_a_child_of_any_shape_is_noted_and_those_beside_it_too(odd: Object) -> None:
    children, looked = _children(_Front())
    children.note({**_child(), **odd}, gone=False)
    children.note({**_parent(), **odd}, gone=False)
    assert looked == ["child/ns/child", "child/ns/child"]
    children.look_at("child/ns/child", cast("Informer", _Seen({**_parent(**FAILED), **odd}, {**_child(), **odd})))
