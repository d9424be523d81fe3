"""Which Workflows carry a placement, whatever becomes of their marks."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from webhook.controller.watches import moment_for
from webhook.controller.workflow_index import WorkflowIndex
from webhook.kube.client import Cluster
from webhook.model.limits import LONGEST_MOMENT, MOMENT, MOMENT_NODES
from webhook.model.run import run_placement

Object = dict[str, Any]


def workflow(placement: str | None, uid: str = "u1") -> Object:
    marks = {} if placement is None else {"medea.dev/placement": placement}
    return {"metadata": {"name": uid, "namespace": "ns", "uid": uid, "labels": marks}}


def index() -> tuple[WorkflowIndex, list[str]]:
    changed: list[str] = []
    cluster = Cluster("west", Configuration())
    index = WorkflowIndex(cluster, placement_of=run_placement, changed=lambda placement, _: changed.append(placement))
    return index, changed


def test_every_workflow_that_carries_a_placement_is_known_by_it_until_it_is_gone() -> None:
    runs, changed = index()
    for uid in ("u1", "u2"):
        runs.note(workflow("p1", uid), False)
    assert [one["metadata"]["uid"] for one in runs.carrying("p1")] == ["u1", "u2"]
    runs.note(workflow("p1", "u1"), True)
    runs.note(workflow("p1", "u2"), True)
    assert (runs.carrying("p1"), runs.placements()) == ([], set())
    assert changed == ["p1"] * 4


@pytest.mark.parametrize("now", ["p2", None])
def test_a_workflow_whose_mark_was_changed_no_longer_counts_for_the_placement_it_had(now: str | None) -> None:
    runs, changed = index()
    runs.note(workflow("p1"), False)
    runs.note(workflow(now), False)
    assert runs.carrying("p1") == []
    assert runs.placements() == ({now} if now else set())
    assert set(changed[1:]) == {"p1"} | ({now} if now else set())


def test_one_without_a_mark_is_nobodys() -> None:
    runs, changed = index()
    runs.note(workflow(None), False)
    assert (runs.placements(), changed) == (set(), [])


def test_a_listener_that_fails_does_not_keep_a_workflow_from_being_known() -> None:
    def fail(_: Object, __: bool) -> None:
        raise TypeError("nobody thought of this")

    cluster = Cluster("west", Configuration())
    runs = WorkflowIndex(cluster, placement_of=run_placement, changed=lambda *_: None, also=fail)
    with pytest.raises(TypeError):
        runs.note(workflow("p1"), False)
    assert runs.placements() == {"p1"}


@pytest.mark.parametrize(
    ("status", "seconds"),
    [
        ({}, MOMENT),
        ({"nodes": ["odd"]}, MOMENT),
        ({"nodes": dict.fromkeys(map(str, range(MOMENT_NODES)))}, 2 * MOMENT),
        ({"nodes": dict.fromkeys(map(str, range(100 * MOMENT_NODES)))}, LONGEST_MOMENT),
        ({"compressedNodes": "x" * 100_000}, pytest.approx(5 * MOMENT)),
    ],
)
def test_what_changes_about_a_large_run_is_gathered_for_longer_and_never_for_a_second(
    status: Object, seconds: float
) -> None:
    assert moment_for({"status": status}) == seconds
    assert moment_for({"status": status}) < 1
