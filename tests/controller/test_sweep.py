"""The sweep finds whatever is not as it should be, without any event, and looks at nothing else."""

import datetime
from collections.abc import Callable

import pytest

from tests.support.controller_world import World
from tests.support.fake_apiserver import HANG, ApiError, Call, Fault, answer
from webhook.kube.resources import PODS, WORKFLOWS
from webhook.ledger import placements
from webhook.model.contract import Hold, State
from webhook.model.limits.controller import SWEEP_PAGE, SWEEP_PATIENCE
from webhook.model.limits.kube import READ_TIMEOUT

FOREVER = "9999-12-31T23:59:59Z"


def swept(world: World) -> int:
    """How many keys a sweep finds reason to look at, namespaces aside."""
    world.watch()
    world.look()
    world.parts.sweep.run()
    return len(world.parts.work)


def test_what_is_as_it_was_left_is_not_looked_at(world: World) -> None:
    for number in range(5):
        world.place(f"p{number}")
    world.settle()
    world.end_run(placement="p1")
    world.settle(6)
    assert {world.row(f"p{number}").state for number in range(5)} == {State.RUNNING, State.ENDED}
    assert swept(world) == 0


def test_what_waits_is_looked_at_only_when_there_is_another_reason_to_show(world: World) -> None:
    world.place(on=None)
    world.settle()
    assert swept(world) == 0
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET reason = 'west: away'")
    assert swept(world) == 1
    world.look()
    assert world.origin()["metadata"]["annotations"]["medea.dev/reason"] == "west: away"


def test_a_change_that_no_event_told_of_is_found(world: World) -> None:
    world.place()
    world.settle()
    assert swept(world) == 0
    world.end_run()
    world.lose_news()
    world.parts.sweep.run()
    world.look()
    assert world.row().state is State.ENDED


def test_a_controller_that_has_just_begun_looks_at_everything_once(world: World) -> None:
    world.place()
    world.settle()
    world.parts.sweep.resting.keep_only(())
    assert swept(world) == 1
    world.look()
    assert swept(world) == 0


def test_an_origin_that_vanished_while_nobody_watched_takes_its_run_along(world: World) -> None:
    world.place()
    world.settle()
    world.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"finalizers": None}})
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    for _ in range(3):
        world.lose_news()
        world.parts.sweep.run()
        world.look()
    assert world.run() is None
    assert world.row().state is State.DELETED


def test_more_rows_than_a_page_are_all_compared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SWEEP_PAGE > 1
    monkeypatch.setattr("webhook.controller.sweep.SWEEP_PAGE", 2)
    for number in range(5):
        world.place(f"p{number}")
    world.parts.sweep.run()
    assert len(world.parts.work) == 5


def test_a_name_that_the_apiserver_took_for_none_keeps_no_placement_from_expiring(world: World) -> None:
    for placement, name in (("p1", "No_Name"), ("p2", "job-p2")):
        world.place(placement, name=name)
        world.front.change(WORKFLOWS, "ns", name, {"metadata": {"finalizers": None}})
        world.front.remove(WORKFLOWS, "ns", name)
    world.parts.sweep.expiry = 0.0
    world.parts.sweep.run()
    assert {world.row(one).state for one in ("p1", "p2")} == {State.EXPIRED}


def test_a_placement_whose_origin_never_came_expires_and_one_whose_origin_is_there_does_not(world: World) -> None:
    for placement in ("p1", "p2"):
        world.place(placement)
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"finalizers": None}})
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET created_at = created_at - interval '1 day'")
    world.parts.sweep.run()
    assert (world.row("p1").state, world.row("p2").state) == (State.EXPIRED, State.RESERVED)


def _old(world: World, placement: str, ttl: object, finished: object) -> None:
    world.place(placement, hold=Hold.NONE)
    world.settle()
    world.end_run(placement=placement)
    world.settle()
    patch = {"spec": {"ttlStrategy": ttl}, "status": {"finishedAt": finished}}
    world.front.change(WORKFLOWS, "ns", f"job-{placement}", patch)
    world.settle()


def test_deletes_that_hang_in_one_namespace_do_not_keep_the_sweep(world: World) -> None:
    for number in range(6):
        _old(world, f"p{number}", {"secondsAfterCompletion": 60}, "2026-01-01T00:00:00Z")
    world.clock.advance(3600)
    world.front.faults = lambda call: HANG if call.verb == "delete" else None
    began = world.clock()
    world.parts.sweep.look_at_rows()
    assert world.clock() - began <= SWEEP_PATIENCE + READ_TIMEOUT
    world.front.faults = lambda _call: None
    world.parts.sweep.look_at_rows()
    world.settle(6)
    assert world.front.all(WORKFLOWS, "ns") == []


def _slowly(world: World, verb: str, resource: str) -> Callable[[Call], Fault | None]:
    """Each of these calls in the namespace `ns` is answered, four seconds later."""

    def faults(call: Call) -> Fault | None:
        if (call.verb, call.resource, call.namespace) == (verb, resource, "ns"):
            world.clock.advance(4)
        return None

    return faults


def test_agents_that_are_slow_to_delete_in_one_namespace_do_not_keep_the_sweep(world: World) -> None:
    world.front.namespace("other")
    for number in range(9):
        world.place(f"p{number}")
    world.settle()
    for number in range(9):
        world.end_run(placement=f"p{number}")
    world.settle(6)
    for number in range(9):
        labels = {"workflows.argoproj.io/component": "agent", "workflows.argoproj.io/workflow": f"job-p{number}"}
        metadata = {"name": f"agent-{number}", "namespace": "ns", "labels": labels}
        world.front.put(PODS, {"metadata": metadata, "spec": {"serviceAccountName": "medea-agent"}})
    world.watch()
    world.front.faults = _slowly(world, "delete", "pods")
    began, rounds = world.clock(), 0
    while world.front.all(PODS):
        world.parts.sweep.dismiss_agents()
        world.watch()
        rounds += 1
        assert world.clock() - began <= rounds * (SWEEP_PATIENCE + READ_TIMEOUT)
    assert rounds == 3


@pytest.mark.parametrize("hangs", [False, True], ids=["is slow", "hangs"])
def test_a_namespace_whose_origins_are_slow_to_read_does_not_keep_others_from_expiring(
    world: World, hangs: bool
) -> None:
    for number in range(9):
        world.place(f"p{number}")
        world.front.remove(WORKFLOWS, "ns", f"job-p{number}")
        world.front.change(WORKFLOWS, "ns", f"job-p{number}", {"metadata": {"finalizers": None}})
    with world.pool.transaction() as connection:
        connection.execute("UPDATE workflows SET created_at = created_at - interval '1 day'")
        connection.execute("UPDATE workflows SET namespace = 'other' WHERE placement = 'p8'")
    slowly = _slowly(world, "get", "workflows")
    world.front.faults = lambda call: HANG if hangs and call.namespace == "ns" else slowly(call)
    began = world.clock()
    world.parts.sweep.expire()
    assert world.clock() - began <= SWEEP_PATIENCE + READ_TIMEOUT
    assert world.row("p8").state is State.EXPIRED
    world.front.faults = lambda _call: None
    world.parts.sweep.expire()
    assert {world.row(f"p{number}").state for number in range(9)} == {State.EXPIRED}


def test_an_origin_that_somebody_has_just_retried_is_not_deleted_for_its_age(world: World) -> None:
    _old(world, "p1", {"secondsAfterCompletion": 60}, "2026-01-01T00:00:00Z")
    world.settle()
    world.clock.advance(3600)
    world.front.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running", "finishedAt": None}})
    world.parts.sweep.run()
    assert "deletionTimestamp" not in world.origin()["metadata"]


def test_an_ended_origin_whose_time_is_over_goes_and_those_that_can_not_be_read_stay(world: World) -> None:
    soon = {"secondsAfterCompletion": 60}
    for placement, finished in (("p1", "yesterday"), ("p2", "2026-01-01T00:00:00"), ("p3", FOREVER), ("p4", 7)):
        _old(world, placement, soon, finished)
    _old(world, "p5", soon, "2026-01-01T00:00:00Z")
    world.clock.advance(datetime.timedelta(days=1).total_seconds())
    world.parts.sweep.run()
    world.settle(6)
    assert [world.front.get(WORKFLOWS, "ns", f"job-p{number}") is None for number in (1, 2, 3, 4, 5)] == [
        False,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("seconds", [0, 60])
def test_an_ended_origin_goes_at_its_time_and_no_sweep_is_waited_for(world: World, seconds: int) -> None:
    world.place(hold=Hold.NONE)
    world.front.change(WORKFLOWS, "ns", "job-p1", {"spec": {"ttlStrategy": {"secondsAfterCompletion": seconds}}})
    world.settle()
    world.end_run()
    world.settle(8)
    assert (world.front.get(WORKFLOWS, "ns", "job-p1") is None) is (seconds == 0)
    world.clock.advance(seconds)
    world.settle()
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is None
    assert world.run() is None


def test_one_origin_that_can_not_be_deleted_does_not_keep_the_others(world: World) -> None:
    for placement in ("p1", "p2"):
        _old(world, placement, {"secondsAfterCompletion": 60}, "2026-01-01T00:00:00Z")
    denied = ApiError(403, "Forbidden", "denied", {"name": "job-p1"})
    world.front.faults = lambda call: (
        answer(denied.code, "denied") if (call.verb, call.name) == ("delete", "job-p1") else None
    )
    world.clock.advance(3600)
    world.parts.sweep.run()
    world.settle(6)
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is not None
    assert world.front.get(WORKFLOWS, "ns", "job-p2") is None


def test_a_part_that_fails_does_not_keep_the_others_from_their_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.place()
    world.lose_news()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(placements, "unbound", broken)
    monkeypatch.setattr("webhook.controller.sweep.leftover_agents", broken)
    monkeypatch.setattr("webhook.controller.sweep.retire", broken)
    world.parts.sweep.run()
    world.look()
    assert world.row().state is State.RUNNING


def test_agents_that_are_left_beside_an_ended_origin_are_dismissed_without_a_list_of_all(world: World) -> None:
    world.place()
    world.settle()
    world.end_run()
    world.settle()
    for name, account in (("agent-1", "medea-agent"), ("agent-2", "somebody")):
        labels = {"workflows.argoproj.io/component": "agent", "workflows.argoproj.io/workflow": "job-p1"}
        pod = {"metadata": {"name": name, "namespace": "ns", "labels": labels}, "spec": {"serviceAccountName": account}}
        world.front.put(PODS, pod)
    world.watch()
    before = len([call for call in world.front.calls if call.verb == "list"])
    world.parts.sweep.run()
    assert len([call for call in world.front.calls if call.verb == "list" and call.resource == "pods"]) <= before
    assert world.front.all(PODS) == []


def test_news_is_looked_at_before_what_a_sweep_has_found(world: World) -> None:
    for number in range(5):
        world.place(f"p{number}")
    world.lose_news()
    world.parts.sweep.run()
    world.place("p9")
    world.watch()
    assert world.parts.work.get(wait=False) == "p9"
