"""The review of a change to an origin."""

import base64
import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import jsonpatch
import pytest

from tests.admission.test_preflight import Targets
from tests.end_to_end.garbage import OTHERS, TEXTS, places, with_value
from tests.ledger.test_placements import PLACED, QUEUED, new
from tests.support.objects import origin
from tests.support.scripted_apiserver import Answer, Script, apiserver, cut, reply
from webhook.admission.changes import Changes
from webhook.admission.wire import Review
from webhook.errors import Refused
from webhook.ledger import placements, reserving
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold
from webhook.model.deadline import Deadline
from webhook.model.verbs import Verb, pending
from webhook.totals.shared_names import Shared

Object = dict[str, Any]
GONE = reply(404, {"message": "no such Workflow", "details": {"name": "job"}})


@contextmanager
def changes(pool: Pool, target: Answer = GONE, hold: Hold = Hold.PLUGIN) -> Iterator[Changes]:
    """The reviews of a front door whose ledger knows the origin `job`, and its run on west."""
    reserving.admit(pool, new("p1", hold=hold), lambda _: PLACED)
    placements.bind(pool, "p1", namespace="ns", name="job", uid="o1")
    placements.intend_run(pool, "p1", "job", cluster="west")
    placements.dispatched(pool, "p1", cluster="west", run_name="job", run_uid="r1")
    with apiserver(Script(target)) as west:
        registry: Any = Targets({"west": west})
        yield Changes(registry, pool, lambda user: user == "medea")


def stub() -> Object:
    return {**origin(), "spec": {"entrypoint": "medea"}}


def review(old: Object, after: Object, user: str = "ann", manager: str = "") -> Review:
    return Review("u", "UPDATE", "Workflow", "ns", False, user, after, old, manager)


def answered(changes: Changes, asked: Review) -> tuple[Object, list[str]]:
    """The object as it will be stored, and the warnings."""
    response = changes.answer(asked, Deadline.after(60))["response"]
    assert response["allowed"]
    patch = json.loads(base64.b64decode(response.get("patch", base64.b64encode(b"[]"))))
    stored: Object = jsonpatch.JsonPatch(patch).apply(asked.object)
    return stored, response.get("warnings", [])


def stopped(thing: Object) -> Object:
    return {**thing, "spec": {**thing["spec"], "shutdown": "Stop"}}


def test_a_stop_is_noted_on_the_origin_and_argos_controller_there_never_sees_it(pool: Pool) -> None:
    with changes(pool) as reviews:
        stored, warnings = answered(reviews, review(stub(), stopped(stub())))
    assert stored["spec"] == {"entrypoint": "medea"}
    assert pending(stored) == [Verb("ann", shutdown="Stop")]
    assert warnings == ["medea: stop is carried out on west"]


def test_where_no_controller_works_the_origin_shows_the_shutdown(pool: Pool) -> None:
    with changes(pool, hold=Hold.NONE) as reviews:
        stored, _ = answered(reviews, review(stub(), stopped(stub())))
    assert stored["spec"] == {"entrypoint": "medea", "shutdown": "Stop"}


def test_verbs_wait_in_the_order_they_were_given(pool: Pool) -> None:
    with changes(pool) as reviews:
        first, _ = answered(reviews, review(stub(), {**stub(), "spec": {"entrypoint": "medea", "suspend": True}}))
        second, _ = answered(reviews, review(first, stopped(first), user="bob"))
    assert pending(second) == [Verb("ann", suspend=True), Verb("bob", shutdown="Stop")]


def test_what_medea_and_strangers_write_is_left_alone(pool: Pool) -> None:
    with changes(pool) as reviews:
        assert answered(reviews, review(stub(), stopped(stub()), "medea", "medea")) == (stopped(stub()), [])
        copied = copy.deepcopy(stub())
        copied["metadata"]["uid"] = "o2"
        assert answered(reviews, review(copied, stopped(copied))) == (stopped(copied), [])
        # In Medea's name, but not by its controller: argo-server, for a caller of Medea's API.
        assert pending(answered(reviews, review(stub(), stopped(stub()), "medea", "argo"))[0])


def test_medeas_annotations_and_the_stubs_spec_stay_and_the_user_is_told(pool: Pool) -> None:
    edited = copy.deepcopy(stub())
    edited["metadata"]["annotations"] = {"medea.dev/verbs": "[]", "team": "blue"}
    edited["spec"]["entrypoint"] = "mine"
    with changes(pool) as reviews:
        stored, [warning] = answered(reviews, review(stub(), edited))
    assert stored["metadata"]["annotations"] == {"medea.dev/placement": "p1", "team": "blue"}
    assert stored["spec"] == {"entrypoint": "medea"}
    assert warning.startswith("medea: spec.entrypoint stays as it was")


def retried() -> tuple[Object, Object]:
    before = stub()
    before["status"] |= {"phase": "Failed", "finishedAt": "then"}
    after = copy.deepcopy(before)
    after["status"]["phase"] = "Running"
    return before, after


def in_phase(phase: str) -> Object:
    return {**stub(), "status": {**stub()["status"], "phase": phase}}


@pytest.mark.parametrize("user", ["ann", "system:serviceaccount:argo:argo"])
@pytest.mark.parametrize("hold", list(Hold))
@pytest.mark.parametrize("phase", ["Error", "Failed", "Succeeded"])
def test_nobody_shows_an_end_while_the_run_may_live(pool: Pool, user: str, hold: Hold, phase: str) -> None:
    said = "Workflow job ends when its run on west has ended"
    with changes(pool, hold=hold) as reviews, pytest.raises(Refused, match=said):
        reviews.answer(review(stub(), in_phase(phase), user), Deadline.after(60))


def test_an_end_that_the_ledger_knows_may_be_shown_by_anybody_and_one_that_is_shown_stays_so(pool: Pool) -> None:
    with changes(pool) as reviews:
        over = in_phase("Failed")
        assert answered(reviews, review(over, {**over, "spec": {**over["spec"], "suspend": True}}))
        placements.ended(pool, "p1", run_uid="r1", phase="Failed", message=None, outcome={})
        assert answered(reviews, review(stub(), over))[0]["status"]["phase"] == "Failed"


def test_a_workflow_that_waits_for_a_cluster_is_not_ended_by_hand_either(pool: Pool) -> None:
    reserving.admit(pool, new("p1"), lambda _: QUEUED)
    placements.bind(pool, "p1", namespace="ns", name="job", uid="o1")
    registry: Any = Targets({})
    reviews = Changes(registry, pool, lambda _: False)
    with pytest.raises(Refused, match="ends when what waits for a cluster has ended; argo stop"):
        reviews.answer(review(stub(), in_phase("Error")), Deadline.after(60))


def test_a_retry_without_a_run_is_refused_at_once(pool: Pool) -> None:
    with changes(pool) as reviews, pytest.raises(Refused, match=r"the run is gone from west.*argo resubmit"):
        reviews.answer(review(*retried()), Deadline.after(60))


def test_a_retry_whose_lock_is_in_use_on_another_target_is_refused_with_who_uses_it(pool: Pool) -> None:
    lock = Shared(("mutex/ns/build",))
    with changes(pool) as reviews:
        with pool.transaction() as connection:
            connection.execute("UPDATE workflows SET shared_names = %s", (list(lock.names),))
        placements.ended(pool, "p1", run_uid="r1", phase="Failed", message=None, outcome={})
        reserving.admit(pool, replace(new("p2", name="other"), shared=lock), lambda _: replace(PLACED, cluster="east"))
        expected = "mutex build is in use on east by other, and the run to retry is on west; retry it when that has"
        with pytest.raises(Refused, match=expected):
            reviews.answer(review(*retried()), Deadline.after(60))


@pytest.mark.parametrize("target", [cut, reply(200, {"metadata": {"uid": "r1"}, "status": {}})])
def test_a_retry_is_kept_when_the_run_is_there_or_its_target_is_away(pool: Pool, target: Answer) -> None:
    with changes(pool, target) as reviews:
        [verb] = pending(answered(reviews, review(*retried()))[0])
    assert verb.word == "retry"


# As an apiserver sends it; with every verb in it there is.
BROKEN_BELOW: Object = {
    "metadata": {
        "uid": "o1",
        "annotations": {"medea.dev/placement": "p1", "medea.dev/verbs": "[]"},
        "labels": {"a": "b"},
    },
    "spec": {"shutdown": "Stop", "suspend": True, "arguments": {"parameters": [{"name": "a", "value": "1"}]}},
    "status": {
        "phase": "Failed",
        "finishedAt": "then",
        "outputs": {"parameters": [{"name": "x", "value": "1"}]},
        "nodes": {"medea-job": {"type": "Suspend", "phase": "Running", "children": ["medea-job-1"], "outputs": {}}},
    },
}


@pytest.mark.parametrize("side", ["object", "old"])
@pytest.mark.parametrize("phase", ["Running", "Failed"])
def test_a_change_with_anything_at_any_place_is_answered_or_refused(pool: Pool, side: str, phase: str) -> None:
    other = copy.deepcopy(BROKEN_BELOW)
    other["status"]["phase"] = phase
    other["spec"] = {"arguments": {"parameters": [{"name": "a", "value": "2"}]}}
    other["status"]["nodes"]["medea-job"] |= {"phase": "Succeeded", "children": []}
    with changes(pool, reply(200, {"metadata": {"uid": "r1"}, "status": {}})) as reviews:
        for place in places(BROKEN_BELOW):
            for value in (*TEXTS.values(), *OTHERS.values()):
                broken = json.loads(with_value(BROKEN_BELOW, place, value))
                asked = review(broken, other) if side == "old" else review(other, broken)
                with suppress(Refused):
                    answered(reviews, asked)
