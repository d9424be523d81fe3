"""Bugs on purpose, one change each: what the episodes must find, or they prove nothing."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from tests.faults import episode
from tests.faults.ledger import LedgerServer
from tests.faults.processes import instead
from tests.faults.schedule import FOLDER, generate, load
from webhook.controller import create, plan, reconciler
from webhook.controller.facts import Gatherer
from webhook.controller.origin_status.by_hold import outcome_of
from webhook.controller.plan import Facts, Step, Then
from webhook.controller.queue import Queue
from webhook.controller.sweep import Sweep
from webhook.controller.target_steps import TargetSteps
from webhook.controller.verbs import VerbExecutor
from webhook.errors import MedeaError
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model import run
from webhook.model.contract import State
from webhook.model.objects import Object, status_of
from webhook.scout import sharing
from webhook.scout.model import Outcome
from webhook.scout.queue_pass import request_of_row

PLANTED: dict[str, Callable[[], AbstractContextManager[None]]] = {}


def planted(make: Callable[[], Iterator[None]]) -> Callable[[], AbstractContextManager[None]]:
    """Add a bug to the list."""
    made = contextlib.contextmanager(make)
    PLANTED[make.__name__] = made
    return made


def by_chance(ledger: LedgerServer, name: str, seed: int, episodes: int) -> str | None:
    """In which episode a bug is found, and what was seen of it; None when it is found in none of them."""
    for number in range(episodes):
        wrong = _goes_wrong(ledger, name, generate(seed + number), seed + number)
        if wrong:
            return f"episode {number + 1}: {wrong}"
    return None


def by_what_is_kept(ledger: LedgerServer, name: str) -> str | None:
    """Which of the kept schedules finds it, and what was seen of it; None when none does."""
    for path in sorted(FOLDER.glob("*.json")):
        kept = load(path)
        wrong = _goes_wrong(ledger, name, kept.events, kept.seed)
        if wrong:
            return f"schedule {path.stem}: {wrong}"
    return None


def _goes_wrong(ledger: LedgerServer, name: str, events: list[Object], seed: int) -> str | None:
    """What goes wrong with the bug and does not without."""
    with PLANTED[name]():
        wrong = episode.run(ledger, events, seed).wrong
    return wrong[0] if wrong and not episode.run(ledger, events, seed).wrong else None


@planted
def create_without_intent() -> Iterator[None]:
    """The run's name is not written down before the run is created."""

    real = placements.dispatched

    def intend_run(pool: Pool, placement: str, _name: str, **_: Any) -> Placement | None:
        return placements.get(pool, placement)

    def dispatched(pool: Pool, placement: str, **named: Any) -> Placement | None:
        with pool.transaction() as connection:
            words = "UPDATE workflows SET run_name = %s WHERE placement = %s AND cluster = %s AND run_name IS NULL"
            connection.execute(words, (named["run_name"], placement, named["cluster"]))
        return real(pool, placement, **named)

    with instead(placements, "intend_run", intend_run), instead(placements, "dispatched", dispatched):
        yield


@planted
def adopt_without_labels() -> Iterator[None]:
    """Whatever has the run's name is taken for the run."""
    with instead(create, "_likeness", lambda _workflow, _row: run.Likeness.CERTAIN):
        yield


@planted
def refused_without_looking() -> Iterator[None]:
    """A refusal is believed to mean that no run is there, although an answer was lost before."""
    with instead(create, "find_run", lambda _target, _row: None):
        yield


@planted
def requeue_with_a_run_name() -> Iterator[None]:
    """What may have been created on a target that is away goes elsewhere."""
    real = plan.plan

    def careless(facts: Facts) -> Step:
        row = facts.row
        forgetful = facts if row is None else dataclasses.replace(facts, row=dataclasses.replace(row, run_name=None))
        step = real(forgetful)
        return step if step is Step.REQUEUE else real(facts)

    def requeued(pool: Pool, placement: str, *, reason: str) -> Placement | None:
        with pool.transaction() as connection:
            connection.execute("UPDATE workflows SET run_name = NULL WHERE placement = %s", (placement,))
        return really(pool, placement, reason=reason)

    really = placements.requeued
    with instead(reconciler, "plan", careless), instead(placements, "requeued", requeued):
        yield


@planted
def end_from_a_late_watch() -> Iterator[None]:
    """A run's end is taken from the watch, which may still show the one from before a retry."""

    def record_end(self: TargetSteps, facts: Facts) -> Then:
        row, found = facts.row, facts.run
        assert row is not None and found is not None
        status = status_of(found)
        placements.ended(
            self.pool,
            row.placement,
            run_uid=row.run_uid,
            phase=status.get("phase") or "Error",
            message=status.get("message"),
            outcome=outcome_of(found, row),
        )
        return Then.GO_ON

    with instead(TargetSteps, "_record_end", record_end):
        yield


@planted
def finalizer_before_the_run_is_gone() -> Iterator[None]:
    """An origin is let go as soon as it is being deleted; its run follows when somebody has time."""

    def remove(self: TargetSteps, facts: Facts) -> Then:
        assert facts.row is not None
        return Then.GO_ON if placements.deleted(self.pool, facts.row.placement) else Then.WAIT

    with instead(TargetSteps, "_remove", remove):
        yield


@planted
def release_before_the_end() -> Iterator[None]:
    """A run's room is given back as soon as it exists."""
    real = placements.dispatched

    def dispatched(pool: Pool, placement: str, **named: Any) -> Placement | None:
        row = real(pool, placement, **named)
        with pool.transaction() as connection:
            connection.execute("UPDATE workflows SET released_at = now() WHERE placement = %s", (placement,))
        return row

    with instead(placements, "dispatched", dispatched):
        yield


@planted
def strays_stay() -> Iterator[None]:
    """A run whose row has moved on is left where it is."""
    real = Gatherer.gather

    def gather(self: Gatherer, placement: str) -> Facts:
        return dataclasses.replace(real(self, placement), strays=())

    with instead(Gatherer, "gather", gather):
        yield


@planted
def verbs_taken_off_first() -> Iterator[None]:
    """A verb is taken off its origin before it is done."""
    real, take_off = VerbExecutor._apply, VerbExecutor._take_off

    def apply(self: VerbExecutor, facts: Facts) -> Then:
        assert facts.origin is not None
        take_off(self, facts.origin)
        with instead(VerbExecutor, "_take_off", lambda *_: None):
            return real(self, facts)

    with instead(VerbExecutor, "_apply", apply):
        yield


@planted
def refused_ends_the_queue() -> Iterator[None]:
    """What waits is ended when no target is left that could ever take it, as it looks now."""
    real = Queue.look

    def look(self: Queue) -> None:
        with contextlib.suppress(MedeaError):
            for placement in _queued(self._pool):
                row = placements.get(self._pool, placement)
                if row is not None and self._placer.peek(request_of_row(row)).outcome is Outcome.REFUSED:
                    placements.stopped(self._pool, placement, "it can never fit")
                    self._changed(placement, "", row.namespace)
        real(self)

    with instead(Queue, "look", look):
        yield


@planted
def expired_without_asking() -> Iterator[None]:
    """An origin that the watch has not shown for long is believed never to have come, for good."""
    real, expire = placements.bind, Sweep._expire_unless_carried

    def bind(pool: Pool, placement: str, **named: Any) -> Placement | None:
        row = placements.get(pool, placement)
        return None if row is not None and row.state is State.EXPIRED else real(pool, placement, **named)

    def unless_carried(self: Sweep, row: Placement, _: object) -> None:
        expire(self, row, ())

    with instead(Sweep, "_expire_unless_carried", unless_carried), instead(placements, "bind", bind):
        yield


@planted
def run_without_finalizer() -> Iterator[None]:
    """A run may be done away with by its target before its end was seen."""

    def run_object(*args: Any, **named: Any) -> Object:
        made = run.run_object(*args, **named)
        made["metadata"].pop("finalizers")
        return made

    with instead(create, "run_object", run_object):
        yield


def _queued(pool: Pool) -> list[str]:
    with pool.transaction() as connection:
        return [
            row["placement"] for row in connection.execute("SELECT placement FROM workflows WHERE state = 'queued'")
        ]


@planted
def locks_hold_on_each_target() -> Iterator[None]:
    """A Workflow goes where there is room, wherever the mutex that it names is in use."""
    with instead(sharing, "ties_of", lambda *_: ()):
        yield
