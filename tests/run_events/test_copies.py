"""Which Events are shown, and how."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from webhook.model.contract import COPIES
from webhook.model.limits.kube import LONGEST_EVENT
from webhook.model.limits.run_events import MOST_EVENTS, MOST_NOTES
from webhook.run_events.copies import copy_of, due, named_as_here, slim, version_of

Object = dict[str, Any]
ORIGIN = {"metadata": {"name": "a" * 250, "namespace": "ns", "uid": "o1"}}
REASONS = st.sampled_from(["WorkflowRunning", "WorkflowNodeFailed", "WorkflowNodeSucceeded", "WorkflowFailed"])


def event(number: int, reason: str, **fields: Any) -> Object:
    metadata = {"name": f"e{number}", "namespace": "ns", "uid": f"u{number}", "resourceVersion": str(number)}
    return slim({"metadata": metadata, "involvedObject": {"uid": "r1"}, "reason": reason, "message": "m", **fields})


def test_a_copy_has_a_name_of_its_own_that_is_always_the_same_and_never_too_long() -> None:
    first, second = event(1, "WorkflowRunning"), event(2, "WorkflowRunning")
    names = [copy_of(one, ORIGIN, "west")["metadata"]["name"] for one in (first, second, first)]
    assert names[0] == names[2] != names[1]
    assert all(len(name) <= 253 for name in names)


def test_an_event_keeps_argos_annotations_alone_and_no_more_words_than_an_apiserver_takes() -> None:
    notes = {"workflows.argoproj.io/node-name": "job", "other": "x"}
    raw = {
        "metadata": {"name": "e", "namespace": "ns", "uid": "u", "annotations": notes},
        "involvedObject": {"uid": "r1"},
        "reason": "WorkflowNodeFailed",
        "message": "m" * 5000,
        "eventTime": "2026-01-01T00:00:00.000000Z",
    }
    copy = copy_of(slim(raw), ORIGIN, "west")
    assert copy["metadata"]["annotations"] == {"workflows.argoproj.io/node-name": "job"}
    assert len(copy["message"]) == LONGEST_EVENT
    assert (copy["count"], copy["lastTimestamp"]) == (1, "2026-01-01T00:00:00.000000Z")


def test_nothing_of_an_event_is_long_that_an_apiserver_does_not_bound() -> None:
    """Of an Event as older clients make it, an apiserver checks neither reason nor type."""
    long = "x" * 100_000
    notes = {f"workflows.argoproj.io/{number}": long for number in range(1000)}
    metadata = {"name": "e", "namespace": "ns", "uid": "u", "annotations": notes}
    raw = {"metadata": metadata, "involvedObject": {"uid": "r1"}, "reason": long, "type": long, "message": long}
    assert len(json.dumps(slim(raw))) < (len(("reason", "type", "message")) + MOST_NOTES + 1) * LONGEST_EVENT


def test_an_event_names_the_users_own_templates() -> None:
    copy = "t-0123456789abcdef0123"
    run = {"metadata": {"name": "job", "annotations": {COPIES: json.dumps({copy: "WorkflowTemplate/t"})}}}
    told = event(1, "WorkflowFailed", message=f"template n not found in workflow template {copy}")
    assert named_as_here(told, run, ORIGIN)["message"] == "template n not found in workflow template t"


def test_an_event_names_the_workflow_and_its_nodes_as_they_are_called_here() -> None:
    """A run has another name where somebody's Workflow of its name is on the target already."""
    origin = {"metadata": {"name": "job", "namespace": "ns", "uid": "o1"}}
    notes = {"workflows.argoproj.io/node-name": "job-1f[0].a", "workflows.argoproj.io/node-type": "Pod"}
    metadata = {"name": "e", "namespace": "ns", "uid": "u", "annotations": notes}
    told = event(1, "WorkflowNodeFailed", metadata=metadata, message="Failed node job-1f[0].a: child 'job-1f-7' failed")
    shown = named_as_here(told, {"metadata": {"name": "job-1f"}}, origin)
    assert shown["message"] == "Failed node job[0].a: child 'job-7' failed"
    assert shown["metadata"] == {
        **told["metadata"],
        "annotations": {**notes, "workflows.argoproj.io/node-name": "job[0].a"},
    }
    assert named_as_here(told, {"metadata": {"name": "job"}}, origin) == told


@given(st.lists(REASONS, max_size=MOST_EVENTS * 2), st.data())
def test_what_was_written_is_not_due_and_what_concerns_the_whole_workflow_comes_first(
    reasons: list[str], data: st.DataObject
) -> None:
    events = [event(number, reason) for number, reason in enumerate(reasons)]
    done = data.draw(st.lists(st.sampled_from(events), unique_by=id)) if events else []
    left = due(events, {one["metadata"]["uid"]: version_of(one) for one in done})
    assert not [one for one in left if one in done]
    assert len(left) <= MOST_EVENTS
    whole = [not one["reason"].startswith("WorkflowNode") for one in left]
    assert whole == sorted(whole, reverse=True)
    if not done:
        assert len(left) == min(len(events), MOST_EVENTS)
