"""Job classes on real clusters: Workflows on the targets, workers that KEDA scales, and all of it killed."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.end_to_end.classes_door import ACTOR, URL, ClassesDoor, classes_door
from tests.end_to_end.objects import annotations, runs_of, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import WorkspaceMaker
from tests.lab import keda, supervisor
from tests.lab.lab import Lab

pytestmark = pytest.mark.long

LONG = 420.0


@pytest.fixture(scope="module")
def door(make_workspace: WorkspaceMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassesDoor]:
    """A door over a namespace of its own."""
    with classes_door(make_workspace(), tmp_path_factory.mktemp("classes") / "rabbit") as found:
        yield found


def many(door: ClassesDoor, count: int) -> list[str]:
    """So many jobs for workers."""
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda _: door.submit(ACTOR), range(count)))


def cooled_down(door: ClassesDoor) -> None:
    """Wait until there is one worker again."""
    eventually(lambda: door.workers() == (1, 1), lambda: f"one worker is left: {door.workers()}", within=LONG)


@pytest.mark.timeout(900, func_only=True)
def test_the_seeds_own_commands_work_as_they_are_written(door: ClassesDoor) -> None:
    def curl(words: str) -> dict[str, object]:
        there = words.replace("$API_URL", URL)
        done = subprocess.run(["sh", "-ec", there], check=True, capture_output=True, text=True, timeout=120)
        return dict(json.loads(done.stdout))

    head = 'curl -s -X POST "$API_URL/submit-job" -H "Content-Type: application/json" -d '
    actor = curl(head + """'{"latency_sensitive": true, "rows": 100, "estimated_runtime_sec": 1}'""")
    spark = curl(head + """'{"rows": 50000000, "estimated_runtime_sec": 300, "priority": "high"}'""")
    batch = curl(head + """'{"nr_of_rows": 10, "estimated_runtime": 1}'""")
    assert [one["class"] for one in (actor, spark, batch)] == ["actor-jobs", "spark-jobs", "batch-jobs"]
    assert {"actor-jobs", "spark-jobs", "ml-jobs", "batch-jobs"} == set(curl('curl -s "$API_URL/queues/status"'))
    found = door.done([str(one["job_id"]) for one in (actor, spark, batch)], within=LONG)
    assert [one["platform"] for one in found] == ["workers", "workflow", "workflow"]
    made = {one["metadata"]["labels"]["medea.dev/class-job"]: one for one in workflows("front", door.workspace.name)}
    assert set(made) == {spark["job_id"], batch["job_id"]}
    for one in made.values():
        assert len(runs_of(annotations(one)["placement"])) == 1


@pytest.mark.timeout(1200, func_only=True)
def test_workers_become_more_with_their_queue_and_fewer_after_it(door: ClassesDoor) -> None:
    cooled_down(door)
    jobs = many(door, 60)
    eventually(lambda: door.workers()[1] >= 3, lambda: f"there are more workers: {door.workers()}", within=LONG)
    found = door.done(jobs, within=LONG)
    assert {one["deliveries"] for one in found} == {1}
    cooled_down(door)


@pytest.mark.timeout(900, func_only=True)
def test_workers_are_killed_and_their_jobs_are_done_later(door: ClassesDoor) -> None:
    jobs = many(door, 3)
    eventually(lambda: door.queues()["actor-jobs"]["running"], "a job runs")
    killed = door.kill_workers()
    again = sum(one["deliveries"] for one in door.done(jobs, within=LONG)) - len(jobs)
    assert 1 <= again <= killed


@pytest.mark.timeout(900, func_only=True)
def test_rabbitmq_is_killed_and_no_job_is_lost_or_begun_twice(door: ClassesDoor) -> None:
    jobs = many(door, 4)
    eventually(lambda: door.queues()["actor-jobs"]["running"], "a job runs")
    door.rabbit.kill()
    jobs += many(door, 4)
    door.rabbit.start()
    assert {one["deliveries"] for one in door.done(jobs, within=LONG)} == {1}


@pytest.mark.timeout(1200, func_only=True)
def test_keda_is_killed_and_jobs_are_done_by_the_workers_that_are_there(door: ClassesDoor) -> None:
    cooled_down(door)
    for name in (keda.OPERATOR, keda.ADAPTER):
        supervisor.kill(name)
    jobs = many(door, 60)
    assert {one["deliveries"] for one in door.done(jobs[:3], within=LONG)} == {1}
    for process in keda.processes(Lab()):
        supervisor.start(process)
        supervisor.wait_ready(process)
    eventually(lambda: door.workers()[1] >= 3, lambda: f"there are more workers: {door.workers()}", within=LONG)
    assert {one["deliveries"] for one in door.done(jobs, within=LONG)} == {1}


@pytest.mark.timeout(900, func_only=True)
def test_the_door_is_killed_and_its_jobs_go_on(door: ClassesDoor) -> None:
    jobs = [*many(door, 2), door.submit({"rows": 1}), door.submit({"rows": 9_000_000})]
    door.kill()
    door.start()
    assert {one["status"] for one in door.done(jobs, within=LONG)} == {"done"}
    mine = [one["metadata"]["labels"]["medea.dev/class-job"] for one in workflows("front", door.workspace.name)]
    assert sorted(one for one in mine if one in jobs) == sorted(jobs[2:])


def test_its_pages_can_be_read_in_a_browser(door: ClassesDoor) -> None:
    assert door.process is not None
    document = requests.get(f"{URL}/apidoc/openapi.json", timeout=60).json()
    assert {"/submit-job", "/queues/status"} <= set(document["paths"])
    assert requests.get(f"{URL}/apidoc/swagger/", timeout=60).status_code == 200
