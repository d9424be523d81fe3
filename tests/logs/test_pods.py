"""Which mirrored pods are made, changed and removed, and what they look like."""

import base64
import gzip
import json

import pytest

from tests.support.pods import created, facts, node, origin, pod
from webhook.logs.pods import Changes, plan


def names(changes: Changes) -> list[str]:
    return [body["metadata"]["name"] for body, _ in changes.create]


def test_a_pod_that_runs_is_mirrored_under_the_name_its_origin_shows() -> None:
    [(body, status)] = plan(facts(pod())).create
    assert body["metadata"]["name"] == "job-main-245259492"
    assert body["metadata"]["labels"]["workflows.argoproj.io/workflow"] == "job"
    assert body["metadata"]["ownerReferences"][0]["uid"] == "o1"
    assert status["phase"] == "Running"


def test_argos_controller_has_nothing_to_find_a_mirrored_pod_by() -> None:
    [(body, _)] = plan(facts(pod())).create
    marks = {**body["metadata"]["labels"], **body["metadata"]["annotations"]}
    assert [key for key in marks if key.startswith("workflows.argoproj.io/")] == ["workflows.argoproj.io/workflow"]
    assert "finalizers" not in body["metadata"]


def test_a_mirrored_pod_has_nothing_of_its_original_but_names_and_images() -> None:
    [(body, status)] = plan(facts(pod())).create
    text = json.dumps([body, status])
    assert [one["name"] for one in body["spec"]["containers"] + body["spec"]["initContainers"]] == ["main", "init"]
    for unwanted in ("SECRET", "volume", "podIP", "serviceAccountName"):
        assert unwanted not in text
    assert body["spec"]["nodeName"] == "medea-west"
    assert body["spec"]["terminationGracePeriodSeconds"] == 0


def test_a_pod_that_waits_is_not_mirrored_yet() -> None:
    assert plan(facts(pod(phase="Pending"))) == Changes((), [], [])


def test_a_pod_whose_node_the_origin_does_not_show_yet_waits_for_it() -> None:
    assert names(plan(facts(pod(), origin=origin()))) == []


def test_an_origin_that_shows_a_run_as_it_is_gives_the_pods_own_name() -> None:
    whole = origin(node("job-1", name="job.main"))
    assert names(plan(facts(pod(), origin=whole))) == ["job-main-3440491359"]


def test_nodes_that_are_packed_are_found() -> None:
    packed = base64.b64encode(gzip.compress(json.dumps({"medea-job-1": node()}).encode())).decode()
    large = {**origin(), "status": {"compressedNodes": packed}}
    assert names(plan(facts(pod(), origin=large))) == ["job-main-245259492"]


def test_a_run_whose_nodes_only_its_target_can_read_has_its_pods_own_names() -> None:
    run = {"metadata": {"name": "job"}, "status": {"offloadNodeStatusVersion": "fnv:1"}}
    assert names(plan(facts(pod(), origin=origin(), run=run))) == ["job-main-u1"]


def test_what_is_shown_truly_needs_nothing() -> None:
    [made] = plan(facts(pod())).create
    assert plan(facts(pod(), shown=[created(made)])) == Changes((), [], [])


def test_a_pod_that_has_ended_is_shown_as_ended() -> None:
    [made] = plan(facts(pod(message="waits"))).create
    [(shown, patch)] = plan(facts(pod(phase="Succeeded"), shown=[created(made)])).statuses
    assert shown["metadata"]["name"] == "job-main-245259492"
    assert patch == {"phase": "Succeeded", "message": None}


def test_a_pod_tried_again_under_the_same_name_replaces_the_one_before() -> None:
    [made] = plan(facts(pod("u1"))).create
    changes = plan(facts(pod("u2"), shown=[created(made)]))
    assert [one["metadata"]["uid"] for one in changes.delete] == ["m1"]
    assert names(changes) == [made[0]["metadata"]["name"]]


@pytest.mark.parametrize("gone", [{"pods": []}, {"origin": None}])
def test_a_mirrored_pod_goes_with_its_original_and_with_its_origin(gone: dict[str, object]) -> None:
    [made] = plan(facts(pod())).create
    changes = plan(facts(pod(), shown=[created(made)], **gone))
    assert ([one["metadata"]["uid"] for one in changes.delete], changes.create, changes.statuses) == (["m1"], (), [])


def test_a_mirrored_pod_that_somebody_deletes_is_let_go() -> None:
    [made] = plan(facts(pod())).create
    shown = created(made)
    shown["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert len(plan(facts(pod(), shown=[shown])).delete) == 1


def test_of_two_that_stand_for_the_same_pod_one_goes() -> None:
    [made] = plan(facts(pod())).create
    assert len(plan(facts(pod(), shown=[created(made, "m1"), created(made, "m2")])).delete) == 1
