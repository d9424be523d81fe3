"""Jobs that are Workflows: each is created once and followed to its end, whatever dies meanwhile; and is removed."""

import pytest

from tests.doors.classes.world import ACTOR, KEEP, SPARK, World
from tests.support.fake_apiserver import LOSE, REFUSE, ApiError, Call, Fault
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import class_jobs
from webhook.ledger.pool import Pool


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
