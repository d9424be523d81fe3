"""The threads of the controller: none is lost, whatever a placement does, and they end with nothing in hand."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.controller_world import World
from webhook.controller.process import Controller
from webhook.errors import LedgerUnavailable
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import State
from webhook.model.limits.controller import STOP_PATIENCE, WORKERS_PER_TARGET
from webhook.model.limits.kube import RETRY_LONGEST


def test_a_placement_that_makes_no_sense_is_tried_again_and_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconcile = world.parts.loop._reconciler.reconcile

    def odd(placement: str) -> Any:
        if placement == "p1":
            raise RecursionError("nobody thought of this")
        return reconcile(placement)

    monkeypatch.setattr(world.parts.loop._reconciler, "reconcile", odd)
    world.place("p1")
    world.place("p2")
    for _ in range(20):
        world.watch()
        world.look()
        world.clock.advance(RETRY_LONGEST * 2)
    assert world.row("p2").state is State.RUNNING
    monkeypatch.undo()
    world.settle(8)
    assert world.row("p1").state is State.RUNNING


def test_a_ledger_that_is_away_for_a_day_costs_tries_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> Any:
        raise LedgerUnavailable("the ledger (Postgres) did not answer")

    world.place()
    with monkeypatch.context() as patched:
        patched.setattr(world.parts.loop._reconciler, "reconcile", away)
        world.watch()
        for _ in range(1000):
            world.look()
            world.clock.advance(86.4)
    world.settle(8)
    assert world.row().state is State.RUNNING


class _Part:
    """Stands for what is started and stopped."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def called(*_: object) -> bool:
            self.calls.append(name)
            return True

        return called


class _Loop(_Part):
    """Workers of which some end when told, and one hangs."""

    def __init__(self, told: threading.Event, hang: threading.Event) -> None:
        super().__init__()
        self._waits = (told, told, hang)

    def start(self) -> list[threading.Thread]:
        workers = [threading.Thread(target=one.wait, daemon=True) for one in self._waits]
        for worker in workers:
            worker.start()
        return workers


def test_news_of_an_origin_that_names_no_target_yet_leaves_what_left_the_queue_in_its_targets_lane(
    world: World,
) -> None:
    """Else every thread could come to hang in creates on one target."""
    world.place(on=None)
    world.settle()
    for number in range(WORKERS_PER_TARGET):
        world.parts.work.add(f"hangs-{number}", lane="west")
        assert world.parts.work.get(wait=False)
    world.parts.work.add("p1", lane="west")
    world.front.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Running"}})
    world.watch()
    assert world.parts.work.get(wait=False) is None


def _controller(hang: threading.Event) -> tuple[Controller, Any, dict[str, _Part]]:
    told = threading.Event()
    work, watches = cast("Any", _Part()), cast("Any", _Part())
    work.shut_down = told.set
    parts = {name: _Part() for name in ("registry", "pool", "sampler", "queue", "recorder", "sweep", "keeper")}
    watches.origins = SimpleNamespace(informer=_Part())
    watches.runs = {}
    made: Any = {**parts, "watches": watches, "work": work, "loop": _Loop(told, hang)}
    return Controller(**made, sweep_interval=30.0), watches, parts


def test_it_ends_when_told_with_what_is_in_hand_and_leaves_a_thread_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STOP_PATIENCE < 5
    monkeypatch.setattr("webhook.controller.process.STOP_PATIENCE", 0.2)
    hang = threading.Event()
    controller, _, parts = _controller(hang)
    assert controller.unready() is None
    running = threading.Thread(target=controller.run, daemon=True)
    running.start()
    controller.stop()
    running.join(60)
    hang.set()
    assert not running.is_alive()
    assert "stop" in parts["queue"].calls
    assert "start" in parts["pool"].calls


def test_it_ends_when_told_while_it_waits_for_the_front_door() -> None:
    controller, watches, parts = _controller(threading.Event())
    started = threading.Event()

    def never(_: float) -> bool:
        started.set()
        return False

    watches.origins.informer.wait = never
    running = threading.Thread(target=controller.run, daemon=True)
    running.start()
    assert started.wait(60)
    assert controller.unready() is not None
    controller.stop()
    running.join(60)
    assert not running.is_alive()
    assert "start" not in parts["queue"].calls
    # Servers wait for their certificate, whatever the controller itself waits for.
    assert parts["keeper"].calls == ["start"]


def test_it_ends_when_told_in_the_middle_of_a_sweep() -> None:
    controller, _, parts = _controller(threading.Event())
    sweeping, over = threading.Event(), threading.Event()

    def sweep() -> None:
        sweeping.set()
        over.wait(120)

    cast("Any", parts["sweep"]).run = sweep
    running = threading.Thread(target=controller.run, daemon=True)
    running.start()
    assert sweeping.wait(60)
    controller.stop()
    # Long before the sweep would end.
    running.join(60)
    assert not running.is_alive()
    over.set()
