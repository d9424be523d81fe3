"""A worker runs a command for each job that it holds, and writes down what became of it."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.test_class_leases import NAME, due, queued, row
from webhook.doors.broker import Message, Outcome
from webhook.doors.classes.command import Command
from webhook.doors.classes.queue import job_in, message_of
from webhook.doors.classes.rules import JobClass, RunBy
from webhook.doors.classes.worker import Worker
from webhook.errors import LedgerUnavailable, MedeaError
from webhook.ledger import class_jobs, class_leases
from webhook.ledger.class_jobs import JobState
from webhook.ledger.pool import Pool

MakeWorker = Callable[..., Worker]
GONE = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def worker(pool: Pool) -> MakeWorker:
    """Makes a worker that runs a script."""

    def make(script: str, *, holder: str = "a", lease: float = 60.0, **limits: Any) -> Worker:
        command = Command(["sh", "-c", script], {"PATH": os.environ["PATH"]})
        return Worker(pool, NAME, JobClass(RunBy.WORKERS, **limits), command, holder, lease)

    return make


def test_a_command_is_told_of_its_job_and_the_job_is_done(pool: Pool, worker: MakeWorker, tmp_path: Path) -> None:
    job = queued(pool)
    assert worker(f"cat > {tmp_path}/told; env > {tmp_path}/env").handle(message_of(job)) is Outcome.DONE
    assert json.loads((tmp_path / "told").read_text()) == {
        "job_id": job,
        "payload": {
            "rows": 1000,
            "estimated_runtime_sec": 10.0,
            "priority": "normal",
            "latency_sensitive": True,
            "data": {"a": 1},
        },
    }
    told = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert {name: value for name, value in told.items() if name.startswith("MEDEA_")} == {
        "MEDEA_JOB_ID": job,
        "MEDEA_JOB_CLASS": NAME,
        "MEDEA_JOB_ROWS": "1000",
        "MEDEA_JOB_RUNTIME": "10",
        "MEDEA_JOB_PRIORITY": "normal",
        "MEDEA_JOB_DELIVERY": "1",
    }
    assert row(pool, job).state == JobState.DONE


def test_a_message_that_comes_twice_runs_nothing_twice(pool: Pool, worker: MakeWorker, tmp_path: Path) -> None:
    job = queued(pool)
    one = worker(f"echo x >> {tmp_path}/runs")
    assert [one.handle(message_of(job)) for _ in range(3)] == [Outcome.DONE] * 3
    assert (tmp_path / "runs").read_text() == "x\n"


def test_a_command_that_has_ended_well_is_not_run_again_because_its_folder_stays(
    pool: Pool, worker: MakeWorker
) -> None:
    job = queued(pool)
    one = worker('folder="$PWD"; cd ..; rmdir "$folder"; : > "$folder"')
    assert one.handle(message_of(job)) is Outcome.DONE
    assert (row(pool, job).state, row(pool, job).reason) == (JobState.DONE, "")


def test_a_job_that_another_worker_holds_is_left_to_it(pool: Pool, worker: MakeWorker) -> None:
    job = queued(pool)
    class_leases.claim(pool, job, name=NAME, holder="b", lease=60, deliveries=3)
    assert worker("exit 1").handle(message_of(job)) is Outcome.DONE
    assert (row(pool, job).state, row(pool, job).deliveries) == (JobState.RUNNING, 1)


def test_a_command_that_fails_is_run_again_until_its_job_is_a_dead_letter(pool: Pool, worker: MakeWorker) -> None:
    job = queued(pool)
    failing = worker("echo no such table >&2; exit 3", deliveries=2)
    due(pool)
    assert failing.handle(message_of(job)) is Outcome.DONE
    assert (row(pool, job).state, row(pool, job).reason) == (JobState.QUEUED, "exit code 3: no such table")
    assert due(pool) == []  # It waits a little.
    assert failing.handle(message_of(job)) is Outcome.DEAD
    found = row(pool, job)
    assert (found.state, found.reason, found.deliveries) == (JobState.FAILED, "exit code 3: no such table", 2)
    assert failing.handle(message_of(job)) is Outcome.DONE


def test_a_job_whose_workers_died_as_often_as_it_may_be_begun_is_a_dead_letter(pool: Pool, worker: MakeWorker) -> None:
    job = queued(pool)
    class_leases.claim(pool, job, name=NAME, holder="b", lease=0, deliveries=1)
    assert worker("exit 0", deliveries=1).handle(message_of(job)) is Outcome.DEAD
    assert row(pool, job).reason == "its worker was gone before it had ended"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"\xff", b'{"job_id": 7}', b'{"job_id": "x"}', b"[" * 100_000]
)
def test_a_message_that_is_no_jobs_is_a_dead_letter(worker: MakeWorker, body: bytes) -> None:
    assert worker("exit 0").handle(Message(body)) is Outcome.DEAD


def test_a_message_of_a_job_that_is_gone_is_dropped(worker: MakeWorker) -> None:
    assert worker("exit 0").handle(message_of(GONE)) is Outcome.DONE
    assert job_in(message_of(GONE)) == GONE


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_has_started(
    pool: Pool, worker: MakeWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.doors.classes.command.WATCHED", 0.05)
    monkeypatch.setattr("webhook.doors.classes.command.COMMAND_END", 0.3)
    job = queued(pool)
    script = f"trap '' TERM; sleep 300 & echo $! > {tmp_path}/child; wait; sleep 300"
    assert worker(script, longest=5, deliveries=1).handle(message_of(job)) is Outcome.DEAD
    assert row(pool, job).reason == "it took longer than 5 s"
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    until = time.monotonic() + 30
    while child.exists() and child.read_text().split()[2] != "Z":
        assert time.monotonic() < until


def test_a_command_whose_worker_has_lost_its_job_is_killed(
    pool: Pool, worker: MakeWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.doors.classes.command.WATCHED", 0.05)
    monkeypatch.setattr("webhook.doors.classes.worker.HEARTBEAT", 0.1)
    job = queued(pool)

    def take_over() -> None:
        while row(pool, job).state != JobState.RUNNING:
            time.sleep(0.02)
        with pool.transaction() as connection:
            connection.execute("UPDATE class_jobs SET holder = 'b' WHERE id = %s", (job,))

    other = threading.Thread(target=take_over)
    other.start()
    assert worker(f"sleep 300; touch {tmp_path}/effect").handle(message_of(job)) is Outcome.DONE
    other.join()
    assert not (tmp_path / "effect").exists()
    assert row(pool, job).state == JobState.RUNNING


def test_a_command_whose_lease_can_not_be_renewed_is_killed_before_it_is_over(
    pool: Pool, worker: MakeWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.doors.classes.command.WATCHED", 0.05)

    def away(*_: Any, **__: Any) -> bool:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(class_leases, "renew", away)
    job = queued(pool)
    assert worker(f"sleep 300; touch {tmp_path}/effect", lease=1.0).handle(message_of(job)) is Outcome.DONE
    assert not (tmp_path / "effect").exists()


def test_a_command_does_not_outlive_its_lease_while_the_ledger_keeps_a_renewal_waiting(
    pool: Pool, worker: MakeWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.doors.classes.command.WATCHED", 0.05)
    monkeypatch.setattr("webhook.doors.classes.worker.WATCHED", 0.05)

    def hangs(*_: Any, **__: Any) -> bool:
        time.sleep(12)
        return True

    monkeypatch.setattr(class_leases, "renew", hangs)
    job = queued(pool)
    assert worker(f"sleep 9; touch {tmp_path}/effect", lease=6.0).handle(message_of(job)) is Outcome.DONE
    assert not (tmp_path / "effect").exists()


def test_a_long_command_keeps_its_job(pool: Pool, worker: MakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.doors.classes.command.WATCHED", 0.05)
    job = queued(pool)
    assert worker("sleep 9", lease=6.0).handle(message_of(job)) is Outcome.DONE
    assert (row(pool, job).state, row(pool, job).deliveries) == (JobState.DONE, 1)


def test_an_end_that_the_ledger_could_not_take_is_written_later(
    pool: Pool, worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.doors.classes.worker.WORKER_PAUSE", 0.01)
    finish, times = class_leases.finish, iter((True, True, False))

    def sometimes(*values: Any, **more: Any) -> bool:
        if next(times):
            raise LedgerUnavailable("away")
        return finish(*values, **more)

    monkeypatch.setattr(class_leases, "finish", sometimes)
    job = queued(pool)
    assert worker("exit 0").handle(message_of(job)) is Outcome.DONE
    assert row(pool, job).state == JobState.DONE


def test_while_the_ledger_is_away_nothing_is_begun(
    pool: Pool, worker: MakeWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(class_leases, "claim", away)
    with pytest.raises(LedgerUnavailable):
        worker(f"touch {tmp_path}/effect").handle(message_of(queued(pool)))
    assert not (tmp_path / "effect").exists()


def test_what_a_command_says_is_cut_and_safe_to_store(pool: Pool, worker: MakeWorker) -> None:
    job = queued(pool)
    script = r"head -c 300000 /dev/zero | tr '\0' 'x' >&2; printf '\0\377 the end' >&2; exit 1"
    worker(script, deliveries=1).handle(message_of(job))
    assert row(pool, job).reason.endswith("\ufffd\ufffd the end")
    assert len(row(pool, job).reason) < 2100


def test_a_program_that_is_not_there_is_told_before_anything_is_taken() -> None:
    with pytest.raises(MedeaError, match="there is no program no-such"):
        Command(["no-such"], {"PATH": os.environ["PATH"]}).check()
    Command(["sh"], {"PATH": os.environ["PATH"]}).check()


def test_a_job_that_was_cleaned_up_is_over(pool: Pool, worker: MakeWorker) -> None:
    job = queued(pool)
    with pool.transaction() as connection:
        connection.execute("UPDATE class_jobs SET state = 'cleaned' WHERE id = %s", (job,))
    assert worker("exit 0").handle(message_of(job)) is Outcome.DONE
    class_jobs.forget(pool, job)
    assert worker("exit 0").handle(message_of(job)) is Outcome.DONE
