"""Rows of Workflows that are split, and of their chunks. Every write is safe to repeat.

A chunk is cut here before anybody creates it, in one transaction with how far the items are cut by then. So each item
is in exactly one chunk, whoever dies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from webhook.ledger.pool import Connection, Pool
from webhook.model.json_input import storable
from webhook.splitting.asked import Asked, NewSplit
from webhook.splitting.chunk import chunk_name
from webhook.splitting.cut import Span
from webhook.splitting.gather import Left, left_of

_CHUNK = (
    "number, spans, name, uid, cluster, phase, message, done, moving, moves, avoid, begun_at, ended_at, "
    "(extract(epoch FROM coalesce(paused_at, ended_at, now()) - begun_at) - paused)::float8 AS seconds"
)


@dataclass(frozen=True)
class Split:
    """A row: `cut` of the `items` are in chunks."""

    asked: Asked
    items: int
    cut: int
    created_at: datetime


@dataclass(frozen=True)
class Chunk:
    """A chunk. `uid` is that of its Workflow once it is known to exist; `phase` is final; `done` are items."""

    number: int
    spans: tuple[Span, ...]
    name: str
    uid: str | None
    cluster: str | None
    phase: str | None
    message: str | None
    done: int
    moving: bool
    """It was stopped so that what is left of it goes elsewhere."""
    moves: int
    avoid: tuple[str, ...]
    """The targets from which its items were taken."""
    begun_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    """For how long it has run, or ran, without the time in which it was suspended."""

    @property
    def size(self) -> int:
        """Its items."""
        return sum(size for _, size in self.spans)


def insert(connection: Connection, placement: str, namespace: str, new: NewSplit) -> None:
    """Write a new one, in the transaction that writes its placement."""
    connection.execute(
        "INSERT INTO splits (placement, namespace, asked, items) VALUES (%s, %s, %s, %s)",
        (placement, namespace, new.asked.chunks, new.items),
    )


def get(pool: Pool, placement: str) -> Split | None:
    """The row of a placement; None if that is not split."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT asked, items, cut, created_at FROM splits WHERE placement = %s", (placement,)
        ).fetchone()
    return None if row is None else Split(Asked(row["asked"]), row["items"], row["cut"], row["created_at"])


def chunks(pool: Pool, placement: str) -> list[Chunk]:
    """Its chunks, in the order in which they were cut."""
    with pool.transaction() as connection:
        rows = connection.execute(
            f"SELECT {_CHUNK} FROM split_chunks WHERE placement = %s ORDER BY number", (placement,)
        ).fetchall()
    return [_chunk(row) for row in rows]


def results(pool: Pool, placement: str) -> dict[int, Left]:
    """What items have left, by their position."""
    with pool.transaction() as connection:
        rows = connection.execute("SELECT results FROM split_chunks WHERE placement = %s", (placement,)).fetchall()
    return {int(position): left_of(left) for row in rows for position, left in row["results"]}


def cut(pool: Pool, placement: str, sizes: Sequence[int], *, at: int, origin: str) -> bool:
    """Cut chunks of these sizes, beginning at item `at`. False if somebody else has cut there, or it is over.

    `origin` is the name of the Workflow.
    """
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT cut FROM splits JOIN workflows USING (placement) "
            "WHERE placement = %s AND state = 'split' FOR UPDATE OF splits",
            (placement,),
        ).fetchone()
        if row is None or row["cut"] != at:
            return False
        first, number = at, _next_number(connection, placement)
        for size in sizes:
            _add(connection, placement, number, ((first, size),), origin)
            first, number = first + size, number + 1
        connection.execute("UPDATE splits SET cut = %s WHERE placement = %s AND cut = %s", (first, placement, at))
        return True


def exists(pool: Pool, placement: str, number: int, uid: str) -> None:
    """Its Workflow is at the front door."""
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE split_chunks SET uid = %s WHERE placement = %s AND number = %s AND uid IS NULL",
            (uid, placement, number),
        )


def follow(
    pool: Pool, placement: str, number: int, *, cluster: str | None, done: int, runs: bool, suspended: bool = False
) -> None:
    """How far it is, where; `runs` is whether it has begun."""
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE split_chunks SET cluster = %(cluster)s, done = %(done)s, "
            "begun_at = coalesce(begun_at, CASE WHEN %(runs)s THEN now() END), "
            "paused = paused + CASE WHEN NOT %(suspended)s AND paused_at IS NOT NULL "
            "THEN extract(epoch FROM now() - paused_at) ELSE 0 END, "
            "paused_at = CASE WHEN %(suspended)s AND (begun_at IS NOT NULL OR %(runs)s) "
            "THEN coalesce(paused_at, now()) END "
            "WHERE placement = %(placement)s AND number = %(number)s AND phase IS NULL",
            {
                "cluster": cluster,
                "done": done,
                "runs": runs,
                "suspended": suspended,
                "placement": placement,
                "number": number,
            },
        )


def is_moved(pool: Pool, name: str, uid: str) -> bool:
    """Whether what was left of the chunk with this Workflow was to go elsewhere."""
    with pool.transaction() as connection:
        row = connection.execute("SELECT moving FROM split_chunks WHERE name = %s AND uid = %s", (name, uid)).fetchone()
    return row is not None and bool(row["moving"])


def move(pool: Pool, placement: str, number: int) -> None:
    """It is about to be stopped, so that what is left of it goes elsewhere."""
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE split_chunks SET moving = true WHERE placement = %s AND number = %s AND phase IS NULL",
            (placement, number),
        )


@dataclass(frozen=True)
class ChunkEnd:
    """How a chunk has ended. `left` is what its items have left, by their position in the whole; `done` are items.

    `spans` are what counts as its own, and `elsewhere` what a new chunk takes over.
    """

    phase: str
    message: str
    done: int
    left: Mapping[int, Left]
    spans: Sequence[Span]
    cluster: str | None = None
    elsewhere: Sequence[Span] = ()


def end(pool: Pool, placement: str, chunk: Chunk, ended: ChunkEnd, *, origin: str) -> bool:
    """Note the end of a chunk, and in the same transaction the new one for what goes elsewhere.

    False if it was known before.
    """
    left = [[position, one.as_json()] for position, one in sorted(ended.left.items())]
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE split_chunks SET phase = %s, message = %s, done = %s, results = %s, spans = %s, "
            "cluster = coalesce(%s, cluster), ended_at = now() WHERE placement = %s AND number = %s AND phase IS NULL",
            (
                ended.phase,
                storable(ended.message),
                ended.done,
                Jsonb(storable(left)),
                Jsonb([list(span) for span in ended.spans]),
                ended.cluster,
                placement,
                chunk.number,
            ),
        )
        if done.rowcount and ended.elsewhere:
            # As cutting does: of two who take the next number, one waits.
            connection.execute("SELECT FROM splits WHERE placement = %s FOR UPDATE", (placement,))
            number = _next_number(connection, placement)
            where = ended.cluster or chunk.cluster
            avoid = dict.fromkeys([*chunk.avoid, *([where] if where else [])])
            _add(connection, placement, number, ended.elsewhere, origin, moves=chunk.moves + 1, avoid=list(avoid))
        return done.rowcount == 1


def finish(pool: Pool, placement: str, *, phase: str, message: str, outcome: Mapping[str, Any]) -> bool:
    """All chunks have ended. False if it was stopped, or deleted, or is known to have ended."""
    kept = storable({"phase": phase, "message": message, "outcome": dict(outcome)})
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE workflows SET state = 'ended', phase = %s, message = %s, outcome = %s, reason = NULL, "
            "ended_at = now(), released_at = now() WHERE placement = %s AND state = 'split'",
            (kept["phase"], kept["message"], Jsonb(kept["outcome"]), placement),
        )
        return done.rowcount == 1


def _next_number(connection: Connection, placement: str) -> int:
    row = connection.execute(
        "SELECT coalesce(max(number) + 1, 0) AS next FROM split_chunks WHERE placement = %s", (placement,)
    ).fetchone()
    assert row is not None
    return int(row["next"])


def _add(
    connection: Connection,
    placement: str,
    number: int,
    spans: Sequence[Span],
    origin: str,
    *,
    moves: int = 0,
    avoid: Sequence[str] = (),
) -> None:
    connection.execute(
        "INSERT INTO split_chunks (placement, number, spans, name, moves, avoid) VALUES (%s, %s, %s, %s, %s, %s)",
        (
            placement,
            number,
            Jsonb([list(span) for span in spans]),
            chunk_name(origin, placement, number),
            moves,
            list(avoid),
        ),
    )


def _chunk(row: Mapping[str, Any]) -> Chunk:
    fields = dict(row)
    spans = tuple((int(first), int(size)) for first, size in fields.pop("spans"))
    return Chunk(spans=spans, avoid=tuple(fields.pop("avoid")), **fields)
