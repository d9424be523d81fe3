"""Which mirrored pods are made, changed and removed, and when a pod on the target is."""

import base64
import gzip
import json

import pytest

from tests.support.pods import Object, facts, mirrored, node, origin, pod, whole
from webhook.logs.pods import Changes, plan
from webhook.model.nodes import fnv32a

DELETED: Object = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 7}
AGENT = {"workflows.argoproj.io/workflow": "job", "workflows.argoproj.io/component": "agent"}


def names(changes: Changes) -> list[str]:
    return [one.name for one in changes.create]


def agent() -> Object:
    """The pod of the run's agent, which stands for no node."""
    one = pod()
    return {**one, "metadata": {**one["metadata"], "name": "job-1-agent", "labels": AGENT, "annotations": {}}}


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded"])
def test_a_pod_is_mirrored_under_the_name_its_origin_shows(phase: str) -> None:
    assert names(plan(facts(pod(phase=phase)))) == ["job-main-245259492"]


def test_a_pod_whose_node_the_origin_does_not_show_yet_waits_for_it() -> None:
    assert names(plan(facts(pod(), origin=origin()))) == []


def test_the_stubs_own_root_is_not_taken_for_that_of_the_run_which_has_the_same_id() -> None:
    root = node("job", name="job", templateName="medea")
    assert names(plan(facts(pod(node="job"), origin=origin(root)))) == []
    grafted = node("medea-job", name="job.west")
    assert names(plan(facts(pod(node="job"), origin=origin(root, grafted)))) == [f"job-main-{fnv32a('job.west')}"]


def test_an_origin_that_shows_a_run_as_it_is_gives_the_pods_own_name() -> None:
    shown = whole(node("job-1", name="job.main"))
    assert names(plan(facts(pod(), origin=shown))) == ["job-main-3440491359"]


def test_a_run_with_another_name_than_its_origin_has_its_pods_shown_under_the_origins() -> None:
    run = {"metadata": {"name": "job-p1", "namespace": "ns"}}
    shown = whole(node("job-1", name="job.main"))
    assert names(plan(facts(pod(node="job-p1-1"), origin=shown, run=run))) == ["job-main-3440491359"]


def test_argos_agent_has_its_own_name_unless_the_front_door_has_one_too() -> None:
    assert names(plan(facts(agent(), origin=whole()))) == ["job-1-agent"]
    assert names(plan(facts(agent(), origin=origin()))) == ["medea-job-1-agent"]


def test_nodes_that_are_packed_are_found() -> None:
    packed = base64.b64encode(gzip.compress(json.dumps({"medea-job-1": node()}).encode())).decode()
    large = {**origin(), "status": {"compressedNodes": packed}}
    assert names(plan(facts(pod(), origin=large))) == ["job-main-245259492"]


def test_a_run_whose_nodes_only_its_target_can_read_has_its_pods_own_names() -> None:
    run = {"metadata": {"name": "job"}, "status": {"offloadNodeStatusVersion": "fnv:1"}}
    assert names(plan(facts(pod(), origin=origin(), run=run))) == ["job-main-u1"]


def test_what_is_shown_truly_needs_nothing() -> None:
    assert plan(facts(pod(), shown=[mirrored(pod())])) == Changes([], [], [], [], [])


def test_a_pod_that_has_ended_is_shown_as_ended_and_found_as_completed() -> None:
    ended = pod(phase="Succeeded")
    ended["metadata"]["labels"]["workflows.argoproj.io/completed"] = "true"
    changes = plan(facts(ended, shown=[mirrored(pod(message="waits"))]))
    [(shown, patch)] = changes.statuses
    assert shown["metadata"]["name"] == "job-main-245259492"
    assert patch == {"phase": "Succeeded", "message": None}
    assert [patch for _, patch in changes.marks] == [{"labels": {"workflows.argoproj.io/completed": "true"}}]


def test_a_pod_tried_again_under_the_same_name_replaces_the_one_before() -> None:
    changes = plan(facts(pod("u2"), shown=[mirrored(pod("u1"))]))
    assert [one["metadata"]["uid"] for one in changes.delete] == ["m1"]
    assert names(changes) == ["job-main-245259492"]


@pytest.mark.parametrize("gone", [{"pods": []}, {"origin": None}])
def test_a_mirrored_pod_goes_with_its_original_and_with_its_origin(gone: dict[str, object]) -> None:
    changes = plan(facts(pod(), shown=[mirrored(pod())], **gone))
    assert [one["metadata"]["uid"] for one in changes.delete] == ["m1"]
    assert not (changes.create or changes.marks or changes.statuses or changes.unwanted)


def test_whoever_deletes_a_mirrored_pod_deletes_its_original_and_sees_it_go_with_that() -> None:
    shown = mirrored(pod(), **DELETED)
    changes = plan(facts(pod(), shown=[shown]))
    assert [(one["metadata"]["uid"], grace) for one, grace in changes.unwanted] == [("u1", 7)]
    assert (changes.delete, changes.create) == ([], [])
    going = pod()
    going["metadata"] |= DELETED
    assert plan(facts(going, shown=[shown])) == Changes([], [], [], [], [])
    assert len(plan(facts(shown=[shown])).delete) == 1


def test_what_is_deleted_without_grace_deletes_nothing_though_it_is_seen_to_go() -> None:
    """The apiserver writes the mark, and then removes the pod: under load there is time to see it."""
    forced = mirrored(pod(), **{**DELETED, "deletionGracePeriodSeconds": 0})
    assert plan(facts(pod(), shown=[forced])) == Changes([], [], [], [], [])


def test_what_goes_with_its_workflow_was_not_deleted_by_anybody() -> None:
    going = origin(node())
    going["metadata"] |= DELETED
    assert plan(facts(pod(), origin=going, shown=[mirrored(pod(), **DELETED)])).unwanted == []


def disrupted(reason: str) -> Object:
    """A status that says why a cluster takes a pod away."""
    return {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": reason}]}


@pytest.mark.parametrize("reason", ["DeletionByTaintManager", "PreemptionByScheduler"])
def test_what_the_front_door_takes_away_by_itself_is_shown_anew_and_deletes_nothing(reason: str) -> None:
    """Its taint manager deletes all pods of a Node that was silent for minutes, such as while Medea was away."""
    shown = {**mirrored(pod(), **DELETED), "status": disrupted(reason)}
    changes = plan(facts(pod(), shown=[shown]))
    assert (changes.unwanted, len(changes.delete), names(changes)) == ([], 1, ["job-main-245259492"])


def test_an_eviction_is_somebodys_wish_and_so_is_a_delete_of_what_its_target_takes_away() -> None:
    evicted = {**mirrored(pod(), **DELETED), "status": disrupted("EvictionByEvictionAPI")}
    assert len(plan(facts(pod(), shown=[evicted])).unwanted) == 1
    original = pod(**disrupted("DeletionByTaintManager"))
    assert len(plan(facts(original, shown=[mirrored(original, **DELETED)])).unwanted) == 1


@pytest.mark.parametrize(
    "forged", [{"namespace": "other"}, {"ownerReferences": []}, {"ownerReferences": [{"uid": "nobody"}]}], ids=str
)
def test_what_somebody_made_up_is_removed_and_deletes_nothing(forged: Object) -> None:
    changes = plan(facts(pod(), shown=[mirrored(pod(), **{**DELETED, **forged})]))
    assert (len(changes.delete), changes.unwanted) == (1, [])


def test_of_two_that_stand_for_the_same_pod_one_goes() -> None:
    assert len(plan(facts(pod(), shown=[mirrored(pod(), "m1"), mirrored(pod(), "m2")])).delete) == 1


def test_a_pod_that_is_going_and_was_never_shown_is_not_shown_any_more() -> None:
    going = pod()
    going["metadata"] |= DELETED
    assert plan(facts(going)).create == []
