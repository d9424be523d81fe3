"""The queue of a namespace, in order of arrival. Only rows with an origin are in it: others may never get one.

The queue is served in batches. Each one reads the reservations and writes its own under the same lock as decisions
about new Workflows, and commits before the next one begins, so that a submit waits for one batch at most.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import structlog
from prometheus_client import Counter
from psycopg.types.json import Jsonb

from webhook.ledger import sharing
from webhook.ledger.line import WAITING
from webhook.ledger.placement import COLUMNS, Placement, placement_of
from webhook.ledger.pool import Connection, Pool
from webhook.ledger.promised import reserved_room
from webhook.ledger.reserving import TARGETS, WAITS_FOR_TARGET, keep_decisions, lock, reserved_by, target_values
from webhook.model.contract import State
from webhook.model.json_input import storable
from webhook.model.limits.scout import QUEUE_BATCH
from webhook.scout.model import Decision, Promised, Quotas
from webhook.scout.sharing import Uses

log = structlog.get_logger(__name__)
_UNREADABLE = Counter("medea_queue_unreadable_total", "Queued rows passed over because they could not be read")


@dataclass(frozen=True)
class Waiting:
    """A fingerprint of a queue: if both numbers are the same, so are its rows, all but certainly.

    `shared` has the locks and caches that these name and that are in use, with their targets.
    """

    count: int
    sum_of_hashes: Decimal
    shared: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Choices:
    """What was decided about a batch, by placement: the decisions for those placed, and news of some others.

    These are new reasons, and the targets that now lack something that they refer to.
    """

    placed: Mapping[str, Decision]
    reasons: Mapping[str, str]
    lacked_by: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Served:
    """A committed batch: the reservations before it, what left the queue, and where the next batch begins.

    `next_after` is None after the last batch.
    """

    reserved: Mapping[str, Promised]
    left: Sequence[tuple[Placement, Decision]]
    next_after: int | None


Choose = Callable[[Mapping[str, Promised], Sequence[Placement], Uses], Choices]
"""Takes what the live reservations on each target hold, a batch of the queue, and where the locks and caches are in use
that it names; returns what is decided about it."""


def glance(pool: Pool, namespace: str, with_demands: bool = False) -> tuple[Mapping[str, Promised], Waiting]:
    """What is reserved on each target, and the queue's fingerprint; without taking the lock or reading the queue.

    Here and below, `with_demands` is whether a target's limits need more than the totals of live reservations.
    """
    with pool.transaction() as connection:
        reserved, _ = reserved_room(connection, namespace, with_demands=with_demands)
        row = connection.execute(
            "SELECT count(*) AS count, coalesce(sum(hashtextextended(placement, 0)), 0) AS sum_of_hashes "
            f"FROM workflows WHERE {WAITING}",
            {"namespace": namespace},
        ).fetchone()
        assert row is not None
        uses = sharing.uses_of_queue(connection, namespace) if row["count"] else {}
        return reserved, Waiting(**row, shared=frozenset((name, use.cluster) for name, use in uses.items()))


@dataclass(frozen=True)
class Length:
    """How much waits in all namespaces, and since when the oldest of it has: None if nothing waits."""

    count: int
    oldest: datetime.datetime | None


def length(pool: Pool) -> Length:
    """The length of the whole queue. Reads every queued row, so it is for once in a while."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT count(*) AS count, min(created_at) AS oldest FROM workflows "
            "WHERE state = 'queued' AND bound_at IS NOT NULL"
        ).fetchone()
        assert row is not None
        return Length(**row)


def serve(
    pool: Pool,
    namespace: str,
    choose: Choose,
    *,
    after: int = 0,
    waiting_for: Mapping[str, Quotas] | None = None,
    with_demands: bool = False,
) -> Served:
    """Decide about the next batch: rows with a `seq` above `after`. A row that can't be read is skipped.

    `waiting_for` are targets with their quotas: rows that wait for none of them are skipped. None skips no rows.
    """
    with pool.transaction() as connection:
        lock(connection, namespace)
        reserved, _ = reserved_room(connection, namespace, with_demands=with_demands)
        skipping = "" if waiting_for is None else f"AND EXISTS (SELECT FROM {TARGETS} WHERE {WAITS_FOR_TARGET}) "
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM workflows WHERE {WAITING} AND seq > %(after)s {skipping}"
            "ORDER BY seq LIMIT %(limit)s",
            {
                "namespace": namespace,
                "after": after,
                "limit": QUEUE_BATCH,
                **target_values(connection, namespace, waiting_for or {}, caches_tie=False),
            },
        ).fetchall()
        batch = [placement for row in rows if (placement := _read(row)) and placement.state is State.QUEUED]
        shared = list(dict.fromkeys(name for placement in batch for name in placement.shared))
        sharing.lock(connection, shared)
        choices = choose(reserved, batch, sharing.uses_of(connection, shared))
        left = _move(connection, choices.placed)
        _tell(connection, choices.reasons)
        _note_lacking(connection, choices.lacked_by)
        by_id = {placement.placement: placement for placement in batch}
        return Served(
            reserved,
            [(by_id[placement], choices.placed[placement]) for placement in by_id if placement in left],
            rows[-1]["seq"] if len(rows) == QUEUE_BATCH else None,
        )


def _read(row: Mapping[str, Any]) -> Placement | None:
    try:
        return placement_of(row)
    except (KeyError, TypeError, ValueError):
        # The row stays in the queue and is skipped. Rows of a newer version don't end here: their state is UNKNOWN.
        log.exception("queued row not readable", placement=row["placement"])
        _UNREADABLE.inc()
        return None


def _move(connection: Connection, placed: Mapping[str, Decision]) -> set[str]:
    """Move rows from the queue to a target, except those that were stopped or deleted meanwhile; returns the moved."""
    if not placed:
        return set()
    reserved = [reserved_by(decision) for decision in placed.values()]
    rows = connection.execute(
        """
        UPDATE workflows SET state = 'reserved', cluster = chosen.cluster, reason = chosen.reason, placed_at = now(),
                             released_at = NULL, reserved_cpu_milli = chosen.cpu, reserved_memory_bytes = chosen.memory
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
            AS chosen (placement, cluster, reason, cpu, memory)
        WHERE workflows.placement = chosen.placement AND state = 'queued' RETURNING workflows.placement
        """,
        (
            list(placed),
            [decision.cluster for decision in placed.values()],
            [storable(decision.reason) for decision in placed.values()],
            [cpu for cpu, _ in reserved],
            [memory for _, memory in reserved],
        ),
    )
    left = {row["placement"] for row in rows}
    keep_decisions(connection, {placement: placed[placement] for placement in placed if placement in left})
    return left


def _tell(connection: Connection, reasons: Mapping[str, str]) -> None:
    if reasons:
        connection.execute(
            "UPDATE workflows SET reason = told.reason FROM unnest(%s::text[], %s::text[]) AS told (placement, reason) "
            "WHERE workflows.placement = told.placement AND state = 'queued'",
            (list(reasons), [storable(reason) for reason in reasons.values()]),
        )


def _note_lacking(connection: Connection, lacked_by: Mapping[str, Sequence[str]]) -> None:
    if lacked_by:
        connection.execute(
            "UPDATE workflows SET lacked_by = news.targets FROM unnest(%s::text[], %s::jsonb[]) "
            "AS news (placement, targets) WHERE workflows.placement = news.placement AND state = 'queued'",
            (list(lacked_by), [Jsonb(list(targets)) for targets in lacked_by.values()]),
        )
