"""Jobs are submitted in order and within the limits, each exactly once, whatever dies meanwhile; and are removed."""

from typing import Any

import pytest

from tests.doors.door_world import sweep_while_these_stay
from tests.doors.files.forms import upload
from tests.doors.files.world import KEEP, World
from tests.support.fake_apiserver import LOSE, REFUSE, ApiError, Call, Fault
from tests.support.s3_server import S3Server
from webhook.doors.store import Store
from webhook.kube.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.ledger import file_jobs, placements
from webhook.ledger.file_jobs import JobState
from webhook.ledger.pool import Pool
from webhook.model.contract import FILE_JOB


@pytest.fixture
def world(pool: Pool, store: Store) -> World:
    """A door with a limit of two."""
    return World(pool, store)


def age(world: World, job: int, seconds: float) -> None:
    """Let time pass for one job."""
    with world.pool.transaction() as connection:
        connection.execute(
            "UPDATE file_jobs SET created_at = created_at - make_interval(secs => %s), "
            "ended_at = ended_at - make_interval(secs => %s) WHERE id = %s",
            (seconds, seconds, job),
        )


def check_that_a_sweep_runs(world: World, *jobs: int) -> None:
    world.sweep.run()
    world.work()
    assert world.running() == list(jobs)


def test_a_users_jobs_run_in_order_and_never_more_than_the_limit(world: World) -> None:
    jobs = [world.upload() for _ in range(7)]
    others = [world.upload(user="2")]
    world.work()
    for number in range(7):
        assert [job for job in world.running() if job in jobs] == jobs[number : number + 2]
        world.end(jobs[number], results={"output.txt": b"x"})
        world.work()
    assert [world.ask(job).status_code for job in jobs] == [200] * 7
    created = [int(one["metadata"]["labels"][FILE_JOB]) for one in world.workflows()]
    assert sorted(created) == sorted(jobs + others)
    assert world.running() == others


def test_jobs_that_were_taken_and_not_submitted_are_submitted_in_order_whoever_is_looked_at_first(world: World) -> None:
    jobs = [world.upload() for _ in range(2)]
    file_jobs.take(world.pool, world.row(jobs[0]).line, limit=2)
    world.restart()
    world.dispatcher.look_at_job(jobs[1])
    world.work()
    assert [int(one["metadata"]["labels"][FILE_JOB]) for one in world.workflows()] == jobs


def test_more_jobs_than_are_read_at_once_are_all_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook.doors.files.sweep.LOOK_MOST", 2)
    jobs = [world.upload(user=str(number)) for number in range(5)]
    for job in jobs:
        file_jobs.take(world.pool, world.row(job).line, limit=1)
    world.restart()
    check_that_a_sweep_runs(world, *jobs)


def submits(call: Call) -> bool:
    """Whether it creates a Workflow."""
    return call.verb == "create" and call.resource == WORKFLOWS.plural


def test_two_replicas_at_the_same_line_submit_each_job_once_and_in_order(world: World) -> None:
    jobs = [world.upload() for _ in range(4)]
    mine, line, begun = world.dispatcher, world.row(jobs[0]).line, list[Call]()
    world.restart()

    def meanwhile(call: Call) -> None:
        """Before the first is created, the other replica does all that it can."""
        if submits(call) and not begun:
            begun.append(call)
            world.dispatcher.look_at_line(line)
            world.work()

    world.fake.faults = meanwhile
    mine.look_at_line(line)
    while mine.step():
        world.watch()
    created = [int(one["metadata"]["labels"][FILE_JOB]) for one in world.workflows()]
    assert created == jobs[:2]
    assert [world.row(job).state for job in jobs] == [JobState.SUBMITTED] * 2 + [JobState.QUEUED] * 2


@pytest.mark.parametrize("fault", [LOSE, REFUSE], ids=["the answer is lost", "it is refused a connection"])
def test_a_create_that_fails_is_tried_again_and_makes_one_workflow(world: World, fault: Fault) -> None:
    faults = [fault]
    world.fake.faults = lambda call: faults.pop() if submits(call) and faults else None
    job = world.upload()
    world.work()
    world.fake.faults = lambda _: None
    world.sweep.run()
    world.dispatcher.look_at_line(world.row(job).line)
    world.work()
    assert world.running() == [job]
    assert world.row(job).workflow_uid == world.workflows()[0]["metadata"]["uid"]


def test_a_process_that_dies_after_it_took_a_job_leaves_it_to_the_next(world: World) -> None:
    job = world.upload()
    file_jobs.take(world.pool, world.row(job).line, limit=2)
    world.restart()
    check_that_a_sweep_runs(world, job)


def test_a_process_that_dies_before_it_took_a_job_leaves_it_to_the_next(world: World) -> None:
    job = world.upload()
    world.restart()
    check_that_a_sweep_runs(world, job)


def test_a_running_job_costs_the_front_door_nothing(world: World) -> None:
    job = world.upload()
    world.work()
    world.fake.calls.clear()
    for progress in ("0/1", "1/1"):
        world.fake.change(
            WORKFLOWS, "ns", world.row(job).workflow, {"status": {"phase": "Running", "progress": progress}}
        )
        world.sweep.run()
        world.work()
    assert [call.verb for call in world.fake.calls if call.verb != "watch"] == []


def test_an_end_that_nobody_heard_of_is_found(world: World) -> None:
    job = world.upload()
    world.work()
    world.end(job, results={"output.txt": b"x"})
    world.restart()
    world.work()
    assert world.ask(job).status_code == 200


def test_a_job_that_ended_while_the_store_was_away_is_done_once_it_is_back(world: World, s3: S3Server) -> None:
    job = world.upload()
    world.work()
    world.end(job, results={"output.txt": b"x"})
    s3.kill()
    world.work()
    assert world.ask(job).status_code == 202
    s3.start()
    world.restart()
    world.sweep.run()
    world.work()
    assert world.ask(job).status_code == 200


def remember(world: World, job: int, phase: str | None) -> None:
    """The ledger knows that the job's Workflow was there, and how it ended."""
    found = world.row(job)
    placements_insert(world.pool, found.workflow, phase)
    assert placements.was_origin(world.pool, "ns", found.workflow)


def placements_insert(pool: Pool, name: str, phase: str | None) -> None:
    """A placement's row."""
    with pool.transaction() as connection:
        connection.execute(
            "INSERT INTO workflows (placement, state, name, namespace, template, reason, cpu_milli, memory_bytes, "
            "policy, identity, original, hold, bound_at, phase) "
            "VALUES (%s, 'deleted', %s, 'ns', 't', '', 1, 1, 'random', 'ann', '{}', 'none', now(), %s)",
            (f"p-{name}", name, phase),
        )


@pytest.mark.parametrize(("phase", "status"), [("Succeeded", 200), ("Failed", 204), (None, 204)])
def test_a_workflow_that_was_there_and_is_gone_is_never_submitted_again(
    world: World, phase: str | None, status: int
) -> None:
    job = world.upload()
    # It was created, and its process died before it noted so; it ended and was removed before the next one looked.
    file_jobs.take(world.pool, world.row(job).line, limit=2)
    remember(world, job, phase)
    world.store.write(f"{world.row(job).folder}/results.tgz", iter([b"x"]))
    world.restart()
    world.sweep.run()
    world.work()
    assert world.workflows() == []
    assert world.ask(job).status_code == status


def test_a_deleted_workflow_is_a_failed_job_and_makes_room(world: World) -> None:
    jobs = [world.upload() for _ in range(3)]
    world.work()
    world.fake.remove(WORKFLOWS, "ns", world.row(jobs[0]).workflow)
    world.work()
    assert "was deleted before it ended" in world.ask(jobs[0]).headers["Medea-Reason"]
    assert world.running() == jobs[1:]


def test_a_workflow_whose_label_somebody_takes_away_is_still_the_jobs(world: World) -> None:
    job = world.upload()
    world.work()
    name = world.row(job).workflow
    world.fake.change(WORKFLOWS, "ns", name, {"metadata": {"labels": {FILE_JOB: None}}})
    world.work()
    assert world.ask(job).status_code == 202
    world.end(job, results={"output.txt": b"x"})
    world.sweep.run()
    world.work()
    assert world.ask(job).status_code == 200


def test_another_workflow_under_the_jobs_name_is_not_the_jobs(world: World) -> None:
    job = world.upload()
    world.work()
    found = world.row(job)
    world.fake.remove(WORKFLOWS, "ns", found.workflow)
    labels = {FILE_JOB: str(job)}
    status = {"phase": "Succeeded"}
    world.fake.put(
        WORKFLOWS, {"metadata": {"namespace": "ns", "name": found.workflow, "labels": labels}, "status": status}
    )
    world.work()
    assert "is taken by another Workflow" in world.ask(job).headers["Medea-Reason"]


def test_a_workflow_that_admission_refuses_is_a_failed_job(world: World) -> None:
    world.fake.refuse_later = lambda _call, _object: ApiError(422, "Invalid", "it needs more than any target has")
    job = world.upload()
    world.work()
    assert world.ask(job).headers["Medea-Reason"] == "it was refused: it needs more than any target has"


def test_a_job_waits_for_an_apiserver_that_has_just_started(world: World) -> None:
    words = "workflows.argoproj.io is forbidden: not yet ready to handle request"
    well, world.fake.refuse_later = world.fake.refuse_later, lambda _call, _object: ApiError(403, "Forbidden", words)
    job = world.upload()
    world.work()
    assert (world.ask(job).status_code, world.workflows()) == (202, [])
    world.fake.refuse_later = well
    check_that_a_sweep_runs(world, job)


def test_jobs_wait_for_a_service_that_is_replaced(world: World) -> None:
    job = world.upload()
    world.fake.remove(WORKFLOW_TEMPLATES, "ns", "run-script")
    world.work()
    assert (world.ask(job).status_code, world.workflows()) == (202, [])
    world.service("example", "run-script")
    check_that_a_sweep_runs(world, job)


def test_jobs_wait_for_a_namespace_that_opted_out_and_nothing_runs_at_the_front_door(world: World) -> None:
    job = world.upload()
    world.opted.all = False
    world.work()
    assert (world.ask(job).status_code, world.workflows()) == (403, [])
    world.opted.all = True
    check_that_a_sweep_runs(world, job)


def test_what_is_old_is_removed_with_its_files_and_its_workflow(world: World, s3: S3Server) -> None:
    old, fresh = world.upload(), world.upload()
    world.work()
    for job in (old, fresh):
        world.end(job, results={"output.txt": b"x"})
    world.work()
    age(world, old, KEEP + 60)
    world.sweep.run()
    assert (world.ask(old).status_code, world.ask(fresh).status_code) == (204, 200)
    assert {key.split("/")[1] for key in s3.keys} == {world.row(fresh).folder.split("/")[1]}
    assert [one["metadata"]["labels"][FILE_JOB] for one in world.workflows()] == [str(fresh)]
    assert file_jobs.get(world.pool, old) is None


def test_a_workflow_that_may_not_be_deleted_holds_up_the_removal_of_no_other(world: World, s3: S3Server) -> None:
    jobs = [world.upload() for _ in range(2)]
    world.work()
    for job in jobs:
        world.end(job, "Failed")
    world.work()
    kept = world.row(jobs[0]).workflow
    world.deny_deletion(kept)
    for job in jobs:
        age(world, job, KEEP + 60)
    world.sweep.run()
    assert [file_jobs.get(world.pool, job) for job in jobs] == [None, None]
    assert (s3.files, [one["metadata"]["name"] for one in world.workflows()]) == ([], [kept])


def test_files_that_the_store_refuses_to_remove_hold_up_the_removal_of_no_other(
    world: World, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.doors.files.sweep.CLEAN_BATCH", 2)
    jobs = [world.upload() for _ in range(5)]
    refused = {f"{world.row(job).folder}/input.zip" for job in jobs[:3]}
    with world.pool.transaction() as connection:
        connection.execute("UPDATE file_jobs SET state = 'failed', ended_at = now() - interval '9 days'")
    sweep_while_these_stay(world.sweep.run, s3, refused, "medea_file_sweep_failed_total", monkeypatch)
    assert [file_jobs.get(world.pool, job) is None for job in jobs] == [False] * 3 + [True] * 2
    world.sweep.run()
    assert (s3.keys, [file_jobs.get(world.pool, job) for job in jobs]) == ([], [None] * 5)


def test_an_upload_that_is_cleaned_up_while_it_still_arrives_leaves_nothing(
    world: World, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = file_jobs.queue

    def late(pool: Pool, job: int, **options: Any) -> bool:
        # Another replica has taken its process for gone, and has removed what there was.
        file_jobs.give_up(pool, job)
        file_jobs.forget(pool, job)
        return queue(pool, job, **options)

    monkeypatch.setattr(file_jobs, "queue", late)
    assert world.send(upload(("run.sh", b"echo"))).status_code == 503
    assert s3.files == []


def test_files_stay_marked_for_removal_until_the_store_is_back(world: World, s3: S3Server) -> None:
    job = world.upload()
    world.work()
    world.end(job, "Failed")
    world.work()
    age(world, job, KEEP + 60)
    s3.kill()
    world.sweep.run()
    assert world.row(job).state == JobState.CLEANED
    assert world.ask(job).status_code == 204
    s3.start()
    world.sweep.run()
    assert (s3.files, file_jobs.get(world.pool, job)) == ([], None)


def test_an_upload_whose_process_died_is_removed(world: World, s3: S3Server) -> None:
    job = file_jobs.receive(world.pool, namespace="ns", uploader="", folder="files/lost")
    world.store.write("files/lost/input.zip", iter([b"x"]))
    world.sweep.run()
    assert len(s3.keys) == 1
    age(world, job, 4000)
    world.sweep.run()
    assert s3.keys == []


def test_an_upload_that_was_given_up_meanwhile_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = file_jobs.queue

    def too_late(pool: Pool, job: int, **options: Any) -> bool:
        file_jobs.give_up(pool, job)
        return queue(pool, job, **options)

    monkeypatch.setattr(file_jobs, "queue", too_late)
    assert world.send(upload(("run.sh", b"echo"))).status_code == 503
    world.work()
    assert world.workflows() == []
