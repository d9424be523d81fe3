"""Whatever users and targets store in a Workflow, what reads it goes on: one object must not stop the others."""

import datetime
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hostile import ANYTHING, poisoned
from tests.support.objects import MOMENT, origin, row, run
from webhook.controller.create import has_placement_labels
from webhook.controller.facts import is_current_run, may_be_origin
from webhook.controller.origin_status.by_hold import final_patch, outcome_of, running_patch, shown_ids
from webhook.controller.origin_status.ttl import goes_at
from webhook.controller.plan import Facts, deleted_copies, plan
from webhook.controller.target_steps import as_steered
from webhook.controller.verb_apply import steering
from webhook.model.contract import VERBS, Hold, State
from webhook.model.finalizers import allow_deletion, block_deletion
from webhook.model.nodes import pack
from webhook.model.run import origin_placement, run_placement
from webhook.model.subworkflows import marked, parent_of, shutdown_with_parent
from webhook.model.verbs import Edit, Retry, Verb, pending, written

Object = dict[str, Any]
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
ENDED = "2026-01-01T00:01:00Z"
EDIT = Edit("Running", {"phase": "Succeeded", "children": ["medea-job"]})
VERB = [
    Verb("ann", shutdown="Stop", suspend=True),
    Verb("ann", edits={"medea-job-9": EDIT, "job-9": EDIT}, outputs=({"name": "x", "value": "1"},)),
    Verb("ann", retry=Retry(ENDED, {"a": "2"}), removed=("medea-job-9",), edits={"medea-job": EDIT}),
]
MORE = {
    "outputs": {"parameters": [{"name": "pi", "value": "3"}]},
    "conditions": [{"type": "Completed", "status": "False"}, {"type": "PodRunning", "status": "True"}],
    "artifactRepositoryRef": {"artifactRepository": {"s3": {"bucket": "b"}}},
    "storedWorkflowTemplateSpec": {"ttlStrategy": {"secondsAfterCompletion": 3}},
    "taskResultsCompletionStatus": {"job-9": True},
    "resourcesDuration": {"cpu": 3},
    "message": "child 'job-9' failed",
}
SPEC = {
    "suspend": True,
    "shutdown": "Stop",
    "arguments": {"parameters": [{"name": "a", "value": "1"}]},
    "ttlStrategy": {"secondsAfterSuccess": 1, "secondsAfterCompletion": 2},
}


def _rich(thing: Object, **status: Any) -> Object:
    there = thing["status"]
    for node in there["nodes"].values():
        node |= {"templateName": "main", "message": "child 'job-9' failed", "outboundNodes": ["job-9"]}
    return {**thing, "spec": SPEC, "status": {**there, **MORE, "finishedAt": ENDED, **status}}


def _packed(thing: Object) -> Object:
    return {**thing, "status": {**thing["status"], "nodes": None, "compressedNodes": pack(thing["status"]["nodes"])}}


METADATA: Object = {"deletionTimestamp": ENDED, "creationTimestamp": ENDED}
FAMILY = marked({"annotations": {}}, name="job", parent="parent", parent_uid="u0")
ORIGIN = _rich(origin(**FAMILY, **METADATA), phase="Failed")
ORIGIN["metadata"]["annotations"][VERBS] = written(VERB)
RUN = _rich(run("Failed", **METADATA, resourceVersion="8", finalizers=["medea.dev/run"]))
OFFLOADED = {**RUN, "status": {**RUN["status"], "nodes": None, "offloadNodeStatusVersion": "fnv:1"}}
OTHER_NAME = {**RUN, "metadata": {**RUN["metadata"], "name": "job-0a1b2c3d"}}

origins = poisoned(ORIGIN) | poisoned(_packed(ORIGIN))
runs = poisoned(RUN) | poisoned(_packed(RUN)) | poisoned(OFFLOADED) | poisoned(OTHER_NAME)
holds = st.sampled_from(Hold)


@given(origins, runs, holds, st.sampled_from(State))
def test_a_plan_is_made_for_any_origin_and_any_run(there: Object, here: Object, hold: Hold, state: State) -> None:
    placed = row(state=state, hold=hold)
    plan(Facts(placed, there, False, here, [("east", here)], [there]))
    deleted_copies(Facts(placed, there, False, here, copies=[there]))
    plan(Facts(None, there, False, None))
    for question in (may_be_origin, has_placement_labels, is_current_run):
        assert question(there, placed) in (True, False)
        assert question(here, placed) in (True, False)
    for one in (there, here):
        assert isinstance(origin_placement(one), str | None)
        assert isinstance(run_placement(one), str | None)
        json.dumps(allow_deletion(one))
        block_deletion(one["metadata"].get("finalizers"))
    as_steered({"spec": {}}, there)


@given(origins, runs, holds)
def test_any_run_is_shown_on_any_origin(there: Object, here: Object, hold: Hold) -> None:
    living = row(hold=hold)
    json.dumps(running_patch(there, living, here))
    outcome = outcome_of(here, living)
    ended = row(hold=hold, state=State.ENDED, phase="Failed", ended_at=MOMENT)
    json.dumps(final_patch(there, ended, outcome, here))
    json.dumps(final_patch(there, ended, {}, None))


@given(origins, ANYTHING, holds)
def test_an_end_of_any_shape_in_the_ledger_is_shown(there: Object, nodes: Any, hold: Hold) -> None:
    ended = row(hold=hold, state=State.ENDED, phase="Failed", ended_at=MOMENT)
    json.dumps(final_patch(there, ended, {"phase": nodes, "nodes": nodes, "conditions": nodes}, None))


@given(runs, holds, st.sampled_from(VERB))
def test_any_verb_is_done_to_any_run_or_is_too_late(here: Object, hold: Hold, verb: Verb) -> None:
    json.dumps(steering(here, verb, shown_ids(here, row(hold=hold)), now=NOW).patch)


@given(origins, origins)
def test_any_two_workflows_are_looked_at_as_parent_and_child(one: Object, other: Object) -> None:
    assert all(isinstance(word, str) for word in parent_of(one) or ())
    assert shutdown_with_parent(one, other) in (None, "Stop", "Terminate")


@given(origins)
def test_any_origin_has_a_moment_to_go_or_none(there: Object) -> None:
    moment = goes_at(there)
    assert moment is None or moment.tzinfo is not None


@given(ANYTHING)
@settings(max_examples=300)
def test_any_text_for_verbs_is_read_as_verbs_that_can_be_done_or_as_none(anything: Any) -> None:
    verb = {"user": "ann", "shutdown": anything, "suspend": anything, "edits": {"job-9": anything}, "retry": anything}
    for given_one in (anything, [anything], [verb], *([{"user": "ann", key: anything}] for key in verb)):
        there = origin(annotations={VERBS: json.dumps(given_one)})
        for one in pending(there):
            assert one.word is not None
            json.dumps(steering(RUN, one, shown_ids(RUN, row()), now=NOW).patch)
