"""Rows of jobs that workers run: published until confirmed, held by one at a time, ended once."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from webhook.ledger import class_jobs, class_leases
from webhook.ledger.class_jobs import Job, JobState, NewJob
from webhook.ledger.class_leases import Claim, Due
from webhook.ledger.pool import Pool

NAME = "actor-jobs"


def queued(pool: Pool, **other: Any) -> str:
    """A job that waits for a worker."""
    job = str(uuid.uuid4())
    about: dict[str, Any] = {"name": NAME, "run_by": "workers", "workflow": "", **other}
    class_jobs.insert(
        pool,
        NewJob(
            id=job,
            namespace="ns",
            submitter="ann\0",
            rows=1000,
            runtime=10.0,
            priority="normal",
            latency_sensitive=True,
            data={"a": 1},
            cost=1.0,
            **about,
        ),
    )
    return job


def row(pool: Pool, job: str) -> Job:
    """Its row."""
    found = class_jobs.get(pool, job)
    assert found is not None
    return found


def due(pool: Pool, again: float = 60) -> list[Due]:
    """What is to be published."""
    return class_leases.due(pool, "ns", again=again, limit=100)


def claim(pool: Pool, job: str, holder: str = "a", *, lease: float = 60, deliveries: int = 3) -> Claim:
    """An attempt to hold it."""
    found, held = class_leases.claim(pool, job, name=NAME, holder=holder, lease=lease, deliveries=deliveries)
    assert (held is not None) == (found in (Claim.HELD, Claim.USED_UP))
    return found


def test_a_job_is_due_until_it_is_published(pool: Pool) -> None:
    jobs = [queued(pool) for _ in range(3)]
    found = due(pool, again=0)
    assert [one.id for one in found] == jobs
    class_leases.published(pool, found[0])
    assert [one.id for one in due(pool)] == jobs[1:]
    assert due(pool) == []


def test_a_job_that_was_not_confirmed_is_due_again(pool: Pool) -> None:
    job = queued(pool)
    class_leases.unpublished(pool, due(pool), again=0)
    assert [one.id for one in due(pool)] == [job]


def test_a_confirmation_that_comes_late_takes_no_other_publication_back(pool: Pool) -> None:
    job = queued(pool)
    [late] = due(pool)
    assert claim(pool, job) is Claim.HELD
    assert class_leases.again(pool, job, "exit code 1", holder="a", after=0)
    class_leases.published(pool, late)
    assert [one.id for one in due(pool)] == [job]


def test_several_that_look_at_once_publish_each_once(pool: Pool) -> None:
    jobs = [queued(pool) for _ in range(40)]
    with ThreadPoolExecutor(6) as threads:
        found = [one.id for part in threads.map(lambda _: due(pool), range(12)) for one in part]
    assert sorted(found) == sorted(jobs)


def test_one_of_several_that_want_a_job_holds_it(pool: Pool) -> None:
    job = queued(pool)
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda holder: claim(pool, job, holder), "abcdef"))
    assert sorted(found) == sorted([Claim.HELD, *[Claim.BUSY] * 5])
    assert row(pool, job).deliveries == 1


def test_a_job_ends_once_and_is_over_for_others(pool: Pool) -> None:
    job = queued(pool)
    claim(pool, job)
    assert class_leases.finish(pool, job, JobState.DONE, "", holder="a")
    assert not class_leases.finish(pool, job, JobState.FAILED, "why", holder="a")
    assert claim(pool, job, "b") is Claim.OVER
    assert (row(pool, job).state, row(pool, job).reason) == (JobState.DONE, "")
    assert due(pool) == []


def test_a_holder_that_is_gone_is_followed_by_another_and_changes_nothing_any_more(pool: Pool) -> None:
    job = queued(pool)
    claim(pool, job, lease=0)
    assert [one.id for one in due(pool)] == [job]
    assert not class_leases.renew(pool, job, holder="a", lease=60)
    assert claim(pool, job, "b") is Claim.HELD
    assert not class_leases.finish(pool, job, JobState.DONE, "", holder="a")
    assert not class_leases.again(pool, job, "", holder="a", after=0)
    assert class_leases.renew(pool, job, holder="b", lease=60)
    assert class_leases.finish(pool, job, JobState.DONE, "", holder="b")
    assert row(pool, job).deliveries == 2


def test_a_lease_that_is_over_may_be_taken_before_anybody_has_published_it_again(pool: Pool) -> None:
    job = queued(pool)
    claim(pool, job, lease=0)
    assert claim(pool, job, "b") is Claim.HELD


def test_an_end_that_came_late_counts_as_long_as_nobody_has_begun_the_job_again(pool: Pool) -> None:
    job = queued(pool)
    claim(pool, job, lease=0)
    due(pool)
    assert class_leases.finish(pool, job, JobState.DONE, "", holder="a")
    assert claim(pool, job, "b") is Claim.OVER


def test_a_job_that_was_begun_as_often_as_it_may_be_has_failed(pool: Pool) -> None:
    job = queued(pool)
    for _ in range(2):
        assert claim(pool, job, lease=0, deliveries=2) is Claim.HELD
    assert claim(pool, job, "b", deliveries=2) is Claim.USED_UP
    assert row(pool, job).reason == "its worker was gone before it had ended"
    assert claim(pool, job, "b", deliveries=2) is Claim.OVER


def test_a_held_job_that_was_begun_as_often_as_it_may_be_is_left_to_its_holder(pool: Pool) -> None:
    job = queued(pool)
    assert claim(pool, job, deliveries=1) is Claim.HELD
    assert claim(pool, job, "b", deliveries=1) is Claim.BUSY
    assert row(pool, job).state == JobState.RUNNING


@pytest.mark.parametrize("about", [{"name": "other"}, {"run_by": "workflow", "workflow": "w"}])
def test_a_job_of_another_class_or_kind_is_never_held(pool: Pool, about: dict[str, str]) -> None:
    assert claim(pool, queued(pool, **about)) is Claim.OVER
    assert claim(pool, str(uuid.uuid4())) is Claim.OVER


def test_messages_that_were_lost_are_published_again(pool: Pool) -> None:
    lost, held, fresh = queued(pool), queued(pool), queued(pool)
    for one in due(pool):
        class_leases.published(pool, one)
    claim(pool, held)
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE class_jobs SET published_at = published_at - make_interval(secs => 61) WHERE id <> %s", (fresh,)
        )
    assert class_leases.missed(pool, "ns", NAME, empty=True, after=60) == 1
    assert [one.id for one in due(pool)] == [lost]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT id FROM class_jobs WHERE publish_at <= now() ORDER BY publish_at LIMIT 9", "class_jobs_due"),
        (
            "SELECT id FROM class_jobs WHERE namespace = 'ns' AND class = 'a' AND state = 'queued' AND publish_at IS "
            "NULL AND published_at < now()",
            "class_jobs_open",
        ),
        ("SELECT class FROM class_jobs WHERE namespace = 'ns' AND state IN ('queued', 'submitted')", "class_jobs_open"),
        ("SELECT id FROM class_jobs WHERE state IN ('done', 'failed') AND ended_at < now()", "class_jobs_ended"),
    ],
)
def test_what_is_asked_again_and_again_is_found_by_an_index(pool: Pool, question: str, index: str) -> None:
    queued(pool)
    with pool.transaction() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(f"EXPLAIN {question}").fetchall()
    assert any(index in str(line) for line in plan), plan
