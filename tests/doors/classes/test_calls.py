"""The calls as the Cloud Job Orchestrator's README has them, and who may make them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.doors.classes.world import ACTOR, SPARK, World
from tests.support.workflows import need
from webhook.doors.classes.results import Results
from webhook.doors.store import Store
from webhook.errors import LedgerUnavailable
from webhook.ledger import class_jobs
from webhook.ledger.pool import Pool
from webhook.model.contract import JOB_CLASS
from webhook.model.limits.classes import RESULTS_TIME
from webhook.model.limits.files import CLIENT_SILENCE

ABSENT = "11111111-1111-1111-1111-111111111111"
EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def world(pool: Pool) -> World:
    """A door."""
    return World(pool)


def place(world: World, job: str, cluster: str, state: str) -> None:
    """The Workflow of a job is placed."""
    found = world.row(job)
    with world.pool.transaction() as connection:
        connection.execute(
            "INSERT INTO workflows (placement, state, name, namespace, template, reason, cpu_milli, memory_bytes, "
            "policy, identity, original, hold, bound_at, origin_uid, cluster) "
            "VALUES (%s, %s, %s, 'ns', 't', '', 1, 1, 'random', 'ann', '{}', 'none', now(), %s, %s)",
            (f"p-{job}", state, found.workflow, found.workflow_uid, cluster),
        )


def test_a_large_job_is_a_workflow_of_its_class(world: World) -> None:
    answer = world.send(SPARK)
    job = world.row((answer.json or {})["job_id"])
    assert answer.status_code == 200
    assert answer.json == {
        "status": "submitted",
        "job_id": job.id,
        "id": job.id,
        "class": "spark-jobs",
        "cost": 120.0,
        "platform": "workflow",
        "target": f"spark-jobs-{job.id.replace('-', '')[:12]}",
    }
    world.work()
    [made] = world.workflows()
    assert made["metadata"]["name"] == job.workflow
    assert made["metadata"]["labels"] == {"medea.dev/job-class": "spark-jobs", "medea.dev/class-job": job.id}
    assert made["metadata"]["annotations"] == {"medea.dev/identity": "ann"}
    assert made["spec"] == {
        "workflowTemplateRef": {"name": "run-spark-jobs"},
        "arguments": {
            "parameters": [
                {"name": "id", "value": job.id},
                {"name": "rows", "value": "50000000"},
                {"name": "runtime", "value": "300"},
                {"name": "priority", "value": "high"},
                {"name": "data", "value": "{}"},
            ]
        },
    }


def test_a_latency_sensitive_job_goes_to_the_queue_of_the_workers(world: World) -> None:
    answer = world.send(ACTOR).json or {}
    assert (answer["class"], answer["platform"], answer["target"]) == ("actor-jobs", "workers", "actor-jobs")
    world.work()
    assert (world.workflows(), world.told) == ([], ["publish"])


def test_an_empty_job_is_the_original_one(world: World) -> None:
    answer = world.send({}).json or {}
    assert (answer["class"], answer["cost"]) == ("batch-jobs", 1.001)


def test_a_class_may_go_to_some_clusters_only(pool: Pool) -> None:
    world = World(pool, config="classes: {spark-jobs: {clusters: [west, east]}}")
    job = world.submit(SPARK)
    world.work()
    assert world.workflows()[0]["metadata"]["annotations"]["medea.dev/clusters"] == "west,east"
    place(world, job, "west", "running")
    assert (world.ask("/queues/status").json or {})["spark-jobs"]["pools"] == {"west": 1, "east": 0}


def test_the_status_of_the_queues_says_what_waits_and_what_runs_where(world: World) -> None:
    jobs = [world.submit(SPARK) for _ in range(3)]
    world.submit(ACTOR)
    world.work()
    place(world, jobs[0], "west", "running")
    place(world, jobs[1], "west", "reserved")
    found = world.ask("/queues/status", token="bobs").json or {}
    assert set(found) == {"actor-jobs", "spark-jobs", "ml-jobs", "batch-jobs"}
    assert 0 <= found["spark-jobs"].pop("oldest") < 300
    assert 0 <= found["actor-jobs"].pop("oldest") < 300
    assert found["spark-jobs"] == {"depth": 2, "running": 1, "platform": "workflow", "pools": {"west": 2}}
    assert found["actor-jobs"] == {"depth": 1, "running": 0, "platform": "workers", "pools": {"workers": 0}}
    assert found["ml-jobs"] == {"depth": 0, "oldest": None, "running": 0, "platform": "workflow", "pools": {}}


def test_a_job_is_asked_about_until_it_is_done(world: World) -> None:
    job = world.submit(SPARK)
    world.work()
    assert (world.ask(f"/jobs/{job}", token="bobs").json or {})["status"] == "submitted"
    world.end(job)
    world.work()
    assert (world.ask(f"/jobs/{job}").json or {})["status"] == "done"


def test_a_job_that_failed_says_why(world: World) -> None:
    job = world.submit(SPARK)
    world.work()
    world.end(job, "Failed")
    world.work()
    found = world.ask(f"/jobs/{job}").json or {}
    assert (found["status"], found["reason"]) == ("failed", "Failed: so")


@pytest.mark.parametrize("job", ["0", "x", "11111111-1111-1111-1111-111111111111", "..%2F", "%00", "1" * 5000])
def test_a_job_that_never_was_is_unknown(world: World, job: str) -> None:
    assert world.ask(f"/jobs/{job}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"priority": "urgent"}', "priority"),
        (b'{"rows": -1}', "rows"),
        (b'{"rows": NaN}', "rows"),
        (b'{"rows": true}', "rows"),
        (b'{"estimated_runtime": 1e400}', "estimated_runtime"),
        (b'{"latency_sensitive": true, "latency_sensitivity": false}', "latency_sensitivity"),
    ],
)
def test_hostile_input_is_refused_by_the_fields_name_and_nothing_is_stored(
    world: World, body: bytes, field: str
) -> None:
    answer = world.send(body)
    assert (answer.status_code, (answer.json or {})["error"]["field"]) == (400, field)
    world.work()
    assert (world.rows(), world.workflows(), world.told) == (0, [], [])


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    assert world.send(b" " * 5_000_000).status_code == 413
    assert world.rows() == 0


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("nobodys", 401), ("bobs", 403), ("eves", 403)])
def test_only_who_may_create_workflows_submits(world: World, token: str | None, status: int) -> None:
    assert world.send(SPARK, token=token).status_code == status
    assert world.rows() == 0


@pytest.mark.parametrize("path", ["/queues/status", "/jobs/11111111-1111-1111-1111-111111111111"])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("eves", 403)])
def test_only_who_may_see_workflows_is_told(world: World, path: str, token: str | None, status: int) -> None:
    assert world.ask(path, token=token).status_code == status


def test_an_open_door_believes_everybody_on_its_machine(pool: Pool) -> None:
    world = World(pool, is_open=True)
    assert world.send(SPARK, token=None).status_code == 200
    world.work()
    assert world.workflows()[0]["metadata"]["annotations"] == {}


def test_a_class_without_a_template_takes_no_jobs(pool: Pool) -> None:
    world = World(pool, config="above: [{cost: 1, class: new}]")
    answer = world.send(SPARK)
    assert answer.status_code == 503
    assert JOB_CLASS in (answer.json or {})["error"]["message"]
    assert world.rows() == 0


def test_the_door_is_healthy_whoever_asks(world: World) -> None:
    assert world.ask("/health", token=None).json == {"status": "healthy"}


def test_the_calls_are_documented(world: World) -> None:
    document: Any = world.ask("/apidoc/openapi.json", token=None).json
    assert set(document["paths"]) == {
        "/submit-job",
        "/jobs/{job}",
        "/jobs/{job}/results",
        "/queues/status",
        "/health",
    }
    assert world.ask("/swagger-ui/", token=None).status_code == 302
    assert world.ask("/apidoc/swagger/", token=None).status_code == 200


def test_the_examples_run_each_class_that_workflows_run() -> None:
    documents = list(yaml.safe_load_all((EXAMPLES / "classes.yaml").read_text()))
    assert {one["metadata"]["labels"][JOB_CLASS] for one in documents} == {"spark-jobs", "ml-jobs", "batch-jobs"}
    for one in documents:
        needed = need(one["spec"])
        assert (needed.totals.cpu_milli > 0, needed.notes) == (True, ())


def test_a_job_whose_row_is_there_is_accepted_though_the_ledgers_answer_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = class_jobs.insert

    def lost(*values: Any) -> None:
        insert(*values)
        raise LedgerUnavailable("the answer is lost")

    monkeypatch.setattr(class_jobs, "insert", lost)
    assert world.row(world.submit(ACTOR)).state == "queued"


def test_a_job_that_the_ledger_did_not_take_is_not_accepted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(class_jobs, "insert", away)
    assert world.send(ACTOR).status_code == 503
    assert (world.rows(), world.told) == (0, [])


def test_what_a_job_says_is_kept_as_it_was_said(world: World) -> None:
    data = b'{"b": 1e308, "a": [1.0, 1e22, 123456789012345678901234567890], "aa": null}'
    job = world.submit(b'{"rows": 50000000, "data": ' + data + b"}")
    world.work()
    told = {one["name"]: one["value"] for one in world.workflows()[0]["spec"]["arguments"]["parameters"]}
    assert told["data"] == json.dumps(json.loads(data))
    assert dict(world.row(job).data) == json.loads(data)


def test_a_client_who_is_slow_with_results_is_given_up_after_a_time(pool: Pool, store: Store) -> None:
    given: list[dict[str, float]] = []

    class Socket:
        def give_time(self, **seconds: float) -> None:
            given.append(seconds)

    world = World(pool, results=Results(store, "medea/files"))
    world.client.get(f"/jobs/{ABSENT}/results", environ_overrides={"gunicorn.socket": Socket()})
    assert given == []
    answer = world.client.get(
        f"/jobs/{ABSENT}/results",
        headers={"Authorization": "Bearer anns"},
        environ_overrides={"gunicorn.socket": Socket()},
    )
    assert answer.status_code == 404
    assert given == [{"silence": CLIENT_SILENCE, "whole": RESULTS_TIME}]
