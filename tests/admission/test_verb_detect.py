"""What a person's change of an origin means for its run."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.objects import origin
from webhook.admission.verb_detect import spec_after, verb_between
from webhook.errors import Refused
from webhook.model.nodes import pack
from webhook.model.verbs import Edit, Verb

Object = dict[str, Any]

ASK = {"id": "medea-job-5", "name": "job.west.ask", "type": "Suspend", "phase": "Running", "startedAt": None}
STUB = {"entrypoint": "medea", "arguments": {"parameters": [{"name": "a", "value": 1}]}}


def placed(phase: str = "Running") -> Object:
    thing = origin()
    thing["spec"] = copy.deepcopy(STUB)
    thing["status"] |= {"phase": phase, "finishedAt": "then"}
    thing["status"]["nodes"]["medea-job-5"] = dict(ASK)
    return thing


def change(edit: Callable[[Object], Any], phase: str = "Running") -> Verb:
    before = placed(phase)
    after = copy.deepcopy(before)
    edit(after)
    return verb_between(before, after, user="ann", of_run=lambda node: node.startswith("medea-"))


@pytest.mark.parametrize("strategy", ["Stop", "Terminate"])
def test_a_shutdown_is_told_from_the_spec(strategy: str) -> None:
    assert change(lambda after: after["spec"].update(shutdown=strategy)) == Verb("ann", shutdown=strategy)


def test_a_shutdown_that_argo_does_not_know_is_refused_with_those_it_knows() -> None:
    with pytest.raises(Refused, match="'now': it must be one of Stop, Terminate"):
        change(lambda after: after["spec"].update(shutdown="now"))


def test_suspending_and_resuming_are_told_from_the_spec() -> None:
    assert change(lambda after: after["spec"].update(suspend=True)) == Verb("ann", suspend=True)
    suspended = placed()
    suspended["spec"]["suspend"] = True
    assert verb_between(suspended, placed(), user="ann", of_run=bool) == Verb("ann", suspend=False)


def test_a_resumed_node_is_an_edit_of_the_fields_that_changed() -> None:
    verb = change(lambda after: after["status"]["nodes"]["medea-job-5"].update(phase="Succeeded", message="me"))
    assert verb.edits == {"medea-job-5": Edit("Running", {"phase": "Succeeded", "message": "me"})}


def test_a_pod_that_a_controller_at_the_front_door_calls_missing_is_no_verb() -> None:
    before, after = placed(), placed()
    for one, phase in ((before, "Running"), (after, "Error")):
        one["status"]["nodes"]["medea-job-9"] = {"id": "medea-job-9", "type": "Pod", "phase": phase}
    assert not verb_between(before, after, user="argo", of_run=lambda node: node.startswith("medea-"))


def test_packed_nodes_are_compared_like_others() -> None:
    def resume(after: Object) -> None:
        nodes = after["status"].pop("nodes")
        nodes["medea-job-5"]["phase"] = "Succeeded"
        after["status"]["compressedNodes"] = pack(nodes)

    assert change(resume).edits.keys() == {"medea-job-5"}


def test_nodes_of_the_stub_are_none_of_the_runs_business() -> None:
    assert not change(lambda after: after["status"]["nodes"]["job-1"].update(phase="Failed"))


def test_labels_and_what_argo_writes_back_differently_are_no_verb() -> None:
    def rewrite(after: Object) -> None:
        after["metadata"]["labels"] = {"team": "blue"}
        after["spec"]["arguments"]["parameters"][0]["value"] = "1"
        after["spec"]["templates"] = None

    assert not change(rewrite)


def test_a_retry_removes_nodes_and_changes_parameters() -> None:
    def retry(after: Object) -> None:
        after["status"]["phase"] = "Running"
        del after["status"]["nodes"]["medea-job-5"]
        after["spec"]["arguments"]["parameters"] = [{"name": "a", "value": "2"}]

    verb = change(retry, phase="Failed")
    assert (verb.word, verb.removed) == ("retry", ("medea-job-5",))
    assert verb.retry is not None
    assert (verb.retry.ended, verb.retry.parameters) == ("then", {"a": "2"})


def test_nodes_can_not_be_removed_from_a_run_that_goes_on_nor_added() -> None:
    with pytest.raises(Refused, match="can't be removed while the Workflow runs"):
        change(lambda after: after["status"]["nodes"].pop("medea-job-5"))
    with pytest.raises(Refused, match="can't be added"):
        change(lambda after: after["status"]["nodes"].update({"medea-x": {}}))


def test_the_stub_keeps_its_spec_but_for_what_a_verb_changes() -> None:
    before = placed()
    after = copy.deepcopy(before)
    after["spec"] |= {"suspend": True, "shutdown": "Stop", "entrypoint": "mine"}
    verb = verb_between(before, after, user="ann", of_run=bool)
    assert spec_after(before, after, verb, shows_shutdown=False) == ({**STUB, "suspend": True}, ["entrypoint"])
    kept, _ = spec_after(before, after, verb, shows_shutdown=True)
    assert kept == {**STUB, "suspend": True, "shutdown": "Stop"}


def test_a_deadline_that_stays_as_it_was_is_told_unless_a_retry_has_taken_it_off() -> None:
    before = placed("Failed")
    before["spec"]["activeDeadlineSeconds"] = 0
    later, again = copy.deepcopy(before), copy.deepcopy(before)
    later["spec"]["activeDeadlineSeconds"] = 9
    del again["spec"]["activeDeadlineSeconds"]
    again["status"]["phase"] = "Running"
    for after, lost in ((later, ["activeDeadlineSeconds"]), (again, [])):
        verb = verb_between(before, after, user="ann", of_run=bool)
        assert spec_after(before, after, verb, shows_shutdown=True) == (before["spec"], lost)
