"""Decisions that promise room: each reads the reservations and writes its own under one lock.

The lock is per namespace, because quotas are. Two replicas that decide at once therefore decide one after the other,
and the second sees what the first has promised.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from webhook.ledger.placement import COLUMNS, NewPlacement, Placement, placement_of
from webhook.ledger.pool import Connection, Pool
from webhook.model.contract import State
from webhook.model.run import kept
from webhook.scout.model import Decision, Outcome, Reservation
from webhook.totals.model import Totals

# Released rows stay in view until every sample that may still show their pods has aged out.
_RELEASED_IN_VIEW = "10 minutes"


@dataclass(frozen=True)
class Held:
    """What a decision must respect: reservations of the namespace, and who waits in front, oldest first."""

    reservations: Sequence[Reservation]
    queued: Sequence[Placement]


Chooser = Callable[[Held], Decision]


def peek(pool: Pool, namespace: str, choose: Chooser) -> Decision:
    """Decide without writing: for dry runs and questions."""
    with pool.transaction() as connection:
        return choose(_held(connection, namespace))


def admit(pool: Pool, new: NewPlacement, choose: Chooser) -> Decision:
    """Decide about a new Workflow and, unless it is refused, write its placement."""
    with pool.transaction() as connection:
        _lock(connection, new.namespace)
        decision = choose(_held(connection, new.namespace))
        if decision.outcome is not Outcome.REFUSED:
            _insert(connection, new, decision)
        return decision


def place_queued(
    pool: Pool, namespace: str, choose: Callable[[Placement, Held], Decision]
) -> list[tuple[Placement, Decision]]:
    """Go through the queue of a namespace, first come first served; write and return what is no longer queued.

    Only placements whose origin is known to exist are considered: others may never appear.
    """
    with pool.transaction() as connection:
        _lock(connection, namespace)
        waiting = _queued(connection, namespace)
        passed: list[Placement] = []
        moved = []
        for placement in waiting:
            held = Held(_reservations(connection, namespace), tuple(passed))
            decision = choose(placement, held)
            if decision.outcome is Outcome.QUEUED:
                passed.append(placement)
                _note_reason(connection, placement, decision.reason)
            else:
                _move(connection, placement, decision)
                moved.append((placement, decision))
        return moved


def preflight_refused(pool: Pool, placement: str, refused_by: Mapping[str, str], choose: Chooser) -> Decision:
    """Decide anew for a placement that a target refused before its origin existed; drops it when nothing is left."""
    with pool.transaction() as connection:
        row = connection.execute("SELECT namespace FROM workflows WHERE placement = %s", (placement,)).fetchone()
        namespace = row["namespace"] if row else ""
        _lock(connection, namespace)
        connection.execute("UPDATE workflows SET cluster = NULL WHERE placement = %s", (placement,))
        decision = choose(_held(connection, namespace))
        if decision.outcome is Outcome.REFUSED:
            connection.execute("DELETE FROM workflows WHERE placement = %s", (placement,))
            return decision
        connection.execute(
            "UPDATE workflows SET state = %s, cluster = %s, reason = %s, refused_by = %s, "
            "placed_at = CASE WHEN %s THEN now() END WHERE placement = %s",
            (
                _state(decision),
                decision.cluster,
                decision.reason,
                Jsonb(dict(refused_by)),
                decision.cluster is not None,
                placement,
            ),
        )
        _keep(connection, placement, decision)
        return decision


def _lock(connection: Connection, namespace: str) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(1, hashtext(%s))", (namespace,))


def _held(connection: Connection, namespace: str) -> Held:
    return Held(_reservations(connection, namespace), _queued(connection, namespace))


def _reservations(connection: Connection, namespace: str) -> list[Reservation]:
    rows = connection.execute(
        "SELECT placement, cluster, run_name, cpu_milli, memory_bytes, "
        "extract(epoch FROM released_at)::float8 AS released "
        "FROM workflows WHERE namespace = %s AND cluster IS NOT NULL "
        f"AND (released_at IS NULL OR released_at > now() - interval '{_RELEASED_IN_VIEW}')",
        (namespace,),
    )
    return [
        Reservation(
            row["placement"],
            row["cluster"],
            Totals(row["cpu_milli"], row["memory_bytes"]),
            row["run_name"],
            row["released"],
        )
        for row in rows
    ]


def _queued(connection: Connection, namespace: str) -> list[Placement]:
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM workflows WHERE namespace = %s AND state = 'queued' "
        "AND bound_at IS NOT NULL ORDER BY seq",
        (namespace,),
    )
    return [placement for placement in map(placement_of, rows) if placement.state is State.QUEUED]


def _state(decision: Decision) -> State:
    return State.RESERVED if decision.outcome is Outcome.PLACED else State.QUEUED


def _insert(connection: Connection, new: NewPlacement, decision: Decision) -> None:
    connection.execute(
        """
        INSERT INTO workflows (placement, state, name, generate_name, namespace, template, cluster, reason, cpu_milli,
                               memory_bytes, policy, only_clusters, identity, original, hold, placed_at)
        VALUES (%(placement)s, %(state)s, %(name)s, %(generate_name)s, %(namespace)s, %(template)s, %(cluster)s,
                %(reason)s, %(cpu)s, %(memory)s, %(policy)s, %(only)s, %(identity)s, %(original)s, %(hold)s,
                CASE WHEN %(cluster)s::text IS NOT NULL THEN now() END)
        """,
        {
            "placement": new.placement,
            "state": _state(decision),
            "name": new.name,
            "generate_name": new.generate_name,
            "namespace": new.namespace,
            "template": new.template,
            "cluster": decision.cluster,
            "reason": decision.reason,
            "cpu": new.totals.cpu_milli,
            "memory": new.totals.memory_bytes,
            "policy": new.policy,
            "only": None if new.only_clusters is None else list(new.only_clusters),
            "identity": new.identity,
            "original": Jsonb(kept(new.original)),
            "hold": new.hold,
        },
    )
    _keep(connection, new.placement, decision)


def _move(connection: Connection, placement: Placement, decision: Decision) -> None:
    """Out of the queue: to a target, or to an end when no target will ever take it."""
    if decision.outcome is Outcome.PLACED:
        connection.execute(
            "UPDATE workflows SET state = 'reserved', cluster = %s, reason = %s, placed_at = now(), released_at = NULL "
            "WHERE placement = %s AND state = 'queued'",
            (decision.cluster, decision.reason, placement.placement),
        )
    else:
        connection.execute(
            "UPDATE workflows SET state = 'ended', phase = 'Error', message = %s, reason = %s, ended_at = now() "
            "WHERE placement = %s AND state = 'queued'",
            (decision.reason, decision.reason, placement.placement),
        )
    _keep(connection, placement.placement, decision)


def _note_reason(connection: Connection, placement: Placement, reason: str) -> None:
    if placement.reason != reason:
        connection.execute("UPDATE workflows SET reason = %s WHERE placement = %s", (reason, placement.placement))


def _keep(connection: Connection, placement: str, decision: Decision) -> None:
    connection.execute(
        "INSERT INTO decisions (placement, outcome, cluster, detail) VALUES (%s, %s, %s, %s)",
        (placement, decision.outcome, decision.cluster, Jsonb(decision.as_json())),
    )
