"""Which Workflows carry a placement, whatever becomes of their marks."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from webhook.controller.watches import moment_for
from webhook.controller.workflow_index import WorkflowIndex
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.model.limits.controller import LONGEST_MOMENT, MOMENT_NODES
from webhook.model.limits.kube import MOMENT
from webhook.model.run import run_placement

Object = dict[str, Any]


def workflow(placement: str | None, name: str = "u1") -> Object:
    marks = {} if placement is None else {"medea.dev/placement": placement}
    return {"metadata": {"name": name, "namespace": "ns", "labels": marks}}


class Watched:
    """A target, the index of its runs, and the placements that the index has told of since the last look."""

    def __init__(self) -> None:
        self.target, self._changed = FakeApiserver("west"), list[str]()
        cluster = Cluster("west", Configuration(), http=self.target)
        self.runs = WorkflowIndex(
            cluster, placement_of=run_placement, changed=lambda placement, _: self._changed.append(placement)
        )
        self.look()

    def look(self) -> list[str]:
        """List, or hear of what has happened since."""
        self.runs.informer.step()
        told, self._changed[:] = self._changed[:], []
        return told


@pytest.fixture
def west() -> Watched:
    return Watched()


def test_every_workflow_that_carries_a_placement_is_known_by_it_until_it_is_gone(west: Watched) -> None:
    for name in ("u1", "u2"):
        west.target.put(WORKFLOWS, workflow("p1", name))
    assert west.look() == ["p1"] * 2
    assert [one["metadata"]["name"] for one in west.runs.carrying("p1")] == ["u1", "u2"]
    for name in ("u1", "u2"):
        west.target.remove(WORKFLOWS, "ns", name)
    assert west.look() == ["p1"] * 2
    assert (west.runs.carrying("p1"), west.runs.placements()) == ([], set())


@pytest.mark.parametrize("now", ["p2", None])
def test_a_workflow_whose_mark_was_changed_no_longer_counts_for_the_placement_it_had(
    now: str | None, west: Watched
) -> None:
    west.target.put(WORKFLOWS, workflow("p1"))
    west.look()
    west.target.put(WORKFLOWS, workflow(now))
    assert set(west.look()) == {"p1"} | ({now} if now else set())
    assert west.runs.carrying("p1") == []
    assert west.runs.placements() == ({now} if now else set())


def test_one_without_a_mark_is_nobodys(west: Watched) -> None:
    west.target.put(WORKFLOWS, workflow(None))
    assert west.look() == []
    assert west.runs.placements() == set()


def test_its_versions_change_whenever_it_does(west: Watched) -> None:
    west.target.put(WORKFLOWS, workflow("p1"))
    west.look()
    before = west.runs.versions()["p1"]
    west.target.put(WORKFLOWS, {**workflow("p1"), "status": {"phase": "Running"}})
    west.look()
    assert west.runs.versions()["p1"] != before


def test_a_listener_that_fails_does_not_keep_a_workflow_from_being_known() -> None:
    def fail(_: Object, __: bool) -> None:
        raise TypeError("nobody thought of this")

    cluster = Cluster("west", Configuration())
    runs = WorkflowIndex(cluster, placement_of=run_placement, changed=lambda *_: None, also=fail)
    thing = workflow("p1")
    thing["metadata"]["uid"] = "u1"
    with pytest.raises(TypeError):
        runs.note(thing, False)
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
