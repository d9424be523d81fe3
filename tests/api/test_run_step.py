"""The step `run`: which Workflow it begins, that it begins it once, and what it says of it."""

from typing import Any, cast

import pytest

from tests.support.api_objects import Front, Object, asking, known
from tests.support.objects import row
from webhook.api.bodies import RunStep
from webhook.api.limits import ConcurrencyLimit
from webhook.api.rights import Rights
from webhook.api.run_step import RunSteps, reply_of, sub_workflow
from webhook.errors import BadRequest, ClusterUnavailable, Forbidden
from webhook.kube.client import Cluster
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool

SPEC = {"workflowTemplateRef": {"name": "job"}}
RUN: Object = {"workflow": {"spec": SPEC}}


@pytest.fixture(autouse=True)
def _nothing_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placements, "by_origin", lambda *_: None)


def _ask(front: Front, run: Object = RUN, requester: Object | None = None) -> Object:
    cluster = cast("Cluster", front)
    steps = RunSteps(cluster, cast("Pool", None), ConcurrencyLimit(1), Rights(cluster))
    return dict(steps.answer(known(requester or front.workflows["parent"]), run)["node"])


def _made(run: Object = RUN, requester: Object | None = None) -> Object:
    return sub_workflow(known(requester or asking()), RunStep.model_validate(run))


def test_however_often_it_is_asked_it_begins_one_workflow_owned_by_its_parent() -> None:
    front = Front(asking())
    assert {_ask(front)["phase"] for _ in range(3)} == {"Running"}
    [created] = front.created
    assert created["metadata"]["ownerReferences"] == [
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "parent", "uid": "u0"}
    ]
    assert created["metadata"]["labels"] == {"medea.dev/parent": "parent", "medea.dev/parent-uid": "u0"}
    assert created["metadata"]["annotations"]["medea.dev/identity"] == "system:serviceaccount:ns:steps"
    assert created["spec"] == SPEC


def test_a_create_whose_answer_was_lost_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    front = Front(asking())
    create = front.create

    def lost(*words: Any, **options: Any) -> Object:
        made = create(*words, **options)
        if "spec" in made:
            raise ClusterUnavailable("the answer was lost")
        return made

    monkeypatch.setattr(front, "create", lost)
    with pytest.raises(ClusterUnavailable):
        _ask(front)
    assert _ask(front)["phase"] == "Running"
    assert len(front.created) == 1


def test_one_that_somebody_deleted_is_not_begun_again() -> None:
    front = Front(asking())
    _ask(front)
    del front.workflows[front.created[0]["metadata"]["name"]]
    answer = _ask(front)
    assert answer["phase"] == "Error" and "deleted" in answer["message"]
    assert len(front.created) == 1


def test_two_questions_of_one_step_at_once_follow_the_one_that_was_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first finds nothing; the second begins it, and it is placed; only then the first looks into the ledger."""
    front = Front(asking())

    def second(*_: object) -> Placement:
        monkeypatch.setattr(placements, "by_origin", lambda *_: None)
        _ask(front)
        [created] = front.created
        return row(name=created["metadata"]["name"], origin_uid=created["metadata"]["uid"], phase=None)

    monkeypatch.setattr(placements, "by_origin", second)
    answer = _ask(front)
    assert answer["phase"] == "Running" and len(front.created) == 1


def test_one_that_is_gone_before_it_ended_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placements, "by_origin", lambda *_: row(origin_uid="u", phase=None))
    answer = _ask(Front(asking()))
    assert answer["phase"] == "Error" and "deleted before it ended" in answer["message"]


def test_names_differ_by_call_and_attempt_and_parent_and_stay_short() -> None:
    runs = [RUN, {**RUN, "call": "second"}, {"workflow": {"spec": SPEC, "metadata": {"generateName": "x" * 200}}}]
    names = [_made(run)["metadata"]["name"] for run in runs]
    names.append(_made(requester=asking(startedAt="2026-01-02T00:00:00Z"))["metadata"]["name"])
    names.append(_made(requester={**asking(), "metadata": {**asking()["metadata"], "uid": "u1"}})["metadata"]["name"])
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 63
    assert names[0].startswith("parent-")
    assert _made({"workflow": {"spec": SPEC, "metadata": {"name": "mine"}}})["metadata"]["name"].startswith("mine-")


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"medea.dev/placement": "x"}},
        {"annotations": {"medea.dev/identity": "somebody-else"}},
        {"annotations": {"medea.dev/verbs": "[]"}},
        {"namespace": "another"},
        {"name": "Not_A_Name"},
    ],
)
def test_it_may_not_carry_what_is_medeas_own_or_leave_its_namespace(metadata: Object) -> None:
    with pytest.raises(BadRequest, match=r"plugin\.medea\.run"):
        _made({"workflow": {"spec": SPEC, "metadata": metadata}})


def test_what_a_user_may_ask_of_medea_it_may_ask_too() -> None:
    marks = {"medea.dev/clusters": "west", "team": "blue"}
    made = _made({"workflow": {"spec": SPEC, "metadata": {"annotations": marks}}})
    assert made["metadata"]["annotations"].items() >= marks.items()


@pytest.mark.parametrize(
    "run", [{}, {"workflow": {}}, {"workflow": {"spec": {}}}, {**RUN, "nmae": "x"}, {"workflow": "x"}]
)
def test_a_call_that_is_none_is_refused(run: Object) -> None:
    with pytest.raises(BadRequest):
        _ask(Front(asking()), run)


def test_an_account_that_may_not_create_workflows_begins_none() -> None:
    front = Front(asking(), allowed=frozenset())
    with pytest.raises(Forbidden, match="create"):
        _ask(front)
    assert front.created == []


@pytest.mark.parametrize("ending", [{"phase": "Failed"}, {"spec": {"shutdown": "Stop"}}])
def test_a_parent_that_is_ending_begins_nothing(ending: Object) -> None:
    parent = asking()
    parent["spec"] |= ending.get("spec", {})
    parent["status"] |= {key: text for key, text in ending.items() if key != "spec"}
    front = Front(parent)
    assert _ask(front)["phase"] == "Failed"
    assert front.created == []


def test_a_name_that_somebody_else_has_is_an_error() -> None:
    front = Front(asking())
    name = _made()["metadata"]["name"]
    front.workflows[name] = {"metadata": {"name": name, "namespace": "ns", "uid": "other"}, "spec": {}}
    assert _ask(front)["phase"] == "Error"


def test_its_end_is_the_steps_end_with_its_outputs() -> None:
    child = _made()
    name = child["metadata"]["name"]
    child["metadata"]["annotations"]["medea.dev/cluster"] = "west"
    root_outputs = {
        "result": "7",
        "parameters": [{"name": "pi", "value": "3.14", "globalName": "pi", "valueFrom": {"path": "/x"}}],
        "artifacts": [{"name": "log", "s3": {"key": "a/b"}, "globalName": "log"}],
    }
    child["status"] = {
        "phase": "Succeeded",
        "nodes": {name: {"outputs": root_outputs}},
        "outputs": {"parameters": [{"name": "pi", "value": "3"}, {"name": "e", "value": "2.72"}]},
    }
    answer = reply_of(child)
    assert "requeue" not in answer
    assert answer["node"] == {
        "phase": "Succeeded",
        "message": f"{name} on west",
        "outputs": {
            "result": "7",
            "parameters": [{"name": "pi", "value": "3.14"}, {"name": "e", "value": "2.72"}],
            "artifacts": [{"name": "log", "s3": {"key": "a/b"}}],
        },
    }


@pytest.mark.parametrize(
    ("marks", "status", "words"),
    [
        ({"medea.dev/state": "queued", "medea.dev/reason": "no room"}, {}, "queued: no room"),
        ({"medea.dev/cluster": "west"}, {"phase": "Running", "progress": "1/3"}, "on west, 1/3 done"),
        ({}, {}, "parent-"),
    ],
)
def test_while_it_runs_the_step_says_where_and_how_far(marks: Object, status: Object, words: str) -> None:
    child = _made()
    child["metadata"]["annotations"] |= marks
    answer = reply_of({**child, "status": status})
    assert answer["node"]["phase"] == "Running" and answer["requeue"]
    assert words in answer["node"]["message"]
