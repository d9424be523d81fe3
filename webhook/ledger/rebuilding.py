"""Writes rows again after the ledger was lost."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from webhook.ledger.pool import Pool
from webhook.model.contract import Hold, State
from webhook.model.json_input import storable
from webhook.model.run import Original, kept
from webhook.references.model import References
from webhook.totals.model import Totals


@dataclass(frozen=True)
class Rebuilt:
    """A row as it can be rebuilt from the clusters. Times are RFC 3339; `original` is None if it is lost."""

    placement: str
    state: State
    name: str
    generate_name: str | None
    namespace: str
    template: str | None
    origin_uid: str
    totals: Totals
    largest_pod: Totals | None
    policy: str
    only_clusters: tuple[str, ...] | None
    identity: str
    hold: Hold
    created_at: str
    original: Original | None
    reason: str | None = None
    cluster: str | None = None
    run_name: str | None = None
    run_uid: str | None = None
    dispatched_at: str | None = None
    phase: str | None = None
    message: str | None = None
    end_shown: bool = False
    shared: tuple[str, ...] = ()
    refers: References = ()


def known(pool: Pool, placements: Iterable[str]) -> set[str]:
    """Those of the placements that have a row in the ledger."""
    with pool.transaction() as connection:
        rows = connection.execute("SELECT placement FROM workflows WHERE placement = ANY(%s)", (list(placements),))
        return {row["placement"] for row in rows}


def insert(pool: Pool, row: Rebuilt) -> bool:
    """Write a row, unless the placement or the origin has one already; returns whether it was written."""
    apart = ("original", "totals", "largest_pod", "shared", "refers")
    values = storable({key: value for key, value in vars(row).items() if key not in apart})
    original = storable(dict(kept(row.original))) if row.original else {}
    with pool.transaction() as connection:
        written = connection.execute(
            """
            INSERT INTO workflows (placement, state, name, generate_name, namespace, template, cluster, origin_uid,
                                   run_name, run_uid, phase, message, reason, cpu_milli, memory_bytes,
                                   pod_cpu_milli, pod_memory_bytes, policy,
                                   only_clusters, identity, original, mirrored, run_kept, hold, created_at, bound_at,
                                   placed_at, dispatched_at, shared_names, refers, ended_at, released_at)
            VALUES (%(placement)s, %(state)s, %(name)s, %(generate_name)s, %(namespace)s, %(template)s, %(cluster)s,
                    %(origin_uid)s, %(run_name)s, %(run_uid)s, %(phase)s, %(message)s, %(reason)s, %(cpu)s, %(memory)s,
                    %(pod_cpu)s, %(pod_memory)s, %(policy)s, %(only_clusters)s, %(identity)s, %(original)s,
                    %(end_shown)s,
                    %(run_uid)s::text IS NOT NULL, %(hold)s, %(created_at)s, now(), %(dispatched_at)s,
                    %(dispatched_at)s, %(shared)s, %(refers)s, CASE WHEN %(state)s = 'ended' THEN now() END,
                    CASE WHEN %(state)s = 'ended' THEN now() END)
            ON CONFLICT DO NOTHING
            """,
            {
                **values,
                "original": Jsonb(original),
                "shared": list(row.shared) or None,
                "refers": Jsonb(storable([one.as_json() for one in row.refers])) if row.refers else None,
                "cpu": row.totals.cpu_milli,
                "memory": row.totals.memory_bytes,
                "pod_cpu": row.largest_pod.cpu_milli if row.largest_pod else None,
                "pod_memory": row.largest_pod.memory_bytes if row.largest_pod else None,
            },
        )
        return written.rowcount == 1
