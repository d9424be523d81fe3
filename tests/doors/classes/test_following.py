"""Jobs that are Workflows: each is created once and followed to its end, whatever dies meanwhile; and is removed."""

import pytest
from prometheus_client import REGISTRY

from tests.doors.classes.world import ACTOR, KEEP, SPARK, World
from tests.support.fake_apiserver import LOSE, REFUSE, ApiError, Call, Fault
from webhook.kube.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.ledger import class_jobs
from webhook.ledger.class_jobs import JobState
from webhook.ledger.pool import Pool
from webhook.model.contract import CLASS_JOB


@pytest.fixture
def world(pool: Pool) -> World:
    """A door."""
    return World(pool)


def age(world: World, job: str, seconds: float) -> None:
    """Let time pass for one job."""
    with world.pool.transaction() as connection:
        connection.execute(
            "UPDATE class_jobs SET ended_at = ended_at - make_interval(secs => %s) WHERE id = %s", (seconds, job)
        )


def submits(call: Call) -> bool:
    """Whether it creates a Workflow."""
    return call.verb == "create" and call.resource == WORKFLOWS.plural


@pytest.mark.parametrize("fault", [LOSE, REFUSE], ids=["the answer is lost", "it is refused a connection"])
def test_a_create_that_fails_is_tried_again_and_makes_one_workflow(world: World, fault: Fault) -> None:
    faults = [fault]
    world.fake.faults = lambda call: faults.pop() if submits(call) and faults else None
    job = world.submit(SPARK)
    world.work()
    world.fake.faults = lambda _: None
    world.dispatcher.look_at(job)
    world.work()
    assert world.running() == [job]
    assert world.row(job).workflow_uid == world.workflows()[0]["metadata"]["uid"]


def test_a_process_that_dies_after_it_wrote_a_job_down_leaves_it_to_the_next(world: World) -> None:
    job = world.submit(SPARK)
    world.restart()
    world.sweep.run()
    world.work()
    assert world.running() == [job]


def test_an_end_that_nobody_heard_of_is_found(world: World) -> None:
    job = world.submit(SPARK)
    world.work()
    world.end(job)
    world.restart()
    world.sweep.run()
    world.work()
    assert world.row(job).state == "done"


def test_a_running_job_costs_the_front_door_nothing(world: World) -> None:
    job = world.submit(SPARK)
    world.work()
    world.fake.calls.clear()
    world.fake.change(WORKFLOWS, "ns", world.row(job).workflow, {"status": {"phase": "Running"}})
    world.sweep.run()
    world.work()
    assert [call.verb for call in world.fake.calls if call.verb != "watch"] == []


def test_a_deleted_workflow_is_a_failed_job(world: World) -> None:
    job = world.submit(SPARK)
    world.work()
    world.fake.remove(WORKFLOWS, "ns", world.row(job).workflow)
    world.work()
    assert "was deleted before it ended" in world.row(job).reason


def test_a_workflow_whose_label_somebody_takes_away_is_still_the_jobs(world: World) -> None:
    job = world.submit(SPARK)
    world.work()
    world.fake.change(WORKFLOWS, "ns", world.row(job).workflow, {"metadata": {"labels": {CLASS_JOB: None}}})
    world.work()
    assert world.row(job).state == "submitted"
    world.end(job)
    world.sweep.run()
    world.work()
    assert world.row(job).state == "done"


def test_jobs_wait_for_a_template_that_is_replaced(world: World) -> None:
    job = world.submit(SPARK)
    world.fake.remove(WORKFLOW_TEMPLATES, "ns", "run-spark-jobs")
    world.work()
    assert (world.row(job).state, world.workflows()) == ("submitted", [])
    world.template("spark-jobs", "run-spark-jobs")
    world.dispatcher.look_at(job)
    world.work()
    assert world.running() == [job]


def test_jobs_wait_for_a_namespace_that_opted_out_and_nothing_runs_at_the_front_door(world: World) -> None:
    job = world.submit(SPARK)
    world.opted.all = False
    world.work()
    assert (world.row(job).state, world.workflows()) == ("submitted", [])
    world.opted.all = True
    world.dispatcher.look_at(job)
    world.work()
    assert world.running() == [job]


def test_a_workflow_that_may_not_be_deleted_holds_up_the_removal_of_no_other(world: World) -> None:
    jobs = [world.submit(SPARK) for _ in range(2)]
    world.work()
    for job in jobs:
        world.end(job)
    world.work()
    kept = world.row(jobs[0]).workflow
    world.deny_deletion(kept)
    for job in jobs:
        age(world, job, KEEP + 60)
    world.sweep.run()
    assert [class_jobs.get(world.pool, job) for job in jobs] == [None, None]
    assert [one["metadata"]["name"] for one in world.workflows()] == [kept]


def test_two_replicas_that_mark_what_is_old_do_not_wait_for_each_other(world: World) -> None:
    job = world.submit(SPARK)
    world.work()
    world.end(job)
    world.work()
    age(world, job, KEEP + 60)
    with world.pool.transaction() as connection:
        connection.execute("SELECT id FROM class_jobs FOR UPDATE")
        assert class_jobs.retire(world.pool, keep=KEEP) == 0
    assert class_jobs.retire(world.pool, keep=KEEP) == 1


def test_a_workflow_that_admission_refuses_is_a_failed_job(world: World) -> None:
    world.fake.refuse_later = lambda _call, _object: ApiError(422, "Invalid", "it needs more than any target has")
    job = world.submit(SPARK)
    world.work()
    assert world.row(job).reason == "it was refused: it needs more than any target has"


def test_a_workflow_of_that_name_that_is_not_the_jobs_is_left_alone(world: World) -> None:
    job = world.submit(SPARK)
    name = world.row(job).workflow
    world.fake.put(WORKFLOWS, {"metadata": {"namespace": "ns", "name": name}})
    world.work()
    assert world.row(job).reason == f"the name {name} is taken by another Workflow"
    assert len(world.workflows()) == 1


def test_what_is_old_is_removed_with_its_workflow_and_what_waits_is_not(world: World) -> None:
    old, fresh, waiting = world.submit(SPARK), world.submit(SPARK), world.submit(ACTOR)
    world.work()
    for job in (old, fresh):
        world.end(job)
    world.work()
    age(world, old, KEEP + 60)
    world.sweep.run()
    assert class_jobs.get(world.pool, old) is None
    assert world.ask(f"/jobs/{old}").status_code == 404
    assert [one["metadata"]["labels"]["medea.dev/class-job"] for one in world.workflows()] == [fresh]
    assert world.row(waiting).state == "queued"


def test_more_jobs_than_are_read_at_once_are_all_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.doors.classes.sweep.TAKE_MOST", 2)
    jobs = [world.submit(SPARK) for _ in range(5)]
    world.restart()
    world.sweep.run()
    world.work()
    assert sorted(world.running()) == sorted(jobs)


def test_however_many_are_old_they_are_removed_in_one_sweep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.doors.classes.sweep.CLEAN_BATCH", 2)
    monkeypatch.setattr(class_jobs, "RETIRE_MOST", 3)
    monkeypatch.setattr("webhook.doors.classes.sweep.RETIRE_MOST", 3)
    jobs = [world.submit(ACTOR) for _ in range(7)]
    with world.pool.transaction() as connection:
        connection.execute("UPDATE class_jobs SET state = 'done', ended_at = now() - interval '9 days'")
    world.sweep.run()
    assert [class_jobs.get(world.pool, job) for job in jobs] == [None] * 7


def test_the_queue_of_a_class_that_is_gone_does_not_look_full_for_ever(world: World) -> None:
    old = World(world.pool, config="otherwise: old-jobs")
    old.template("old-jobs", "run-old-jobs")
    old.watch()
    job = old.submit({})
    world.sweep.run()
    labels = {"job_class": "old-jobs", "run_by": "workflow"}
    assert REGISTRY.get_sample_value("medea_class_jobs_waiting", labels) == 1
    class_jobs.end(world.pool, job, JobState.DONE, "")
    world.sweep.run()
    assert REGISTRY.get_sample_value("medea_class_jobs_waiting", labels) == 0


def test_a_job_whose_workflow_can_not_be_created_is_shown_as_held_up(world: World) -> None:
    job = world.submit(SPARK)
    world.fake.remove(WORKFLOW_TEMPLATES, "ns", "run-spark-jobs")
    world.work()
    world.submit(ACTOR)
    world.sweep.run()
    assert REGISTRY.get_sample_value("medea_class_jobs_held_up") == 0
    with world.pool.transaction() as connection:
        connection.execute("UPDATE class_jobs SET created_at = created_at - interval '5 minutes'")
    world.sweep.run()
    assert REGISTRY.get_sample_value("medea_class_jobs_held_up") == 1
    world.template("spark-jobs", "run-spark-jobs")
    world.dispatcher.look_at(job)
    world.work()
    world.sweep.run()
    assert REGISTRY.get_sample_value("medea_class_jobs_held_up") == 0
