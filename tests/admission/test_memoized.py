"""What a memoized resubmission brings along, as the run needs it."""

from typing import Any

from webhook.admission.memoized import memoized_nodes, own_memoized_nodes, with_status
from webhook.model.nodes import id_of

# As `argo resubmit --memoized` makes them of an origin whose run was on `west`: every name begins with the new one's.
COPIED: dict[str, dict[str, Any]] = {
    "new": {"id": "new", "name": "new", "type": "DAG", "children": ["new-1", "new-2"]},
    "new-1": {"id": "new-1", "name": "new.placement", "type": "Plugin", "boundaryID": "new"},
    "new-2": {
        "id": "new-2",
        "name": "new.west",
        "displayName": "west",
        "type": "Steps",
        "boundaryID": "new",
        "children": ["new-3"],
    },
    "new-3": {"id": "new-3", "name": "new.west[0]", "type": "StepGroup", "boundaryID": "new-2", "children": ["new-4"]},
    "new-4": {"id": "new-4", "name": "new.west[0].a", "type": "Skipped", "boundaryID": "new-2", "finishedAt": None},
    "new-5": {"id": "new-5", "name": "new.western", "type": "Pod", "boundaryID": "new"},
}


def test_the_graft_becomes_the_runs_own_tree_and_the_stubs_nodes_are_gone() -> None:
    nodes = memoized_nodes(COPIED, name="new", cluster="west")
    group, step = id_of("new", "new[0]"), id_of("new", "new[0].a")
    assert nodes.keys() == {"new", group, step}
    assert nodes["new"] == {"id": "new", "name": "new", "displayName": "new", "type": "Steps", "children": [group]}
    assert nodes[group] == {"id": group, "name": "new[0]", "type": "StepGroup", "boundaryID": "new", "children": [step]}
    assert nodes[step] == {"id": step, "name": "new[0].a", "type": "Skipped", "boundaryID": "new"}


def test_ids_are_argos_own() -> None:
    # Seen on a Workflow that Argo 3.7.4 ran.
    assert id_of("verb-6wr5k", "verb-6wr5k.a") == "verb-6wr5k-3541522879"


def test_a_status_counts_only_with_a_resubmission() -> None:
    nodes = {"a": {"type": "Skipped"}}
    marks = {"labels": {"workflows.argoproj.io/resubmitted-from-workflow": "old"}}
    assert own_memoized_nodes({"metadata": marks, "status": {"nodes": nodes}}) == nodes
    assert own_memoized_nodes({"metadata": {}, "status": {"nodes": nodes}}) == {}
    assert own_memoized_nodes({"metadata": marks, "status": {"nodes": nodes, "phase": "Failed"}}) == {}
    assert with_status({"status": {"phase": "Failed"}, "spec": {}}, {}) == {"spec": {}}
