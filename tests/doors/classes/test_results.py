"""The files that jobs leave are in a real store, can be downloaded, and are removed with the job."""

import errno
import io
import os
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.doors.classes.test_following import age
from tests.doors.classes.world import ACTOR, KEEP, SPARK, World
from tests.doors.door_world import sweep_while_these_stay
from tests.doors.files.world import packed
from tests.support.s3_server import S3Server
from webhook.doors.broker import Outcome
from webhook.doors.classes.command import Command
from webhook.doors.classes.queue import message_of
from webhook.doors.classes.results import Results
from webhook.doors.classes.rules import JobClass, RunBy
from webhook.doors.classes.worker import Lost, Worker
from webhook.doors.store import Store
from webhook.ledger import class_jobs
from webhook.ledger.pool import Pool

MAKES = "mkdir sub; echo one > a.txt; head -c 300000 /dev/urandom > sub/b; ln -s /etc/passwd link"


@pytest.fixture
def world(pool: Pool, store: Store) -> World:
    """A door with a store."""
    return World(pool, results=Results(store, "medea/files"))


def run(world: World, job: str, script: str, **more: Any) -> Outcome:
    """A worker runs it."""
    command = Command(["sh", "-ec", script], {"PATH": os.environ["PATH"]})
    worker = Worker(world.pool, "actor-jobs", JobClass(RunBy.WORKERS), command, "a", results=world.results, **more)
    return worker.handle(message_of(job))


def files(world: World, job: str) -> dict[str, bytes]:
    """What is in its results.zip."""
    answer = world.ask(f"/jobs/{job}/results")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_a_workers_command_leaves_can_be_downloaded(world: World, s3: S3Server) -> None:
    job = world.submit(ACTOR)
    assert world.ask(f"/jobs/{job}/results").status_code == 404
    assert run(world, job, MAKES) is Outcome.DONE
    found = files(world, job)
    assert set(found) == {"a.txt", "sub/b"}
    assert (found["a.txt"], len(found["sub/b"])) == (b"one\n", 300_000)
    assert s3.keys == [f"medea/files/classes/{job}/results.tgz"]


def test_a_file_with_two_names_is_there_under_both(world: World) -> None:
    job = world.submit(ACTOR)
    run(world, job, "echo one > a.txt; ln a.txt b.txt")
    assert files(world, job) == {"a.txt": b"one\n", "b.txt": b"one\n"}


def test_a_command_that_leaves_nothing_or_fails_has_no_files(world: World, s3: S3Server) -> None:
    for script in ("exit 0", "echo half > a.txt; exit 1"):
        job = world.submit(ACTOR)
        run(world, job, script)
        assert world.ask(f"/jobs/{job}/results").status_code == 404
    assert s3.keys == []


def test_a_job_is_done_when_the_store_is_back(world: World, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.doors.classes.results.WORKER_PAUSE", 0.1)
    job = world.submit(ACTOR)
    s3.kill()
    working = threading.Thread(target=lambda: run(world, job, MAKES))
    working.start()
    while world.row(job).state != "running":
        time.sleep(0.02)
    s3.start()
    working.join(120)
    assert (world.row(job).state, world.row(job).deliveries) == ("done", 1)
    assert set(files(world, job)) == {"a.txt", "sub/b"}


def test_a_store_that_hangs_does_not_cost_a_worker_its_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Store.write

    def late(self: Store, key: str, pieces: Any) -> None:
        time.sleep(16)
        write(self, key, pieces)

    monkeypatch.setattr(Store, "write", late)
    job = world.submit(ACTOR)
    assert run(world, job, MAKES, lease=12.0) is Outcome.DONE
    assert (world.row(job).state, world.row(job).deliveries) == ("done", 1)


def test_a_job_that_was_lost_while_its_files_are_stored_is_left_to_the_next(
    world: World, tmp_path: Path, s3: S3Server
) -> None:
    (tmp_path / "a").write_bytes(b"x")

    def lost() -> None:
        raise Lost

    assert world.results is not None
    with pytest.raises(Lost):
        world.results.keep("11111111-1111-1111-1111-111111111111", tmp_path, lost)
    assert s3.keys == []


def test_a_workflow_is_told_where_to_leave_its_files(world: World, store: Store) -> None:
    job = world.submit(SPARK)
    world.work()
    told = {one["name"]: one["value"] for one in world.workflows()[0]["spec"]["arguments"]["parameters"]}
    assert told["results"] == f"medea/files/classes/{job}/results.tgz"
    store.write(told["results"], iter([packed({"out.csv": b"1,2"})]))
    assert world.ask(f"/jobs/{job}/results").status_code == 404
    world.end(job)
    world.work()
    assert files(world, job) == {"out.csv": b"1,2"}
    assert world.ask(f"/jobs/{job}/results", token="eves").status_code == 403


def test_what_is_old_is_removed_with_its_files(world: World, s3: S3Server) -> None:
    old, fresh = world.submit(SPARK), world.submit(SPARK)
    world.work()
    for job in (old, fresh):
        assert world.results is not None
        world.results.store.write(world.results.key(job), iter([packed({"a": b"1"})]))
        world.end(job)
    world.work()
    age(world, old, KEEP + 60)
    world.sweep.run()
    assert s3.keys == [f"medea/files/classes/{fresh}/results.tgz"]


def test_files_that_the_store_refuses_to_remove_hold_up_the_removal_of_no_other(
    world: World, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.doors.classes.sweep.CLEAN_BATCH", 2)
    jobs = [world.submit(ACTOR) for _ in range(5)]
    for job in jobs:
        run(world, job, "echo one > a.txt")
        age(world, job, KEEP + 60)
    refused = {f"medea/files/classes/{job}/results.tgz" for job in jobs[:3]}
    sweep_while_these_stay(world.sweep.run, s3, refused, "medea_class_sweep_failed_total", monkeypatch)
    assert [class_jobs.get(world.pool, job) is None for job in jobs] == [False] * 3 + [True] * 2
    world.sweep.run()
    assert (s3.keys, world.rows()) == ([], 0)


def test_files_that_can_not_be_kept_are_a_reason_and_the_job_is_begun_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("webhook.doors.classes.results._pack", full)
    job = world.submit(ACTOR)
    assert run(world, job, MAKES) is Outcome.DONE
    assert world.row(job).state == "queued"
    assert world.row(job).reason == "its folder could not be worked with: No space left on device"


def test_files_with_any_name_are_kept(world: World) -> None:
    job = world.submit(ACTOR)
    assert run(world, job, r"echo 1 > $(printf '\377'); echo 2 > 'a b'; mkfifo pipe; ln -s . loop") is Outcome.DONE
    assert len(files(world, job)) == 2
