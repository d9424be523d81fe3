"""Each origin shows its run as its own hold has it: grafted beside the stub's nodes, or whole."""

from typing import Any

import pytest

from tests.controller.origin_status.test_merge import applied
from tests.support.objects import MOMENT, origin, row, run
from webhook.controller.origin_status.by_hold import final_patch, outcome_of, running_patch, shown_ids
from webhook.model.contract import Hold, State
from webhook.model.objects import Object

GRAFTED = {"job", "job-1", "medea-job", "medea-job-9"}
OWN = {"job", "job-9"}


@pytest.mark.parametrize(("hold", "nodes"), [(Hold.PLUGIN, GRAFTED), (Hold.NONE, OWN)])
def test_the_hold_decides_which_nodes_an_origin_has_while_its_run_lives_and_at_its_end(
    hold: Hold, nodes: set[str]
) -> None:
    there = {**run(), "spec": {}}
    living = applied(origin(), running_patch(origin(), row(hold=hold), there))
    assert living["status"]["nodes"].keys() == nodes
    ended = row(hold=hold, state=State.ENDED, phase="Succeeded", ended_at=MOMENT)
    over = {**run("Succeeded"), "spec": {}}
    shown = applied(living, final_patch(living, ended, outcome_of(over, ended), over))
    assert shown["status"]["nodes"].keys() == nodes
    assert shown["status"]["phase"] == "Succeeded"
    assert shown_ids(over, ended).keys() == nodes - ({"job", "job-1"} if hold is Hold.PLUGIN else set())


def labelled(**metadata: Any) -> Object:
    """A run whose Argo has labelled it, as its spec wanted."""
    there = run(
        "Running",
        labels={"team": "blue", "job": "nightly", "medea.dev/placement": "p", "own": "x", "sneaked": "y"},
        annotations={"note": "from spec", "workflows.argoproj.io/pod-name-format": "v1", "aside": "y"},
    )
    wanted = {
        "labels": {"team": "blue", "medea.dev/placement": "another", "workflows.argoproj.io/completed": "true"},
        "labelsFrom": {"job": {"expression": "workflow.parameters.job"}, "never": {"expression": "'x'"}},
        "annotations": {"note": "from spec"},
    }
    return {**there, "spec": {"workflowMetadata": wanted}, **metadata}


@pytest.mark.parametrize("hold", list(Hold))
@pytest.mark.parametrize("ended", [False, True], ids=["living", "ended at once"])
def test_labels_and_annotations_that_the_runs_argo_has_set_are_shown_and_nothing_else(hold: Hold, ended: bool) -> None:
    there, before = labelled(), origin()
    before["metadata"]["annotations"] = {"medea.dev/placement": "p"}
    if ended:
        over = row(hold=hold, state=State.ENDED, phase="Succeeded", ended_at=MOMENT)
        patch = final_patch(before, over, outcome_of(there, over), there)
    else:
        patch = running_patch(before, row(hold=hold), there)
    metadata = applied(before, patch)["metadata"]
    assert {key: metadata["labels"].get(key) for key in ("team", "job")} == {"team": "blue", "job": "nightly"}
    assert not {"own", "sneaked", "never", "medea.dev/placement"} & metadata["labels"].keys()
    assert metadata["labels"].get("workflows.argoproj.io/completed", "false") == str(ended).lower()
    assert metadata["annotations"]["note"] == "from spec"
    # How its pods are named is not for the front door's Argo to say, and that says nothing of what ends at once.
    assert metadata["annotations"]["workflows.argoproj.io/pod-name-format"] == "v1"
    assert "aside" not in metadata["annotations"]
    assert metadata["annotations"]["medea.dev/placement"] == "p"


@pytest.mark.parametrize("hold", list(Hold))
def test_a_workflow_template_labels_its_workflows_too(hold: Hold) -> None:
    there = labelled()
    there["status"]["storedWorkflowTemplateSpec"] = there.pop("spec")
    shown = applied(origin(), running_patch(origin(), row(hold=hold), {**there, "spec": {}}))
    assert shown["metadata"]["labels"]["team"] == "blue"


@pytest.mark.parametrize("odd", [None, 7, [], {"labels": 7, "annotations": ["x"]}, {"labelsFrom": "x"}])
def test_wishes_of_any_shape_are_passed_over(odd: Any) -> None:
    there = {**run(), "spec": {"workflowMetadata": odd}}
    assert "team" not in applied(origin(), running_patch(origin(), row(), there))["metadata"].get("labels", {})


def test_why_argo_lets_a_run_wait_is_said_until_it_begins() -> None:
    message = "Waiting for ns/Mutex/table lock. Lock status: 0/1"
    waiting = {**run("Pending"), "spec": {}}
    waiting["status"] = {"phase": "Pending", "message": message}
    shown = applied(origin(), running_patch(origin(), row(), waiting))
    assert shown["metadata"]["annotations"]["medea.dev/reason"] == f"west: {message}"
    begun = applied(shown, running_patch(shown, row(), {**run(), "spec": {}}))
    assert "medea.dev/reason" not in begun["metadata"]["annotations"]


def test_whether_a_node_was_memoized_or_waits_for_a_lock_is_shown() -> None:
    there = {**run(), "spec": {}}
    extra = {
        "memoizationStatus": {"hit": True, "key": "k", "cacheName": "c"},
        "synchronizationStatus": {"waiting": "l"},
    }
    there["status"]["nodes"]["job-9"] |= extra
    shown = applied(origin(), running_patch(origin(), row(), there))
    assert extra.items() <= shown["status"]["nodes"]["medea-job-9"].items()
