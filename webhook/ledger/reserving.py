"""Decisions that reserve room: each reads the reservations and writes its own under one lock.

The lock is per namespace, because quotas are. So two replicas decide one after the other, and the second sees what the
first has reserved. Under the lock only sums are read, one per target.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg.types.json import Jsonb

from webhook.errors import Busy, quoted
from webhook.ledger import sharing, splits
from webhook.ledger.line import WAITING, place_of_next
from webhook.ledger.placement import NewPlacement, read_demands
from webhook.ledger.pool import Connection, Pool
from webhook.ledger.promised import reserved_room
from webhook.model.contract import State
from webhook.model.json_input import storable
from webhook.model.limits.scout import UNBOUND_PER_NAMESPACE, UNBOUND_PER_USER
from webhook.model.run import kept
from webhook.model.shared_names import is_cache
from webhook.scout.limits import never_fits
from webhook.scout.model import Decision, Outcome, Promised, Quotas, Reservation, plain_demands
from webhook.scout.sharing import Uses
from webhook.totals.model import Totals

TARGETS = "unnest(%(names)s::text[], %(cpus)s::bigint[], %(memories)s::bigint[]) AS target (name, cpu, memory)"
WAITS_FOR_TARGET = (
    "coalesce(pod_cpu_milli, cpu_milli) <= target.cpu "
    "AND coalesce(pod_memory_bytes, memory_bytes) <= target.memory "
    "AND (only_clusters IS NULL OR target.name = ANY (only_clusters)) AND NOT refused_by ? target.name "
    "AND NOT EXISTS (SELECT FROM unnest(%(misfit_names)s::text[], %(misfit_keys)s::text[], %(misfit_elastic)s::bool[]) "
    "AS misfit (name, key, elastic) WHERE misfit.name = target.name AND misfit.key = demands_key "
    "AND misfit.elastic = (pod_cpu_milli IS NOT NULL)) "
    "AND (shared_names IS NULL OR NOT EXISTS (SELECT FROM unnest(shared_names) AS own (name) "
    "WHERE (own.name NOT IN (SELECT unnest(%(tie_names)s::text[]))) IS FALSE AND (own.name, target.name) NOT IN "
    "(SELECT * FROM unnest(%(tie_names)s::text[], %(tie_clusters)s::text[]))))"
)
"""SQL condition: a queued row may go to `target`, and would fit its quotas if nothing else ran there.

Postgres makes one hash table of what follows NOT IN, and would go through all of it for each row after a plain IN.
"""


@dataclass(frozen=True)
class Held:
    """What a decision about a new Workflow must take into account.

    `reserved` is what the live reservations on each target hold; `unbound` is how many of them have no origin yet.
    `uses` says where the locks and caches are in use that it names.
    `claimed` takes targets with their quotas, and returns those that a Workflow queued earlier waits for.
    """

    reserved: Mapping[str, Promised]
    unbound: int
    uses: Uses
    claimed: Callable[[Mapping[str, Quotas]], frozenset[str]]


Chooser = Callable[[Held], Decision]


def peek(
    pool: Pool, namespace: str, choose: Chooser, with_demands: bool = False, shared: Sequence[str] = ()
) -> Decision:
    """Decide without writing, about a Workflow that names the locks and caches `shared`: for dry runs and questions.

    Here and below, `with_demands` is whether a target's limits need more than the totals of live reservations.
    """
    with pool.transaction() as connection:
        return choose(_held(connection, namespace, with_demands, shared))


def admit(pool: Pool, new: NewPlacement, choose: Chooser, with_demands: bool = False) -> Decision:
    """Decide about a new Workflow and, unless it is refused, write its placement.

    Raises Busy if too many placements of its user or namespace have no origin yet.

    Of several creates with one name only one can succeed, so reservations of earlier ones without an origin are freed
    first. If such an origin appears after all, its placement is queued again.
    """
    with pool.transaction() as connection:
        lock(connection, new.namespace)
        if new.name is not None:
            _give_back(connection, new.namespace, new.name)
        _check_unbound(connection, new.namespace, new.identity)
        sharing.lock(connection, new.shared.names)
        decision = _decide(connection, new, choose, with_demands)
        if decision.outcome is not Outcome.REFUSED:
            _insert(connection, new, decision)
        return decision


def preflight_refused(
    pool: Pool, new: NewPlacement, refused_by: Mapping[str, str], choose: Chooser, with_demands: bool = False
) -> Decision:
    """Decide again for a placement whose dry run targets refused; delete it if the new decision is a refusal.

    A second create of its name may have released its room meanwhile; the room it gets now is held all the same.
    """
    with pool.transaction() as connection:
        lock(connection, new.namespace)
        sharing.lock(connection, new.shared.names)
        connection.execute("UPDATE workflows SET cluster = NULL WHERE placement = %s", (new.placement,))
        decision = _decide(connection, new, choose, with_demands)
        if decision.outcome is Outcome.REFUSED:
            connection.execute("DELETE FROM workflows WHERE placement = %s", (new.placement,))
            return decision
        connection.execute(
            "UPDATE workflows SET state = %s, cluster = %s, reason = %s, refused_by = %s, released_at = NULL, "
            "reserved_cpu_milli = %s, reserved_memory_bytes = %s, placed_at = CASE WHEN %s THEN now() END "
            "WHERE placement = %s",
            (
                _state(decision),
                decision.cluster,
                storable(decision.shown),
                Jsonb(storable(dict(refused_by))),
                *reserved_by(decision),
                decision.cluster is not None,
                new.placement,
            ),
        )
        keep_decisions(connection, {new.placement: decision})
        return decision


def runs_seen(pool: Pool, namespace: str, since: float, *, now: float, with_demands: bool = False) -> list[Reservation]:
    """The reservations of a namespace whose pods samples may show: live ones, and those released after `since`.

    `since` is the time of the oldest sample in use. All times are seconds by the clock that now says `now`; only how
    long ago a release was is known by the ledger's.
    """
    query = (
        "SELECT placement, cluster, run_name, coalesce(reserved_cpu_milli, cpu_milli) AS cpu, "
        f"coalesce(reserved_memory_bytes, memory_bytes) AS memory, {'demands' if with_demands else 'NULL'} AS demands, "
        "extract(epoch FROM now() - released_at)::float8 AS ago FROM workflows "
        "WHERE namespace = %(namespace)s AND cluster IS NOT NULL AND run_name IS NOT NULL AND released_at "
    )
    with pool.transaction() as connection:
        rows = connection.execute(
            f"{query} IS NULL UNION ALL {query} >= now() - make_interval(secs => %(seconds)s)",
            {"namespace": namespace, "seconds": now - since},
        )
        return [_reservation(row, now) for row in rows]


def _reservation(row: Mapping[str, Any], now: float) -> Reservation:
    totals = Totals(row["cpu"], row["memory"])
    return Reservation(
        row["placement"],
        row["cluster"],
        totals,
        row["run_name"],
        None if row["ago"] is None else now - row["ago"],
        read_demands(row["demands"]) or plain_demands(totals),
    )


def lock(connection: Connection, namespace: str) -> None:
    """Lock a namespace: until the transaction ends, nobody else can reserve room in it."""
    connection.execute("SELECT pg_advisory_xact_lock(1, hashtext(%s))", (namespace,))


def keep_decisions(connection: Connection, decisions: Mapping[str, Decision]) -> None:
    """Write decisions down, by placement."""
    connection.execute(
        "INSERT INTO decisions (placement, outcome, cluster, detail) "
        "SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[])",
        (
            list(decisions),
            [str(decision.outcome) for decision in decisions.values()],
            [decision.cluster for decision in decisions.values()],
            [Jsonb(storable(decision.as_json())) for decision in decisions.values()],
        ),
    )


def target_values(
    connection: Connection, namespace: str, targets: Mapping[str, Quotas], *, caches_tie: bool
) -> dict[str, list[Any]]:
    """The values of TARGETS and WAITS_FOR_TARGET: targets with their quotas.

    `caches_tie` is whether a row waits for the target of its cache only. That is so unless that target can't be used,
    which the ledger does not know.
    """
    misfits = list(_misfits(connection, namespace, targets))
    uses = sharing.uses_of_queue(connection, namespace) if targets else {}
    ties = {name: use for name, use in uses.items() if caches_tie or not is_cache(name)}
    return {
        "names": list(targets),
        "cpus": [one.hard.cpu_milli for one in targets.values()],
        "memories": [one.hard.memory_bytes for one in targets.values()],
        "misfit_names": [name for name, _, _ in misfits],
        "misfit_keys": [key for _, key, _ in misfits],
        "misfit_elastic": [elastic for _, _, elastic in misfits],
        "tie_names": list(ties),
        "tie_clusters": [use.cluster for use in ties.values()],
    }


def reserved_by(decision: Decision) -> tuple[int | None, int | None]:
    """CPU and memory that a decision reserves, if that is not what the Workflow needs at its peak."""
    reserved = decision.reserved
    return (None, None) if reserved is None else (reserved.cpu_milli, reserved.memory_bytes)


def _misfits(connection: Connection, namespace: str, targets: Mapping[str, Quotas]) -> Iterator[tuple[str, str, bool]]:
    """Targets, and what is in the queue that their limits never allow: by the key of its demands, and if elastic."""
    limited = {name: one.limits for name, one in targets.items() if one.limits}
    if not limited:
        return
    rows = connection.execute(
        "SELECT demands_key AS key, pod_cpu_milli IS NOT NULL AS elastic, (array_agg(demands))[1] AS demands "
        f"FROM workflows WHERE {WAITING} AND demands_key IS NOT NULL "
        "GROUP BY demands_key, pod_cpu_milli IS NOT NULL",
        {"namespace": namespace},
    ).fetchall()
    for row in rows:
        demands = read_demands(row["demands"])
        for name, limits in limited.items():
            if demands is not None and never_fits(limits, demands, elastic=row["elastic"]):
                yield name, row["key"], row["elastic"]


def _held(connection: Connection, namespace: str, with_demands: bool, shared: Sequence[str]) -> Held:
    reserved, unbound = reserved_room(connection, namespace, with_demands=with_demands)

    def claimed(targets: Mapping[str, Quotas]) -> frozenset[str]:
        return _claimed(connection, namespace, targets)

    return Held(reserved, unbound, sharing.uses_of(connection, shared), claimed)


def _decide(connection: Connection, new: NewPlacement, choose: Chooser, with_demands: bool) -> Decision:
    """The decision, with its place in the queue if it has to wait there."""
    decision = choose(_held(connection, new.namespace, with_demands, new.shared.names))
    queued = decision.outcome is Outcome.QUEUED
    return replace(decision, place=place_of_next(connection, new.namespace)) if queued else decision


def _claimed(connection: Connection, namespace: str, targets: Mapping[str, Quotas]) -> frozenset[str]:
    """Which of `targets` a queued Workflow waits for.

    Only those with an origin count: others may never get one. For each target the search ends at the first Workflow
    that waits for it, usually the head of the queue.
    """
    rows = connection.execute(
        f"SELECT target.name FROM {TARGETS} WHERE EXISTS (SELECT FROM workflows WHERE {WAITING} "
        f"AND {WAITS_FOR_TARGET} "
        "AND NOT coalesce(lacked_by ? target.name, false))",
        {"namespace": namespace, **target_values(connection, namespace, targets, caches_tie=True)},
    )
    return frozenset(row["name"] for row in rows)


def _give_back(connection: Connection, namespace: str, name: str) -> None:
    connection.execute(
        "UPDATE workflows SET state = 'expired', released_at = now() WHERE namespace = %s AND name = %s "
        "AND bound_at IS NULL AND state IN ('queued', 'reserved', 'split')",
        (namespace, name),
    )


def _check_unbound(connection: Connection, namespace: str, identity: str) -> None:
    """Keep the ledger from filling up with Workflows that are submitted, but never come into being."""
    row = connection.execute(
        "SELECT count(*) AS all, count(*) FILTER (WHERE identity = %s) AS own FROM workflows "
        "WHERE namespace = %s AND bound_at IS NULL AND state IN ('queued', 'reserved', 'split')",
        (identity, namespace),
    ).fetchone()
    assert row is not None
    if row["own"] >= UNBOUND_PER_USER:
        raise _too_many(row["own"], f"that {quoted(identity)} submitted to namespace {namespace}", UNBOUND_PER_USER)
    if row["all"] >= UNBOUND_PER_NAMESPACE:
        raise _too_many(row["all"], f"that were submitted to namespace {namespace}", UNBOUND_PER_NAMESPACE)


def _too_many(count: int, which: str, most: int) -> Busy:
    return Busy(
        f"{count} Workflows {which} have not been seen at the front door yet, and Medea accepts no more than {most}; "
        "try again in a minute or two"
    )


def _state(decision: Decision) -> State:
    return {Outcome.PLACED: State.RESERVED, Outcome.SPLIT: State.SPLIT}.get(decision.outcome, State.QUEUED)


def _insert(connection: Connection, new: NewPlacement, decision: Decision) -> None:
    reserved_cpu, reserved_memory = reserved_by(decision)
    row: dict[str, Any] = {
        "placement": new.placement,
        "state": _state(decision),
        "name": new.name,
        "generate_name": new.generate_name,
        "namespace": new.namespace,
        "template": new.template,
        "cluster": decision.cluster,
        "reason": storable(decision.shown),
        "cpu": new.totals.cpu_milli,
        "memory": new.totals.memory_bytes,
        "pod_cpu": new.largest_pod.cpu_milli if new.largest_pod else None,
        "pod_memory": new.largest_pod.memory_bytes if new.largest_pod else None,
        "reserved_cpu": reserved_cpu,
        "reserved_memory": reserved_memory,
        "policy": new.policy,
        "only": None if new.only_clusters is None else list(new.only_clusters),
        "identity": new.identity,
        "original": Jsonb(kept(new.original)),
        "hold": new.hold,
        # Never made storable: another spelling would be another user. A review that can't be stored was refused.
        "submitter": Jsonb(new.submitter.as_json()) if new.submitter else None,
        "demands": Jsonb(storable(new.demands.as_json())) if new.demands is not None else None,
        "demands_key": new.demands.key if new.demands is not None else None,
        "refers": Jsonb(storable([one.as_json() for one in new.refers])) if new.refers else None,
        "shared_names": list(new.shared.names) or None,
    }
    connection.execute(
        """
        INSERT INTO workflows (placement, state, name, generate_name, namespace, template, cluster, reason, cpu_milli,
                               memory_bytes, pod_cpu_milli, pod_memory_bytes, reserved_cpu_milli,
                               reserved_memory_bytes, policy, only_clusters, identity, original, hold, submitter,
                               demands, demands_key, refers, shared_names, placed_at)
        VALUES (%(placement)s, %(state)s, %(name)s, %(generate_name)s, %(namespace)s, %(template)s, %(cluster)s,
                %(reason)s, %(cpu)s, %(memory)s, %(pod_cpu)s, %(pod_memory)s, %(reserved_cpu)s,
                %(reserved_memory)s, %(policy)s, %(only)s, %(identity)s, %(original)s, %(hold)s, %(submitter)s,
                %(demands)s, %(demands_key)s, %(refers)s, %(shared_names)s,
                CASE WHEN %(cluster)s::text IS NOT NULL THEN now() END)
        """,
        row,
    )
    if new.split is not None:
        splits.insert(connection, new.placement, new.namespace, new.split)
    keep_decisions(connection, {new.placement: decision})
