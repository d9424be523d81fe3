"""What a verb changes on a run, and that it can be carried out twice."""

import datetime
from typing import Any

from tests.controller.origin_status.test_merge import applied
from tests.support.objects import run
from webhook.controller.origin_status.stub import shown_ids
from webhook.controller.verb_apply import Steering, steering
from webhook.model.nodes import nodes_of, pack
from webhook.model.verbs import Edit, Retry, Verb

Object = dict[str, Any]
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
ENDED = "2026-01-01T00:01:00Z"


def running(**spec: Any) -> Object:
    return {**run(), "spec": {"arguments": {"parameters": [{"name": "a", "value": "1"}]}, **spec}}


def failed() -> Object:
    thing = {**run("Failed"), "spec": {"shutdown": "Stop", "arguments": {"parameters": [{"name": "a", "value": "1"}]}}}
    thing["status"]["nodes"]["job-7"] = {"name": "job.onExit", "type": "Pod", "phase": "Succeeded"}
    thing["metadata"]["labels"]["workflows.argoproj.io/completed"] = "true"
    return thing


def steered(thing: Object, verb: Verb) -> Steering:
    return steering(thing, verb, shown_ids(thing), now=NOW)


def done(thing: Object, verb: Verb) -> Object:
    after: Object = applied(thing, steered(thing, verb).patch)
    return after


def test_a_shutdown_and_a_suspension_go_into_the_spec_once() -> None:
    after = done(running(), Verb("ann", shutdown="Stop", suspend=True))
    assert (after["spec"]["shutdown"], after["spec"]["suspend"]) == ("Stop", True)
    assert steered(after, Verb("ann", shutdown="Stop", suspend=True)) == Steering({})
    assert "suspend" not in done(after, Verb("ann", suspend=False))["spec"]


def test_what_comes_after_the_end_says_so_and_changes_nothing() -> None:
    assert steered(failed(), Verb("ann", suspend=True)) == Steering({}, too_late="the run had ended")


def test_a_node_is_edited_by_its_id_at_the_run_if_it_is_still_as_the_person_saw_it() -> None:
    resume = Verb("ann", edits={"medea-job-9": Edit("Running", {"phase": "Succeeded", "message": "me"})})
    after = done(running(), resume)
    assert nodes_of(after)["job-9"]["phase"] == "Succeeded"
    assert steered(after, resume) == Steering({})
    other = running()
    other["status"]["nodes"]["job-9"]["phase"] = "Failed"
    assert steered(other, resume) == Steering({}, too_late="the run had gone on meanwhile")


def test_outputs_that_were_set_with_a_node_become_the_runs() -> None:
    edits = {"medea-job-9": Edit("Running", {"phase": "Succeeded"})}
    after = done(running(), Verb("ann", edits=edits, outputs=({"name": "x", "value": "1"},)))
    assert after["status"]["outputs"]["parameters"] == [{"name": "x", "value": "1"}]


RETRY = Verb(
    "ann",
    removed=("medea-job-9",),
    edits={"medea-job": Edit("Failed", {"phase": "Running", "children": [], "finishedAt": None})},
    retry=Retry(ENDED, {"a": "2"}),
)


def test_a_retry_reopens_the_run_and_dooms_the_pods_of_what_runs_again() -> None:
    what = steered(failed(), RETRY)
    after = applied(failed(), what.patch)
    assert what.doomed == {"job-9", "job-7"}
    assert after["status"]["nodes"].keys() == {"job"}
    assert (after["status"].get("phase"), after["status"].get("finishedAt")) == (None, None)
    assert "shutdown" not in after["spec"]
    assert after["spec"]["arguments"]["parameters"] == [{"name": "a", "value": "2"}]
    assert after["metadata"]["finalizers"] == ["medea.dev/run"]
    assert "workflows.argoproj.io/completed" not in after["metadata"]["labels"]


def test_a_retry_is_done_once() -> None:
    after = done(failed(), RETRY)
    assert steered(after, RETRY) == Steering({})
    failed_again = failed()
    failed_again["status"]["finishedAt"] = "later"
    assert steered(failed_again, RETRY) == Steering({})


def test_packed_nodes_stay_packed() -> None:
    thing = failed()
    thing["status"]["compressedNodes"] = pack(thing["status"].pop("nodes"))
    after = done(thing, RETRY)
    assert not after["status"].get("nodes")
    assert nodes_of(after).keys() == {"job"}
    assert nodes_of(after)["job"]["phase"] == "Running"
