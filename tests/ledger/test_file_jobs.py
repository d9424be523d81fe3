"""Rows of jobs with files: taken in order within the limit, by one of several at a time; removed when they are old."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import cast

import psycopg
import pytest
from psycopg.rows import dict_row

from webhook.ledger import file_jobs
from webhook.ledger.file_jobs import Job, JobState, Line
from webhook.ledger.pool import Connection, Pool
from webhook.model.limits.files import RETIRE_MOST

LINE = Line("ns", "example", "1")


def queued(pool: Pool, user: str = "1", service: str = "example") -> int:
    """A job that waits."""
    job = file_jobs.receive(pool, namespace="ns", uploader="portal", folder="files/0123456789abcdef")
    assert file_jobs.queue(pool, job, user_id=user, service=service)
    return job


def row(pool: Pool, job: int) -> Job:
    """Its row."""
    found = file_jobs.get(pool, job)
    assert found is not None
    return found


def test_jobs_are_taken_in_order_and_within_the_limit(pool: Pool) -> None:
    jobs = [queued(pool) for _ in range(7)]
    assert [job.id for job in file_jobs.take(pool, LINE, limit=3)] == jobs[:3]
    file_jobs.exists(pool, jobs[0], "u")
    # Those whose Workflow is not known to exist are there again.
    assert [job.id for job in file_jobs.take(pool, LINE, limit=3)] == jobs[1:3]
    assert file_jobs.end(pool, jobs[0], JobState.DONE, "")
    assert [job.id for job in file_jobs.take(pool, LINE, limit=3)] == jobs[1:4]
    assert row(pool, jobs[3]).workflow == f"files-{jobs[3]}-89abcdef"


def test_each_user_and_service_has_a_line_of_its_own(pool: Pool) -> None:
    mine, yours, other = queued(pool), queued(pool, user="2"), queued(pool, service="more")
    assert [job.id for job in file_jobs.take(pool, LINE, limit=1)] == [mine]
    assert set(file_jobs.waiting_lines(pool, "ns")) == {Line("ns", "example", "2"), Line("ns", "more", "1")}
    assert {row(pool, yours).state, row(pool, other).state} == {JobState.QUEUED}


def test_several_that_take_at_once_stay_within_the_limit(pool: Pool) -> None:
    for _ in range(30):
        queued(pool)
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: file_jobs.take(pool, LINE, limit=5), range(12)))
    assert len(file_jobs.submitted(pool, "ns", after=None, limit=10)) == 5


def test_what_is_submitted_is_read_a_few_at_a_time_and_each_once(pool: Pool) -> None:
    # In an order in which neither ids nor users nor services alone could be gone through.
    lines = [("2", "example"), ("1", "more"), ("2", "example"), ("1", "example"), ("2", "a"), ("1", "example")]
    jobs = [queued(pool, user, service) for user, service in lines]
    for user, service in lines:
        file_jobs.take(pool, Line("ns", service, user), limit=2)
    waits = queued(pool)
    pages: list[list[Job]] = []
    while page := file_jobs.submitted(pool, "ns", after=pages[-1][-1] if pages else None, limit=2):
        pages.append(page)
    assert [len(page) for page in pages] == [2, 2, 2]
    assert sorted(job.id for page in pages for job in page) == jobs and row(pool, waits).state == JobState.QUEUED


def test_an_end_is_told_once(pool: Pool) -> None:
    job = queued(pool)
    assert not file_jobs.end(pool, job, JobState.DONE, "")
    file_jobs.take(pool, LINE, limit=1)
    assert file_jobs.end(pool, job, JobState.FAILED, "why\0")
    assert not file_jobs.end(pool, job, JobState.DONE, "")
    assert (row(pool, job).state, row(pool, job).reason) == (JobState.FAILED, "why�")


def test_an_upload_that_was_given_up_is_never_queued(pool: Pool) -> None:
    job = file_jobs.receive(pool, namespace="ns", uploader="portal", folder="f")
    file_jobs.give_up(pool, job)
    assert not file_jobs.queue(pool, job, user_id="1", service="example")
    queued_job = queued(pool)
    file_jobs.give_up(pool, queued_job)
    assert row(pool, queued_job).state == JobState.QUEUED


def age(pool: Pool, job: int, hours: int) -> None:
    """Let time pass for one job."""
    with pool.transaction() as connection:
        connection.execute(
            "UPDATE file_jobs SET created_at = created_at - make_interval(hours => %s), "
            "ended_at = ended_at - make_interval(hours => %s) WHERE id = %s",
            (hours, hours, job),
        )


def test_what_is_old_is_removed_and_what_waits_or_runs_is_not(pool: Pool) -> None:
    done, fresh, running, waiting = (queued(pool) for _ in range(4))
    file_jobs.take(pool, LINE, limit=3)
    for job in (done, fresh):
        file_jobs.end(pool, job, JobState.DONE, "")
    lost = file_jobs.receive(pool, namespace="ns", uploader="portal", folder="f")
    arriving = file_jobs.receive(pool, namespace="ns", uploader="portal", folder="f")
    for job in (done, running, waiting, lost):
        age(pool, job, 49)
    assert file_jobs.retire(pool, keep=48 * 3600, abandoned=3600) == 2
    assert [job.id for job in file_jobs.cleaned(pool, after=0, limit=10)] == [done, lost]
    for job in (done, lost, fresh):
        file_jobs.forget(pool, job)
    assert file_jobs.get(pool, done) is None
    assert [row(pool, job).state for job in (fresh, running, waiting, arriving)] == [
        JobState.DONE,
        JobState.SUBMITTED,
        JobState.QUEUED,
        JobState.RECEIVING,
    ]
    assert file_jobs.counts(pool) == {"submitted": 1, "queued": 1, "receiving": 1}


def test_very_many_that_are_old_are_marked_some_at_a_time(pool: Pool) -> None:
    with pool.transaction() as connection:
        connection.execute(
            "INSERT INTO file_jobs (namespace, uploader, folder, state, ended_at) "
            "SELECT 'ns', '', 'f', 'done', now() - interval '1 day' FROM generate_series(1, %s)",
            (RETIRE_MOST + 1,),
        )
    assert [file_jobs.retire(pool, keep=3600, abandoned=3600) for _ in range(3)] == [RETIRE_MOST, 1, 0]


def test_two_that_mark_at_once_do_not_wait_for_each_other(pool: Pool) -> None:
    with pool.transaction() as connection:
        connection.execute(
            "INSERT INTO file_jobs (namespace, uploader, folder, state, ended_at) "
            "VALUES ('ns', '', 'f', 'done', now() - interval '1 day')"
        )
    with pool.transaction() as connection:
        connection.execute("SELECT id FROM file_jobs FOR UPDATE")
        assert file_jobs.retire(pool, keep=3600, abandoned=3600) == 0
    assert file_jobs.retire(pool, keep=3600, abandoned=3600) == 1


def test_an_id_that_was_given_is_known_after_its_row_is_gone(pool: Pool) -> None:
    job = queued(pool)
    with pool.transaction() as connection:
        connection.execute("DELETE FROM file_jobs")
    assert file_jobs.was_given(pool, job)
    assert not file_jobs.was_given(pool, job + 1)


def test_a_job_that_has_no_workflow_for_long_is_held_up(pool: Pool) -> None:
    made, waits = queued(pool), queued(pool)
    assert [job.id for job in file_jobs.take(pool, LINE, limit=5)] == [made, waits]
    file_jobs.exists(pool, made, "u")
    assert (file_jobs.held_up(pool, 3600), file_jobs.held_up(pool, -1)) == (0, 1)


def test_so_many_jobs_of_a_user_are_queued(pool: Pool) -> None:
    for service in ("example", "more", "more"):
        queued(pool, service=service)
    queued(pool, user="2")
    found = [file_jobs.are_queued(pool, namespace="ns", user_id="1", number=number) for number in (1, 3, 4)]
    assert found == [True, True, False]


Ask = Callable[[Pool], object]
_ASKED: dict[str, Ask] = {
    "take": lambda pool: file_jobs.take(pool, Line("ns", "example", "user-0"), limit=5),
    "waiting_lines": lambda pool: file_jobs.waiting_lines(pool, "ns"),
    "held_up": lambda pool: file_jobs.held_up(pool, 60),
    "submitted": lambda pool: file_jobs.submitted(pool, "ns", after=None, limit=10),
    "cleaned": lambda pool: file_jobs.cleaned(pool, after=0, limit=10),
    "retire": lambda pool: file_jobs.retire(pool, keep=3600, abandoned=3600),
    "are_queued": lambda pool: file_jobs.are_queued(pool, namespace="ns", user_id="user-0", number=100),
}


class OneConnection:
    """A pool of a single connection, which counts what it reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._connection.transaction():
            yield self._connection


@pytest.fixture
def many(pool: Pool, dsn: str) -> Iterator[Pool]:
    """5,000 jobs that are done and 5,000 that wait, most of one user."""
    assert pool
    with psycopg.connect(dsn, row_factory=dict_row, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO file_jobs (namespace, uploader, folder, user_id, service, state, ended_at) "
            "SELECT 'ns', 'portal', 'f/01234567', 'user-' || (CASE WHEN n % 1000 = 0 THEN n / 1000 ELSE 0 END), "
            "'example', (CASE WHEN n % 2 = 0 THEN 'queued' ELSE 'done' END), now() FROM generate_series(1, 10000) n"
        )
        connection.execute("ANALYZE file_jobs")
        yield cast("Pool", OneConnection(cast("Connection", connection)))


@pytest.mark.parametrize("call", _ASKED)
def test_what_is_asked_costs_as_much_as_it_finds_and_not_as_much_as_there_is(many: Pool, call: str) -> None:
    before = _read(many)
    _ASKED[call](many)
    assert _read(many) - before < 1000


def _read(pool: Pool) -> int:
    """How many rows and entries of indexes were read of the table so far."""
    with pool.transaction() as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
    with pool.transaction() as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(
            "SELECT sum(seq_tup_read) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes "
            "WHERE relname = 'file_jobs') AS read FROM pg_stat_user_tables WHERE relname = 'file_jobs'"
        ).fetchone()
    return int(row["read"]) if row else 0
