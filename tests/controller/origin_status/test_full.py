"""Under the hold `none` an origin shows its run's status whole, and nothing that is made up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.controller.origin_status.test_merge import applied, mappings
from tests.support.objects import MOMENT, origin, row, run
from webhook.controller.origin_status.full import final_patch, outcome_of, running_patch, shown_ids
from webhook.ledger.placement import Placement
from webhook.model.contract import Hold, State
from webhook.model.nodes import nodes_of, pack

ENDED = {"state": State.ENDED, "phase": "Failed", "message": "exit code 3", "ended_at": MOMENT}


def none_row(**changes: Any) -> Placement:
    return row(hold=Hold.NONE, **changes)


def bare() -> dict[str, Any]:
    """An origin that nobody has written a status of."""
    fresh = origin()
    del fresh["status"]
    return fresh


def test_a_running_origin_has_the_status_labels_and_pod_names_of_its_run() -> None:
    there = run(
        labels={"workflows.argoproj.io/phase": "Running", "workflows.argoproj.io/completed": "false"},
        annotations={"workflows.argoproj.io/pod-name-format": "v2"},
    )
    shown = applied(bare(), running_patch(bare(), none_row(), there))
    assert shown["status"] == there["status"]
    assert shown["metadata"]["labels"] == there["metadata"]["labels"]
    assert shown["metadata"]["annotations"]["workflows.argoproj.io/pod-name-format"] == "v2"
    assert shown["metadata"]["annotations"]["medea.dev/state"] == "running"


@given(mappings, mappings)
def test_whatever_was_shown_before_is_replaced_by_the_runs_status_and_shown_once(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    old, there = {**origin(), "status": before}, {**run(), "status": {**after, "phase": "Running", "nodes": {}}}
    shown = applied(old, running_patch(old, none_row(), there))
    assert shown["status"] == there["status"]
    assert running_patch(shown, none_row(), there) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": State.QUEUED, "cluster": None, "reason": "west: full"}, "west: full"),
        ({"state": State.RESERVED}, "placed on west, where its run is about to be created"),
        ({"state": State.RUNNING}, "waits for Argo's controller on west"),
    ],
)
def test_an_origin_without_a_run_is_pending_and_says_why_and_has_no_node(changes: dict[str, Any], message: str) -> None:
    shown = applied(bare(), running_patch(bare(), none_row(**changes), None))
    assert shown["status"] == {"phase": "Pending", "message": message}
    assert shown["metadata"]["labels"] == {
        "workflows.argoproj.io/phase": "Pending",
        "workflows.argoproj.io/completed": "false",
    }
    assert running_patch(shown, none_row(**changes), None) == {}


def test_what_a_memoized_resubmission_has_done_already_is_shown_before_the_run_begins() -> None:
    brought = run()
    brought["status"] = {"nodes": brought["status"]["nodes"]}
    shown = applied(bare(), running_patch(bare(), none_row(), brought))
    assert shown["status"]["nodes"] == brought["status"]["nodes"]
    assert shown["status"]["phase"] == "Pending"


def test_the_run_says_whether_the_origin_is_suspended_or_stopped() -> None:
    resumed = {**origin(), "spec": {"entrypoint": "main", "suspend": True}}
    stopped = {**run(), "spec": {"shutdown": "Stop"}}
    shown = applied(resumed, running_patch(resumed, none_row(), stopped))
    assert shown["spec"] == {"entrypoint": "main", "shutdown": "Stop"}


def test_what_a_person_has_just_asked_for_is_not_taken_back_while_it_is_on_its_way() -> None:
    asked = {**origin(annotations={"medea.dev/verbs": "[{}]"}), "spec": {"suspend": True}}
    assert "spec" not in running_patch(asked, none_row(), {**run(), "spec": {}})


def test_an_ended_origin_is_what_its_run_was_at_the_end() -> None:
    there = run("Failed")
    before = applied(bare(), running_patch(bare(), none_row(), run()))
    shown = applied(before, final_patch(before, none_row(**ENDED), outcome_of(there, "job", "west")))
    assert shown["status"] == there["status"]
    assert shown["metadata"]["labels"] == {
        "workflows.argoproj.io/phase": "Failed",
        "workflows.argoproj.io/completed": "true",
    }
    assert shown["metadata"]["annotations"]["medea.dev/state"] == "failed"
    assert final_patch(shown, none_row(**ENDED), outcome_of(there, "job", "west")) == {}


@pytest.mark.parametrize("last", [{}, outcome_of(run(), "job", "west")], ids=["nobody saw the run", "it was seen"])
def test_an_end_that_the_run_did_not_come_to_itself_leaves_nothing_running(last: dict[str, Any]) -> None:
    there = run()
    there["status"]["conditions"] = [{"type": "PodRunning", "status": "True"}]
    before = applied(bare(), running_patch(bare(), none_row(), there))
    gone = none_row(**{**ENDED, "phase": "Error", "message": "the run was deleted"})
    shown = applied(before, final_patch(before, gone, last))
    status = shown["status"]
    assert (status["phase"], status["message"]) == ("Error", "the run was deleted")
    assert status["finishedAt"] == "2026-01-01T00:00:00Z"
    assert {node["phase"] for node in status["nodes"].values()} == {"Error"}
    assert {"type": "Completed", "status": "True"} in status["conditions"]
    assert {"type": "PodRunning", "status": "True"} not in status["conditions"]
    assert final_patch(shown, gone, last) == {}


@pytest.mark.parametrize(("phase", "message"), [("Error", "no target takes it"), ("Failed", "Stopped by a person")])
def test_an_origin_that_never_had_a_run_ends_with_a_message_and_no_node(phase: str, message: str) -> None:
    waiting = applied(bare(), running_patch(bare(), none_row(state=State.QUEUED, cluster=None), None))
    refused = none_row(**{**ENDED, "phase": phase, "message": message, "cluster": None})
    status = applied(waiting, final_patch(waiting, refused, {}))["status"]
    assert (status["phase"], status["message"]) == (phase, message)
    assert status["startedAt"] == status["finishedAt"]
    assert "nodes" not in status


ids = st.integers(0, 9).map(lambda number: f"job-0a1b2c3d-{number}")


@given(st.dictionaries(ids, st.lists(ids, max_size=3), min_size=1), st.booleans())
def test_a_run_under_another_name_is_shown_as_the_same_tree_under_the_origins(
    tree: dict[str, list[str]], packed: bool
) -> None:
    nodes: dict[str, Any] = {
        node_id: {"id": node_id, "name": f"{node_id}.x", "displayName": "x", "children": children}
        for node_id, children in tree.items()
    }
    nodes["job-0a1b2c3d"] = {
        "id": "job-0a1b2c3d",
        "name": "job-0a1b2c3d",
        "displayName": "job-0a1b2c3d",
        "message": "child 'job-0a1b2c3d-1' failed",
    }
    there = run()
    there["metadata"]["name"] = "job-0a1b2c3d"
    there["status"] = {"phase": "Running", **({"compressedNodes": pack(nodes)} if packed else {"nodes": nodes})}
    status = outcome_of(there, "job", "west")
    shown = nodes_of({"status": status})
    assert shown["job"] == {"id": "job", "name": "job", "displayName": "job", "message": "child 'job-1' failed"}
    assert {node_id.replace("job-", "job-0a1b2c3d-"): node.get("children") for node_id, node in shown.items()} == {
        "job": None,
        **{
            node_id: [child.replace("job-0a1b2c3d-", "job-") for child in children]
            for node_id, children in tree.items()
        },
    }
    assert ("compressedNodes" in status) == packed
    assert shown_ids(there, "job") == {shown_id: shown_id.replace("job", "job-0a1b2c3d", 1) for shown_id in shown}


def test_nodes_in_the_database_of_a_targets_own_argo_are_one_node_that_says_so() -> None:
    there = run(name="job-0a1b2c3d")
    there["status"] = {"phase": "Running", "progress": "3/10", "offloadNodeStatusVersion": "fnv:1"}
    status = outcome_of(there, "job", "west")
    assert {key: text for key, text in status.items() if key != "nodes"} == {"phase": "Running", "progress": "3/10"}
    assert status["nodes"]["job"]["message"] == "its nodes are offloaded on west: 3/10 of them done"
    assert shown_ids(there, "job") == {}
