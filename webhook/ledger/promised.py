"""What the live reservations of a namespace hold on each target."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from webhook.ledger.connection import Connection
from webhook.ledger.placement import read_demands
from webhook.model.limits.ledger import DEMANDS_KEPT
from webhook.model.limits.scout import CLAIMS_MADE
from webhook.scout.limits import Holders
from webhook.scout.model import Promised, plain_demands
from webhook.totals.demands import Demands
from webhook.totals.model import Totals

_LIVE = "namespace = %(namespace)s AND cluster IS NOT NULL AND released_at IS NULL"
_SUMS = (
    "sum(coalesce(reserved_cpu_milli, cpu_milli))::bigint AS cpu, "
    "sum(coalesce(reserved_memory_bytes, memory_bytes))::bigint AS memory"
)
_known: dict[str, Demands | None] = {}
"""By their key: the same key never means anything else."""


def reserved_room(
    connection: Connection, namespace: str, *, with_demands: bool = False
) -> tuple[dict[str, Promised], int]:
    """What the live reservations on each target hold, and how many reservations in total have no origin yet.

    `with_demands` is whether a target's limits need more of them than the sum of their totals.
    """
    rows = connection.execute(
        f"SELECT cluster, {_SUMS}, "
        f"count(*) FILTER (WHERE bound_at IS NULL) AS unbound FROM workflows WHERE {_LIVE} GROUP BY cluster",
        {"namespace": namespace},
    ).fetchall()
    held = _held(connection, namespace) if with_demands and rows else {}
    reserved = {
        row["cluster"]: Promised(Totals(row["cpu"], row["memory"]), held.get(row["cluster"], {})) for row in rows
    }
    return reserved, sum(row["unbound"] for row in rows)


def _held(connection: Connection, namespace: str) -> Mapping[str, Mapping[Demands, Holders]]:
    """By target. Rows of a version without demands count together, with the sum of their totals."""
    rows = connection.execute(
        "SELECT cluster, demands_key AS key, count(*) AS all, "
        "count(*) FILTER (WHERE dispatched_at IS NULL) AS without_run, count(*) FILTER (WHERE dispatched_at IS NULL "
        "OR dispatched_at > now() - make_interval(secs => %(seconds)s)) AS without_claims "
        f"FROM workflows WHERE {_LIVE} AND demands_key IS NOT NULL GROUP BY cluster, demands_key",
        {"namespace": namespace, "seconds": CLAIMS_MADE},
    ).fetchall()
    known = _bodies(connection, namespace, {row["key"] for row in rows})
    found: dict[str, dict[Demands, Holders]] = defaultdict(dict)
    for row in rows:
        demands = known.get(row["key"])
        if demands is not None:
            found[row["cluster"]][demands] = Holders(row["all"], row["without_run"], row["without_claims"])
    older = connection.execute(
        f"SELECT cluster, {_SUMS} FROM workflows WHERE {_LIVE} AND demands_key IS NULL GROUP BY cluster",
        {"namespace": namespace},
    )
    for row in older:
        found[row["cluster"]][plain_demands(Totals(row["cpu"], row["memory"]))] = Holders(all=1)
    return found


def _bodies(connection: Connection, namespace: str, keys: Collection[str]) -> Mapping[str, Demands | None]:
    """The demands with these keys; one row with each is read, and kept in mind."""
    unknown = [key for key in keys if key not in _known]
    if unknown:
        if len(_known) + len(unknown) > DEMANDS_KEPT:
            _known.clear()
            unknown = list(keys)
        rows = connection.execute(
            f"SELECT key, (SELECT demands FROM workflows WHERE {_LIVE} AND demands_key = key LIMIT 1) AS demands "
            "FROM unnest(%(keys)s::text[]) AS key",
            {"namespace": namespace, "keys": unknown},
        )
        _known.update({row["key"]: read_demands(row["demands"]) for row in rows if row["demands"] is not None})
    return _known
