"""One controller works at a time, and when it ends another one does."""

import itertools
import sys
import threading
import time
from collections.abc import Callable

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import HANG, LOSE, REFUSE, Call, FakeApiserver, Fault, answer
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.leader import LEASE, Leader, Lease, begin_anew
from webhook.kube.resources import LEASES
from webhook.model.limits.kube import LEASE_SECONDS, RENEW_WITHIN

SPACE = "medea-system"


class House:
    """A front door that candidates ask for the lease."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.front = FakeApiserver("front", clock=self.clock)
        self.front.namespace(SPACE)

    def candidate(self, name: str) -> Lease:
        return Lease(Cluster("front", Configuration(), http=self.front), SPACE, identity=name, clock=self.clock)

    def holder(self) -> str:
        lease = self.front.get(LEASES, SPACE, LEASE)
        assert lease is not None
        return str(lease["spec"]["holderIdentity"])


@pytest.fixture
def house() -> House:
    return House()


def test_the_first_takes_it_and_the_second_waits(house: House) -> None:
    first, second = house.candidate("first"), house.candidate("second")
    assert first.take()
    for _ in range(60):
        house.clock.advance(1)
        assert first.take()
        assert not second.take()
    assert house.holder() == "first"


def test_one_that_is_killed_is_followed_within_the_lease(house: House) -> None:
    first, second = house.candidate("first"), house.candidate("second")
    first.take()
    second.take()
    waited = 0
    while not second.take():
        house.clock.advance(1)
        waited += 1
    assert waited == LEASE_SECONDS
    assert not first.take()


@pytest.mark.parametrize("fault", [HANG, LOSE, REFUSE, answer(503), answer(409, "changed", "Conflict")], ids=str)
def test_one_that_can_not_renew_has_given_up_before_another_may_take_it(house: House, fault: Fault) -> None:
    first, second = house.candidate("first"), house.candidate("second")
    first._front = Cluster("front", Configuration(), http=house.front.as_user("cut-off"))
    first.take()
    assert not second.take()
    house.front.faults = lambda call: fault if call.user == "cut-off" and call.verb != "get" else None
    taken_at = given_up_at = None
    while taken_at is None:
        if given_up_at is None and not first.left():
            given_up_at = house.clock()
        if second.take():
            taken_at = house.clock()
        if given_up_at is None:
            first.take()
        house.clock.advance(0.1)
    assert given_up_at is not None
    assert given_up_at < taken_at


def test_a_renewal_counts_from_when_it_was_asked_for(house: House) -> None:
    lease = house.candidate("first")
    lease.take()

    def slow(_call: Call) -> None:
        house.clock.advance(1)

    house.front.faults = slow
    assert lease.take()
    assert lease.left() == RENEW_WITHIN - 2


def test_one_that_ends_lets_the_next_begin_at_once(house: House) -> None:
    first, second = house.candidate("first"), house.candidate("second")
    first.take()
    assert not second.take()
    first.release()
    assert not first.left()
    assert second.take()
    assert house.holder() == "second"


def test_releasing_takes_nothing_from_another(house: House) -> None:
    first, second = house.candidate("first"), house.candidate("second")
    second.take()
    first.release()
    assert house.holder() == "second"
    house.front.faults = lambda _call: REFUSE
    second.release()


def test_a_lease_that_somebody_emptied_is_taken(house: House) -> None:
    house.front.put(LEASES, {"metadata": {"name": LEASE, "namespace": SPACE}})
    assert house.candidate("first").take()


def test_of_two_who_take_it_at_once_one_has_it(house: House) -> None:
    first, second = house.candidate("first"), house.candidate("second")
    house.front.put(LEASES, {"metadata": {"name": LEASE, "namespace": SPACE}, "spec": {}})
    got: list[bool] = []

    def between(call: Call) -> None:
        if call.verb not in ("get", "create"):
            house.front.faults = lambda _call: None
            got.append(second.take())

    house.front.faults = between
    got.append(first.take())
    assert sorted(got) == [False, True]


class Work:
    """Work that goes on until it is stopped, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.runs = error, threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        self.runs.set()
        if self.error:
            raise self.error
        self.stopped.wait(120)

    def stop(self) -> None:
        self.stopped.set()


class Stubborn(Work):
    """Work that doesn't stop however long it is waited for."""

    def stop(self) -> None:
        """It goes on."""


class Running:
    """A leader in a thread of its own."""

    def __init__(self, house: House, work: Work, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.lost = threading.Event()
        self.leader = Leader(house.candidate("first"), work, lost=self._lost, clock=clock)
        self.work = work
        self.ended_well: bool | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _lost(self) -> None:
        self.lost.set()
        self.work.stop()

    def _run(self) -> None:
        self.ended_well = self.leader.run()


def test_a_leader_that_is_told_to_end_ends_its_work_first_and_then_gives_the_lease_away(house: House) -> None:
    work = Work()
    running = Running(house, work)
    assert work.runs.wait(60)
    assert house.holder() == "first"
    running.leader.stop()
    running.thread.join(60)
    assert running.ended_well is True
    assert house.holder() == ""
    assert not running.lost.is_set()


def test_work_that_does_not_end_is_cut_off_and_the_lease_kept_from_others_meanwhile(house: House) -> None:
    looks = itertools.count()
    work = Stubborn()
    running = Running(house, work, clock=lambda: 4.0 * next(looks))
    assert work.runs.wait(60)
    running.leader.stop()
    running.thread.join(60)
    assert running.ended_well is True
    assert house.holder() == "first"
    work.stopped.set()


def test_one_that_waits_is_told_to_end_and_does(house: House) -> None:
    house.candidate("other").take()
    work = Work()
    running = Running(house, work)
    running.leader.stop()
    running.thread.join(60)
    assert running.ended_well is True
    assert not work.runs.is_set()
    assert house.holder() == "other"


def test_work_that_fails_lets_another_one_lead_and_the_process_end(house: House) -> None:
    running = Running(house, Work(RuntimeError("nobody thought of this")))
    running.thread.join(60)
    assert running.ended_well is False
    assert house.holder() == ""


def test_a_leader_that_loses_the_lease_ends_although_its_renewal_hangs(house: House) -> None:
    work, hangs = Work(), threading.Event()
    running = Running(house, work)
    assert work.runs.wait(60)

    def hang(_call: Call) -> None:
        hangs.wait(120)

    house.front.faults = hang
    house.clock.advance(RENEW_WITHIN)
    assert running.lost.wait(60)
    hangs.set()
    running.thread.join(60)


def test_whoever_began_it_a_controller_that_lost_the_lease_becomes_a_fresh_controller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("os.execv", lambda program, arguments: called.append((program, arguments)))
    monkeypatch.setattr("sys.orig_argv", ["python", "-c", "from multiprocessing.spawn import spawn_main", "pipe=7"])
    begin_anew()
    assert called == [(sys.executable, [sys.executable, "-m", "webhook", "controller"])]
