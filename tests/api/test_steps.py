"""What every step has in common, and the hold's own step, which follows a placement."""

from typing import Any, cast

import pytest

from tests.support.api_objects import Front, Object, asking, known, workflow
from tests.support.objects import row
from webhook.api.bodies import PluginBody
from webhook.api.replies import node
from webhook.api.rights import Rights
from webhook.api.steps import Steps, in_time
from webhook.api.tokens import Tokens
from webhook.errors import BadRequest, Forbidden
from webhook.kube.client import Cluster
from webhook.kube.resources import TOKEN_REVIEWS, Resource
from webhook.ledger import placements, reserving
from webhook.ledger.placement import NewPlacement
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.scout.model import Decision, Outcome
from webhook.totals.model import Totals

ID = "0123456789abcdef" * 2
PLACED = Decision(Outcome.PLACED, "west: free", "random", 1.0, "west")


class _Front(Front):
    """Knows the plugin's token of namespace ns."""

    def create(self, kind: Resource, namespace: str | None, body: Object, **options: Any) -> Object:
        if kind is TOKEN_REVIEWS:
            user = {"username": "system:serviceaccount:ns:medea-executor-plugin"}
            return {"status": {"authenticated": body["spec"]["token"] == "right", "user": user}}
        return super().create(kind, namespace, body, **options)


def _ask(front: Front, pool: Pool | None, call: Object, *, token: str = "right", uid: str = "uid-job") -> Object:
    cluster = cast("Cluster", front)
    steps = Steps(
        cluster,
        cast("Pool", pool),
        Rights(cluster),
        Tokens(cluster),
        others=cast("Any", None),
        sub_workflows=cast("Any", None),
    )
    asked = PluginBody.model_validate({"workflow": {"name": "job", "namespace": "ns", "uid": uid}, "call": call})
    return dict(steps.answer(token, asked))


@pytest.fixture
def ended(pool: Pool) -> Pool:
    """A ledger with one placement, whose run has failed."""
    new = NewPlacement(
        placement=ID,
        namespace="ns",
        name="job",
        generate_name=None,
        template=None,
        totals=Totals(1000, 1 << 30),
        policy="random",
        only_clusters=None,
        identity="ann",
        original={"workflow": {}, "templates": []},
    )
    reserving.admit(pool, new, lambda _: PLACED)
    placements.bind(pool, ID, namespace="ns", name="job", uid="uid-job")
    placements.intend_run(pool, ID, "job", cluster="west")
    placements.dispatched(pool, ID, cluster="west", run_name="job", run_uid="r1")
    placements.ended(pool, ID, run_uid="r1", phase="Failed", message="it broke", outcome={})
    return pool


def test_the_end_of_a_run_is_the_end_of_its_hold(ended: Pool) -> None:
    assert _ask(_Front(workflow()), ended, {"track": {"placement": ID}}) == node("Failed", "it broke")


def test_a_run_that_is_about_to_be_retried_has_not_ended(ended: Pool) -> None:
    origin = workflow()
    origin["metadata"]["annotations"] = {"medea.dev/verbs": '[{"user": "ann", "retry": {}}]'}
    answer = _ask(_Front(origin), ended, {"track": {"placement": ID}})
    assert answer["node"]["phase"] == "Running" and answer["requeue"]


def test_a_run_whose_retry_began_while_it_was_asked_for_has_not_ended(ended: Pool) -> None:
    """The row is read as ended; then the retry is carried out and its note taken off; then the origin is read."""

    class Retried(_Front):
        def find(self, kind: Resource, namespace: str, name: str) -> Object | None:
            placements.reopened(ended, ID)
            return super().find(kind, namespace, name)

    answer = _ask(Retried(workflow()), ended, {"track": {"placement": ID}})
    assert answer["node"]["phase"] == "Running" and answer["requeue"]


def test_a_placement_answers_to_its_own_origin_alone(ended: Pool) -> None:
    answer = _ask(_Front(workflow()), ended, {"track": {"placement": ID}}, uid="another")
    assert answer["node"]["phase"] == "Error"


@pytest.mark.parametrize("placement", [None, 7, "", "x", ID.upper(), ID + "0", ID[:-1] + "\x00"])
def test_what_is_no_placement_is_refused_before_the_ledger_is_asked(placement: object) -> None:
    with pytest.raises(BadRequest, match="32 hexadecimal digits"):
        _ask(_Front(), None, {"track": {"placement": placement}})


def test_a_token_that_is_not_the_plugins_moves_nothing() -> None:
    with pytest.raises(Forbidden):
        _ask(_Front(), None, {"track": {"placement": ID}}, token="wrong")


@pytest.mark.parametrize("call", [{}, {"explode": {}}, {"get": {}, "stop": {}}])
def test_a_call_holds_one_verb_that_there_is(call: Object) -> None:
    with pytest.raises(BadRequest, match="run, get, delete"):
        _ask(_Front(), None, call)


@pytest.mark.parametrize(
    ("state", "least", "most"), [(State.QUEUED, 15, 25), (State.RESERVED, 3.75, 6.25), (State.RUNNING, 45, 75)]
)
def test_a_plugin_asks_as_seldom_as_its_message_may_be_old_and_never_all_at_once(
    monkeypatch: pytest.MonkeyPatch, state: State, least: float, most: float
) -> None:
    monkeypatch.setattr(placements, "get", lambda *_: row(state=state, origin_uid="uid-job"))
    again = [_ask(_Front(), None, {"track": {"placement": ID}})["requeue"] for _ in range(20)]
    assert all(least <= float(text.removesuffix("s")) <= most for text in again)
    assert len(set(again)) > 1


def test_a_token_that_was_right_is_believed_for_a_minute_and_one_that_was_not_is_asked_about_again() -> None:
    asked: list[str] = []

    class Counting(_Front):
        def create(self, kind: Resource, namespace: str | None, body: Object, **options: Any) -> Object:
            asked.append(body["spec"]["token"])
            return super().create(kind, namespace, body, **options)

    now = [100.0]
    tokens = Tokens(cast("Cluster", Counting()), clock=lambda: now[0])
    found = [tokens.identify("right") for _ in range(3)]
    assert {one.user for one in found if one} == {"system:serviceaccount:ns:medea-executor-plugin"}
    assert [tokens.identify("wrong") for _ in range(2)] == [None, None]
    now[0] += 61
    tokens.identify("right")
    assert asked == ["right", "wrong", "wrong", "right"]


def test_no_more_tokens_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.api.tokens.TOKENS_KEPT", 2)

    class Any_(_Front):
        def create(self, *_: Any, **__: Any) -> Object:
            return {"status": {"authenticated": True, "user": {"username": "u"}}}

    tokens = Tokens(cast("Cluster", Any_()))
    for number in range(10):
        tokens.identify(f"token-{number}")
    assert len(tokens._known) == 2


WAITS = node("Running", "it is being deleted", requeue="2s")


@pytest.mark.parametrize(("seconds", "phase"), [(59, "Failed"), (61, "Running"), (None, "Running")])
@pytest.mark.parametrize("verb", ["run", "delete"])
def test_no_step_waits_beyond_the_deadline_of_its_workflow(verb: str, seconds: int | None, phase: str) -> None:
    requester = known({**asking(), "spec": {"activeDeadlineSeconds": seconds}})
    assert in_time(requester, verb, WAITS)["node"]["phase"] == phase


def test_a_workflow_that_is_stopped_waits_for_its_sub_workflows_alone() -> None:
    requester = known({**asking(), "spec": {"shutdown": "Stop"}})
    assert in_time(requester, "run", WAITS) == WAITS
    assert in_time(requester, "delete", WAITS)["node"]["phase"] == "Failed"
    done = node("Succeeded", "it is gone")
    assert in_time(requester, "delete", done) == done


@pytest.mark.parametrize("seconds", [60 * 60 * 24 * 365 * 10_000, 2**63 - 1])
def test_who_sets_a_deadline_centuries_away_has_no_deadline(seconds: int) -> None:
    far = asking(storedWorkflowTemplateSpec={"activeDeadlineSeconds": seconds})
    assert not known(far).overdue


@pytest.mark.parametrize("started", ["some day", "2026-01-01T00:00:00", ""])
def test_who_began_at_a_moment_that_is_none_is_not_overdue(started: str) -> None:
    assert not known(asking(startedAt=started, storedWorkflowTemplateSpec={"activeDeadlineSeconds": 1})).overdue
