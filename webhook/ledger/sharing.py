"""Where the locks and caches are in use that Workflows name.

A name is in use where a live placement has it. A cache that none has is where a run that named it was created last.
Whoever decides by that holds the names' locks until it has written: names are shared across namespaces.
"""

from collections.abc import Sequence

from webhook.ledger.connection import Connection
from webhook.ledger.line import WAITING
from webhook.model.limits.ledger import NAME_LOCKS
from webhook.model.shared_names import Kind, is_cache
from webhook.scout.sharing import Use, Uses, ties_of

_LIVE = "shared_names IS NOT NULL AND cluster IS NOT NULL AND released_at IS NULL"
_QUEUED = f"{WAITING} AND shared_names IS NOT NULL"


def lock(connection: Connection, names: Sequence[str]) -> None:
    """Lock these names: until the transaction ends, nobody else can begin to use them.

    It is the last lock that a transaction takes, all at once and in one order, so that no two wait for each other.
    """
    if names:
        # Some names have the same lock: a batch of the queue may name a thousand, and Postgres has some thousand locks.
        connection.execute(
            "SELECT pg_advisory_xact_lock(3, hash) FROM "
            "(SELECT DISTINCT hashtext(name) & %s AS hash FROM unnest(%s::text[]) AS name ORDER BY hash) AS ordered",
            (NAME_LOCKS - 1, list(names)),
        )


def uses_of(connection: Connection, names: Sequence[str]) -> Uses:
    """Where each of the names is in use, and by whom first; those that are in use nowhere are missing.

    Reads the live placements that have one of the names. A search that may stop at the first would make Postgres guess
    that it is near, and go through all live ones.
    """
    if not names:
        return {}
    uses = _in_use(connection, names, "AND shared_names && %(names)s::text[]")
    return uses | _last_used(connection, [name for name in names if is_cache(name) and name not in uses])


def uses_of_queue(connection: Connection, namespace: str) -> Uses:
    """Where the names are in use that a namespace's queue has.

    Reads only Workflows that share anything: those in the queue, and all live ones, each once. An intersection never
    compares each with each, however wrong Postgres guesses how many there are.
    """
    rows = connection.execute(
        f"SELECT unnest(shared_names) AS shared FROM workflows WHERE {_QUEUED} "
        f"INTERSECT SELECT unnest(shared_names) FROM workflows WHERE {_LIVE} "
        f"AND EXISTS (SELECT FROM workflows WHERE {_QUEUED})",
        {"namespace": namespace},
    )
    uses = _in_use(connection, [row["shared"] for row in rows])
    rows = connection.execute(
        f"SELECT DISTINCT shared FROM workflows, unnest(shared_names) AS shared "
        f"WHERE {_QUEUED} AND starts_with(shared, '{Kind.CACHE}/')",
        {"namespace": namespace},
    )
    return uses | _last_used(connection, [name for row in rows if (name := row["shared"]) not in uses])


def _in_use(connection: Connection, names: Sequence[str], narrowed: str = "") -> dict[str, Use]:
    if not names:
        return {}
    rows = connection.execute(
        "SELECT DISTINCT ON (shared) shared, cluster, namespace, "
        "coalesce(name, generate_name || '…', placement) AS holder FROM workflows, unnest(shared_names) AS shared "
        f"WHERE {_LIVE} {narrowed} AND shared = ANY (%(names)s::text[]) ORDER BY shared, seq",
        {"names": list(names)},
    )
    return {row["shared"]: Use(row["cluster"], row["namespace"], row["holder"]) for row in rows}


def _last_used(connection: Connection, caches: Sequence[str]) -> dict[str, Use]:
    if not caches:
        return {}
    rows = connection.execute("SELECT name, cluster FROM caches WHERE name = ANY(%s)", (list(caches),))
    return {row["name"]: Use(row["cluster"]) for row in rows}


def locked_elsewhere(connection: Connection, placement: str) -> str | None:
    """Which lock that an ended placement names is in use on another target than its own, in words; None if none is.

    Its locks stay locked until the transaction ends.
    """
    row = connection.execute(
        "SELECT namespace, cluster, shared_names FROM workflows WHERE placement = %s AND shared_names IS NOT NULL",
        (placement,),
    ).fetchone()
    if row is None:
        return None
    locks = [name for name in row["shared_names"] if not is_cache(name)]
    lock(connection, locks)
    ties = ties_of(locks, uses_of(connection, locks), row["namespace"])
    return next((tie.words for tie in ties if tie.cluster != row["cluster"]), None)


def remember(connection: Connection, names: Sequence[str], cluster: str) -> None:
    """Note that the caches among these names are now on `cluster`, where a run was created that uses them."""
    caches = sorted(name for name in names if is_cache(name))
    if caches:
        connection.execute(
            "INSERT INTO caches (name, cluster) SELECT unnest(%s::text[]), %s "
            "ON CONFLICT (name) DO UPDATE SET cluster = excluded.cluster, used_at = now()",
            (caches, cluster),
        )


def forget(connection: Connection, *, days: float, most: int) -> int:
    """Forget up to `most` caches that no run was created for in so many days; returns how many."""
    return connection.execute(
        "DELETE FROM caches WHERE name IN (SELECT name FROM caches "
        "WHERE used_at < now() - make_interval(secs => %s) ORDER BY used_at LIMIT %s)",
        (days * 86400, most),
    ).rowcount
