"""Whether an Argo controller works in a namespace, as it was found out. By the namespace's uid."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from webhook.ledger.pool import Pool


@dataclass(frozen=True)
class Verdict:
    """What is known of a namespace.

    `answered` is false while nobody knows yet.
    `controller` is the program that was seen at work. `age` is for how many seconds that has been known; while it is
    not, how old the probe is, as far as the clocks of ledger and front door agree.
    """

    answered: bool
    controller: str | None
    age: float


def verdict(pool: Pool, uid: str) -> Verdict | None:
    """What is known of a namespace; None if it was never asked."""
    with pool.transaction() as connection:
        row = connection.execute(
            "SELECT answered_at IS NOT NULL AS answered, controller, "
            "extract(epoch FROM now() - coalesce(answered_at, asked_at))::float8 AS age FROM quiet WHERE uid = %s",
            (uid,),
        ).fetchone()
    return Verdict(**row) if row else None


def asked(pool: Pool, uid: str, at: datetime) -> None:
    """A probe was made in it `at` that time: until it is answered nothing is known."""
    with pool.transaction() as connection:
        connection.execute(
            "INSERT INTO quiet (uid, asked_at) VALUES (%s, %s) ON CONFLICT (uid) DO UPDATE "
            "SET asked_at = excluded.asked_at, answered_at = NULL, controller = NULL",
            (uid, at),
        )


def answered(pool: Pool, uid: str, at: datetime, controller: str | None) -> None:
    """The probe that was made `at` that time was left alone (None), or taken up by a `controller`."""
    with pool.transaction() as connection:
        connection.execute(
            "INSERT INTO quiet (uid, asked_at, answered_at, controller) VALUES (%s, %s, now(), %s) "
            "ON CONFLICT (uid) DO UPDATE SET asked_at = excluded.asked_at, answered_at = now(), "
            "controller = excluded.controller",
            (uid, at, controller),
        )


def contradicted(pool: Pool, uid: str, controller: str, wrote: datetime) -> bool:
    """A controller has written to a Workflow there; whether that is news, and younger than the probe."""
    with pool.transaction() as connection:
        done = connection.execute(
            "UPDATE quiet SET answered_at = now(), controller = %s "
            "WHERE uid = %s AND answered_at IS NOT NULL AND controller IS NULL AND asked_at < %s",
            (controller, uid, wrote),
        )
    return done.rowcount == 1


def settled(pool: Pool) -> set[str]:
    """The uids of all namespaces whose probe was answered."""
    with pool.transaction() as connection:
        rows = connection.execute("SELECT uid FROM quiet WHERE answered_at IS NOT NULL").fetchall()
    return {str(row["uid"]) for row in rows}


def keep_only(pool: Pool, uids: Collection[str]) -> None:
    """Forget every other namespace."""
    with pool.transaction() as connection:
        connection.execute("DELETE FROM quiet WHERE NOT uid = ANY(%s)", (list(uids),))
