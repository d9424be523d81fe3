"""Jobs with files on real clusters: the Orchestrator's calls, its own experiment, and a store that is killed."""

import io
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.end_to_end.files_door import LIMIT, URL, FilesDoor, files_door
from tests.end_to_end.objects import annotations, runs_of, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import WorkspaceMaker

pytestmark = pytest.mark.long

# The original has 250; on two cores with three clusters each job's pod takes seconds.
JOBS = int(os.environ.get("MEDEA_FILE_JOBS", "25"))
SCRIPT = (
    "#!/bin/bash\n# Pretend we are calculating something\nsleep 1\necho 'This is a downloadable file.' > output.txt\n"
)
MOST_MEMORY = 300
_LONG = 120 + 20.0 * JOBS


@pytest.fixture(scope="module")
def door(make_workspace: WorkspaceMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilesDoor]:
    """A door over a namespace of its own."""
    with files_door(make_workspace(), tmp_path_factory.mktemp("files") / "s3") as found:
        yield found


def ids_running(door: FilesDoor) -> list[int]:
    """The jobs whose Workflow is at the front door and has not ended."""
    return [
        int(one["metadata"]["labels"]["medea.dev/file-job"])
        for one in workflows("front", door.workspace.name)
        if (one.get("status") or {}).get("phase") not in ("Succeeded", "Failed", "Error")
    ]


def done(door: FilesDoor, jobs: Sequence[int], within: float) -> int:
    """Wait until all are done; how many ran at once at most, and never more than the limit."""
    most, left = 0, list(jobs)
    until = time.monotonic() + within
    while left:
        assert time.monotonic() < until, f"{len(left)} of {len(jobs)} jobs are not done"
        running = ids_running(door)
        assert len(running) <= LIMIT, running
        most = max(most, len(running))
        states = {job: door.head(job) for job in left[: 2 * LIMIT]}
        failed = {job: door.reason(job) for job, status in states.items() if status not in (200, 202)}
        assert not failed, failed
        left = [job for job in left if states.get(job) != 200]
        time.sleep(0.5)
    return most


def output_of(job: int) -> bytes:
    """`output.txt` of a job's results.zip."""
    answer = requests.get(f"{URL}/download/{job}", timeout=60)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as results:
        assert results.testzip() is None
        return results.read("output.txt")


def ran_once(door: FilesDoor, jobs: Sequence[int]) -> None:
    """Each job has one Workflow at the front door, and one run."""
    mine = workflows("front", door.workspace.name)
    by_job = [int(one["metadata"]["labels"]["medea.dev/file-job"]) for one in mine]
    assert sorted(job for job in by_job if job in jobs) == sorted(jobs)
    for one in mine:
        if int(one["metadata"]["labels"]["medea.dev/file-job"]) in jobs:
            assert len(runs_of(annotations(one)["placement"])) == 1


@pytest.mark.timeout(900, func_only=True)
def test_the_orchestrators_own_commands_work_as_they_are_written(door: FilesDoor, tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text(SCRIPT)
    (tmp_path / "2oob.pdb").write_text("ATOM\n")

    def curl(words: str) -> str:
        there = words.replace("localhost:5000", URL.removeprefix("http://"))
        return subprocess.run(
            ["sh", "-ec", there], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120
        ).stdout

    said = curl(
        'curl -s -X POST http://localhost:5000/upload -F "file=@run.sh" -F "file=@2oob.pdb" -F "user_id=1" '
        '-F "service=example"'
    )
    job = json.loads(said)
    assert {"id", "user_id", "service", "status", "loc", "dest_id"} == set(job)
    assert (job["user_id"], job["service"], job["status"], job["dest_id"]) == (1, "example", "Queued", "")
    number = job["id"]
    assert "202" in curl(f"curl -s -I http://localhost:5000/download/{number}").splitlines()[0]
    eventually(
        lambda: "202" not in curl(f"curl -s -I http://localhost:5000/download/{number}").splitlines()[0],
        "the job has ended",
        within=240,
    )
    assert "200" in curl(f"curl -s -I http://localhost:5000/download/{number}")
    curl(f"curl -s -o results.zip http://localhost:5000/download/{number}")
    with zipfile.ZipFile(tmp_path / "results.zip") as results:
        assert results.read("output.txt") == b"This is a downloadable file.\n"
        assert {"run.sh", "2oob.pdb"} <= set(results.namelist())
    assert "404" in curl("curl -s -I http://localhost:5000/download/999999").splitlines()[0]
    ran_once(door, [number])


def test_a_script_that_fails_is_a_failed_job(door: FilesDoor) -> None:
    job = door.upload("exit 3\n", user="failing")
    eventually(lambda: door.head(job) == 204, "the job has failed", within=240)
    reason = door.reason(job)
    assert "exit code 3" in reason or "Failed" in reason


@pytest.mark.timeout(_LONG * 2, func_only=True)
def test_many_uploads_of_one_user_run_in_order_and_five_at_once(door: FilesDoor) -> None:
    # One after the other, as the original does it: of several at once none is the first.
    jobs = [door.upload(SCRIPT, user="many") for _ in range(JOBS)]
    assert done(door, jobs, _LONG) > 1
    mine = [one for one in workflows("front", door.workspace.name) if _user(one) == "many"]
    mine.sort(key=lambda one: int(one["metadata"]["labels"]["medea.dev/file-job"]))
    created = [one["metadata"]["creationTimestamp"] for one in mine]
    assert created == sorted(created)
    assert {output_of(job) for job in jobs} == {b"This is a downloadable file.\n"}
    ran_once(door, jobs)


def _user(workflow: dict[str, object]) -> str:
    return annotations(workflow).get("file-user", "")


@pytest.mark.timeout(900, func_only=True)
def test_the_store_and_the_door_are_killed_and_no_job_is_lost_or_runs_twice(door: FilesDoor) -> None:
    # So long that none has ended when the store goes, however long the uploads take.
    jobs = [door.upload(SCRIPT.replace("sleep 1", "sleep 15"), user="killed") for _ in range(7)]
    eventually(lambda: len(ids_running(door)) == LIMIT, "five are under way")
    door.s3.kill()
    door.kill()
    door.start()
    answer = requests.post(
        f"{URL}/upload",
        files={"file": ("run.sh", SCRIPT)},
        data={"user_id": "killed", "service": "example"},
        timeout=180,
    )
    assert answer.status_code == 503
    # Long enough for all five to end without their store.
    time.sleep(25)
    assert [door.head(job) for job in jobs] == [202] * len(jobs)
    door.s3.start()
    done(door, jobs, 400)
    assert {output_of(job) for job in jobs} == {b"This is a downloadable file.\n"}
    ran_once(door, jobs)


def test_its_memory_stays_small_however_much_is_uploaded(door: FilesDoor) -> None:
    def upload(size: int) -> int:
        answer = requests.post(
            f"{URL}/upload",
            files={"file": ("run.sh", bytes(size))},
            data={"user_id": f"large-{size}", "service": "example"},
            timeout=300,
        )
        return answer.status_code

    with ThreadPoolExecutor(64) as threads:
        # `make bench-files` has the thousand, and a file of 1.5 GiB.
        assert set(threads.map(upload, [256 << 20, *[1 << 20] * 100])) == {200}
    assert door.memory() < MOST_MEMORY


def test_its_pages_can_be_read_in_a_browser(door: FilesDoor) -> None:
    assert door.process is not None
    document = requests.get(f"{URL}/apidoc/openapi.json", timeout=60).json()
    assert {"/upload", "/download/{number}"} <= set(document["paths"])
    assert requests.get(f"{URL}/apidoc/swagger/", timeout=60).status_code == 200
