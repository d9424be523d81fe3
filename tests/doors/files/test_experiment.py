"""The Orchestrator's own experiment, through real processes: 250 uploads by one user, five at a time.

The door, its ledger and its store are real, and are killed on the way. The scripts are run here, by what stands for
Argo; tests/end_to_end has it with Argo's executor and clusters.
"""

import io
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.doors.files.world import packed
from tests.end_to_end.waiting import eventually
from tests.support.door_process import NAMESPACE, DoorProcess, files_door, front_door
from tests.support.fake_apiserver import Call, FakeApiserver
from tests.support.s3_server import S3Server
from webhook.doors.store import Store
from webhook.errors import StoreUnavailable
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import FILE_JOB
from webhook.model.objects import Object

JOBS, LIMIT, PORT = 250, 5, 15012
SCRIPT = "#!/bin/bash\nsleep 0.2\necho 'This is a downloadable file.' > output.txt\n"
_AGAIN = 0.1


class Argo:
    """Runs what is submitted, as the example's template does, and waits for a store that is away."""

    def __init__(self, fake: FakeApiserver, store: Store, folder: Path) -> None:
        self.fake, self.store, self.folder = fake, store, folder
        self.begun: list[int] = []
        """The jobs in the order in which they were seen first."""
        self.runs: list[int] = []
        """A job for each time that its script was run."""
        self.most = 0
        """How many had not ended at once, at most: looked at with each that is created."""
        fake.after = self._note
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(2 * LIMIT)

    def work(self) -> None:
        """Look for new Workflows until it is over."""
        known: set[str] = set()
        while not self._over.wait(_AGAIN):
            there = self.fake.all(WORKFLOWS, NAMESPACE)
            new = [one for one in there if one["metadata"]["uid"] not in known]
            for one in sorted(new, key=_job):
                known.add(one["metadata"]["uid"])
                self.begun.append(_job(one))
                self._pool.submit(self._run, one)

    def stop(self) -> None:
        """Look for no more."""
        self._over.set()
        self._pool.shutdown()

    def _note(self, call: Call) -> None:
        if call.verb == "create" and call.resource == WORKFLOWS.plural:
            there = self.fake.look(WORKFLOWS, NAMESPACE)
            self.most = max(self.most, sum(not (one.get("status") or {}).get("phase") for one in there))

    def _run(self, workflow: Object) -> None:
        arguments, job = workflow["spec"]["arguments"], _job(workflow)
        files = self._patiently(lambda: self._fetched(arguments["artifacts"][0]["s3"]["key"]))
        there = self.folder / workflow["metadata"]["uid"]
        with zipfile.ZipFile(io.BytesIO(files)) as archive:
            archive.extractall(there)
        self.runs.append(job)
        subprocess.run(["bash", "run.sh"], cwd=there / "job", check=True, timeout=60)
        results = packed({file.name: file.read_bytes() for file in (there / "job").iterdir()})
        key = arguments["parameters"][0]["value"]
        self._patiently(lambda: self._stored(key, results))
        self.fake.change(WORKFLOWS, NAMESPACE, workflow["metadata"]["name"], {"status": {"phase": "Succeeded"}})

    def _fetched(self, key: str) -> bytes:
        found = self.store.read(key)
        assert found is not None
        return b"".join(iter(found.read, b""))

    def _stored(self, key: str, results: bytes) -> bytes:
        self.store.write(key, iter([results]))
        return results

    def _patiently(self, do: Callable[[], bytes]) -> bytes:
        def tried() -> bytes:
            try:
                return do()
            except StoreUnavailable:
                return b""

        return eventually(tried, "the store answers", within=180)


def _job(workflow: Object) -> int:
    return int(workflow["metadata"]["labels"][FILE_JOB])


@pytest.fixture
def argo(s3: S3Server, tmp_path: Path) -> Iterator[Argo]:
    """What stands for Argo and the clusters."""
    found = Argo(FakeApiserver(), Store(s3.access), tmp_path / "runs")
    thread = threading.Thread(target=found.work)
    thread.start()
    yield found
    found.stop()
    thread.join()


@pytest.fixture
def door(argo: Argo, s3: S3Server, tmp_path: Path) -> Iterator[DoorProcess]:
    """The door's process."""
    settings = {"SERVICE_EXAMPLE_RUNS_PER_USER": str(LIMIT), "MEDEA_SWEEP_INTERVAL": "2"}
    with front_door(argo.fake) as front:
        found = files_door(tmp_path, s3, front, port=PORT, settings=settings)
        found.start()
        yield found
        found.stop()


def upload(door: DoorProcess) -> int:
    """An upload that is sent until it is taken; the id."""

    def sent() -> int:
        try:
            answer = requests.post(
                f"{door.url}/upload",
                files={"file": ("run.sh", SCRIPT)},
                data={"user_id": "1", "service": "example"},
                timeout=60,
            )
        except requests.ConnectionError:
            return 0
        return int(answer.json()["id"]) if answer.status_code == 200 else 0

    return eventually(sent, "an upload is taken", within=180)


def output_of(door: DoorProcess, job: int) -> bytes:
    """`output.txt` of the job, once it is done."""

    def status() -> int:
        try:
            return requests.head(f"{door.url}/download/{job}", timeout=60).status_code
        except requests.ConnectionError:
            return 0

    eventually(lambda: status() in (200, 204), f"job {job} is done", within=280)
    answer = requests.get(f"{door.url}/download/{job}", timeout=60)
    assert answer.status_code == 200, answer.headers
    with zipfile.ZipFile(io.BytesIO(answer.content)) as results:
        return results.read("output.txt")


@pytest.mark.timeout(900)
def test_250_uploads_of_one_user_run_in_order_five_at_once_though_store_and_door_are_killed(
    door: DoorProcess, argo: Argo, s3: S3Server
) -> None:
    jobs = [upload(door) for _ in range(JOBS)]
    # Some are done, five are under way, and most wait.
    s3.kill()
    door.kill()
    door.start()
    s3.start()
    assert {output_of(door, job) for job in jobs} == {b"This is a downloadable file.\n"}
    assert 1 < argo.most <= LIMIT
    assert argo.begun == jobs
    assert sorted(argo.runs) == jobs
