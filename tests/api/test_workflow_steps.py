"""Steps about other Workflows: what each does, for whom, and that it does it once however often it is asked."""

from typing import Any, cast

import pytest

from tests.support.api_objects import ALLOWED, Argo, Front, Object, asking, gate, known, workflow
from webhook.api.rights import Rights
from webhook.api.workflow_steps import WorkflowSteps
from webhook.errors import ArgoServerUnavailable, BadRequest, Forbidden
from webhook.kube.client import Cluster
from webhook.ledger.pool import Pool

FAILED: Object = {"phase": "Failed", "finishedAt": "2026-01-01T00:05:00Z"}


def _others(front: Front, argo: Argo) -> WorkflowSteps:
    cluster = cast("Cluster", front)
    return WorkflowSteps(cluster, cast("Pool", None), cast("Any", argo), Rights(cluster), own=lambda: "Medea's own")


def _ask(front: Front, argo: Argo, verb: str, requester: Object | None = None, **arguments: Any) -> Object:
    asks = requester or asking()
    notes = front.workflows.get("parent", asks)["metadata"].get("annotations", {})
    asks["metadata"]["annotations"] = {**notes, **asks["metadata"].get("annotations", {})}
    front.workflows["parent"] = asks
    reply = _others(front, argo).answer(known(asks), verb, {"name": "job", **arguments})
    return dict(reply["node"])


@pytest.mark.parametrize("fails", ["before", "after"])
@pytest.mark.parametrize(
    ("verb", "found"),
    [
        ("retry", workflow(**FAILED)),
        ("resume", workflow(nodes={"g1": gate("g1")})),
        ("resume", workflow(spec={"suspend": True})),
        ("suspend", workflow()),
    ],
)
def test_a_question_that_is_repeated_after_a_lost_answer_is_done_once(fails: str, verb: str, found: Object) -> None:
    front = Front(found)
    argo = Argo(front, fails=fails)
    with pytest.raises(ArgoServerUnavailable):
        _ask(front, argo, verb)
    argo.fails = ""
    assert _ask(front, argo, verb)["phase"] == "Succeeded"
    assert _ask(front, argo, verb)["phase"] == "Succeeded"
    assert argo.done == [verb]


def test_a_retry_that_fails_again_at_once_is_not_repeated() -> None:
    front = Front(workflow(**FAILED))
    argo = Argo(front)
    assert _ask(front, argo, "retry")["phase"] == "Succeeded"
    front.workflows["job"]["status"] |= {"phase": "Failed", "finishedAt": "2026-01-01T00:10:02Z"}
    assert _ask(front, argo, "retry")["phase"] == "Succeeded"
    assert argo.done == ["retry"]


def test_a_resume_asked_for_twice_leaves_the_next_gate_shut() -> None:
    front = Front(workflow(nodes={"g1": gate("g1")}))
    argo = Argo(front)
    _ask(front, argo, "resume")
    front.workflows["job"]["status"]["nodes"]["g2"] = gate("g2")
    assert _ask(front, argo, "resume")["phase"] == "Succeeded"
    assert argo.done == ["resume"]


def test_another_call_and_another_attempt_of_the_parent_act_anew() -> None:
    front = Front(workflow(**FAILED))
    argo = Argo(front)
    for requester, call in ((asking(), ""), (asking(), "second"), (asking(startedAt="2026-01-02T00:00:00Z"), "")):
        front.workflows["job"]["status"] |= FAILED
        assert _ask(front, argo, "retry", requester, call=call)["phase"] == "Succeeded"
    assert argo.done == ["retry"] * 3


def test_only_what_has_ended_is_retried() -> None:
    front = Front(workflow())
    argo = Argo(front)
    answer = _ask(front, argo, "retry")
    assert answer["phase"] == "Failed" and "Running" in answer["message"]
    assert argo.done == []


def test_a_second_question_that_has_acted_meanwhile_is_no_failure_of_the_first() -> None:
    """The first finds a Workflow that has not ended; it ends, and the second retries it; then the first decides."""
    front = Front(workflow())
    argo = Argo(front)

    class Slow(Front):
        def find(self, kind: Any, namespace: str, name: str) -> Object | None:
            found = front.find(kind, namespace, name)
            if front.workflows["job"]["status"]["phase"] == "Running" and not argo.done:
                front.workflows["job"]["status"] |= FAILED
                assert _ask(front, argo, "retry")["phase"] == "Succeeded"
            return found

    assert _ask(Slow(), argo, "retry")["phase"] == "Running"
    assert _ask(front, argo, "retry")["phase"] == "Succeeded"
    assert argo.done == ["retry"]


@pytest.mark.parametrize(
    ("verb", "last"), [("delete", "Succeeded"), ("stop", "Failed"), ("terminate", "Failed"), ("suspend", "Failed")]
)
def test_another_workflow_that_has_the_name_by_now_is_left_alone(verb: str, last: str) -> None:
    front = Front(workflow(), allowed=ALLOWED | {"delete"})
    argo = Argo(front)
    _ask(front, argo, verb)
    done = list(argo.done)
    front.workflows["job"] = workflow()
    front.workflows["job"]["metadata"]["uid"] = "another"
    assert _ask(front, argo, verb)["phase"] == last
    assert argo.done == done and "job" in front.workflows


@pytest.mark.parametrize("verb", ["stop", "terminate"])
def test_a_stop_waits_until_the_workflow_has_ended_and_is_given_once(verb: str) -> None:
    front = Front(workflow())
    argo = Argo(front)
    assert [_ask(front, argo, verb)["phase"] for _ in range(2)] == ["Running", "Running"]
    front.workflows["job"]["status"] |= FAILED
    assert _ask(front, argo, verb)["phase"] == "Succeeded"
    assert argo.done == [verb]


def test_what_is_stopping_can_still_be_terminated() -> None:
    front = Front(workflow(spec={"shutdown": "Stop"}))
    argo = Argo(front)
    _ask(front, argo, "stop")
    _ask(front, argo, "terminate")
    assert argo.done == ["terminate"]


@pytest.mark.parametrize(
    ("verb", "right"),
    [
        ("get", "get"),
        ("delete", "delete"),
        ("stop", "patch"),
        ("terminate", "patch"),
        ("suspend", "update"),
        ("resume", "update"),
        ("retry", "update"),
    ],
)
def test_a_step_needs_the_right_of_its_workflows_own_account(verb: str, right: str) -> None:
    front = Front(workflow(), allowed=frozenset())
    with pytest.raises(Forbidden) as refused:
        _ask(front, Argo(front), verb)
    for word in ("steps", "parent", "job", right, "workflows of argoproj.io", "namespace ns"):
        assert word in refused.value.message
    [review] = front.reviews
    assert review["user"] == "system:serviceaccount:ns:steps"
    attributes = {"namespace": "ns", "verb": right, "group": "argoproj.io", "resource": "workflows", "name": "job"}
    assert review["resourceAttributes"] == attributes


def test_the_account_may_come_from_the_workflows_template() -> None:
    named = {**asking(storedWorkflowTemplateSpec={"serviceAccountName": "of-the-template"}), "spec": {}}
    assert known(named).account == "of-the-template"
    assert known({**asking(), "spec": {}}).account == "default"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"nodeSelector": "x"}, "nodeSelector"),
        ({"name": "../secrets"}, "plugin.medea.stop.name"),
        ({"name": 7}, "name"),
        ({"namespace": "another"}, "namespace"),
    ],
)
def test_an_argument_that_is_wrong_is_named(arguments: Object, field: str) -> None:
    front = Front(workflow())
    with pytest.raises(BadRequest, match=field):
        _ask(front, Argo(front), "stop", **arguments)
