"""Rows of split Workflows: items are cut once, chunks end once, and what goes elsewhere is in one other chunk."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.ledger.test_placements import PLACED, new
from webhook.ledger import placements, power_jobs, reserving, splits
from webhook.ledger.pool import Pool
from webhook.ledger.power_jobs import NewJob
from webhook.ledger.splits import Chunk, ChunkEnd
from webhook.model.contract import State
from webhook.scout.model import Outcome
from webhook.splitting.asked import Asked, NewSplit
from webhook.splitting.gather import Left

SPLIT = replace(PLACED, outcome=Outcome.SPLIT, cluster=None)


@pytest.fixture
def whole(pool: Pool) -> str:
    """A Workflow with ten items, whose origin is there."""
    reserving.admit(pool, replace(new("p1", name="job"), split=NewSplit(Asked(4), 10)), lambda _: SPLIT)
    placements.bind(pool, "p1", namespace="ns", name="job", uid="o1")
    return "p1"


def chunk(pool: Pool, number: int = 0) -> Chunk:
    """One of its chunks."""
    return splits.chunks(pool, "p1")[number]


def test_it_holds_no_room_and_is_in_no_queue(pool: Pool, whole: str) -> None:
    row = placements.get(pool, whole)
    assert row is not None and row.state is State.SPLIT and row.cluster is None
    assert placements.queued_namespaces(pool) == []


def test_of_many_who_cut_at_once_one_does(pool: Pool, whole: str) -> None:
    with ThreadPoolExecutor(6) as people:
        done = list(people.map(lambda _: splits.cut(pool, whole, [3, 2], at=0, origin="job"), range(6)))
    assert sorted(done) == [False] * 5 + [True]
    assert [one.spans for one in splits.chunks(pool, whole)] == [((0, 3),), ((3, 2),)]
    found = splits.get(pool, whole)
    assert found is not None and found.cut == 5


def test_nothing_is_cut_of_what_is_over(pool: Pool, whole: str) -> None:
    assert placements.stopped(pool, whole, "Stopped")
    assert not splits.cut(pool, whole, [3], at=0, origin="job")
    assert not splits.finish(pool, whole, phase="Succeeded", message="", outcome={})


def test_a_chunk_ends_once_and_what_goes_elsewhere_is_a_new_one(pool: Pool, whole: str) -> None:
    splits.cut(pool, whole, [4], at=0, origin="job")
    splits.exists(pool, whole, 0, "u0")
    splits.follow(pool, whole, 0, cluster="east", done=1, runs=True)
    splits.move(pool, whole, 0)
    before = chunk(pool)
    assert before.moving and before.cluster == "east" and before.begun_at and before.uid == "u0"
    end = ChunkEnd("Succeeded", "taken", 1, {0: Left({"a": "x\0"})}, [(0, 1)], "east", [(1, 3)])
    with ThreadPoolExecutor(4) as people:
        done = list(people.map(lambda _: splits.end(pool, whole, before, end, origin="job"), range(4)))
    assert sorted(done) == [False] * 3 + [True]
    first, second = splits.chunks(pool, whole)
    assert first.spans == ((0, 1),) and first.phase == "Succeeded" and first.ended_at
    assert second.spans == ((1, 3),) and (second.moves, second.avoid) == (1, ("east",))
    assert set(splits.results(pool, whole)) == {0}


def test_what_is_followed_late_changes_nothing_of_an_end(pool: Pool, whole: str) -> None:
    splits.cut(pool, whole, [4], at=0, origin="job")
    splits.end(pool, whole, chunk(pool), ChunkEnd("Failed", "no", 2, {}, [(0, 4)], "west"), origin="job")
    splits.follow(pool, whole, 0, cluster="east", done=4, runs=True)
    splits.move(pool, whole, 0)
    assert (chunk(pool).cluster, chunk(pool).done, chunk(pool).moving) == ("west", 2, False)


def test_one_whose_origin_came_late_is_split_again(pool: Pool) -> None:
    reserving.admit(pool, replace(new("p1", name="job"), split=NewSplit(Asked(None), 10)), lambda _: SPLIT)
    assert placements.expired(pool, "p1")
    row = placements.bind(pool, "p1", namespace="ns", name="job", uid="o1")
    assert row is not None and row.state is State.SPLIT


def test_a_named_job_is_one_row_however_often_it_is_asked_for(pool: Pool) -> None:
    wanted = NewJob("ns", "mine", 10, 1, "power-job", "auto", "ann")
    with ThreadPoolExecutor(6) as people:
        jobs = list(people.map(lambda _: power_jobs.ask(pool, wanted), range(6)))
    assert len({job.id for job in jobs}) == 1 and len({job.workflow for job in jobs}) == 1
    assert jobs[0].workflow.startswith(f"power-job-{jobs[0].id}-")
    nameless = [power_jobs.ask(pool, replace(wanted, name=None)) for _ in range(2)]
    assert nameless[0].id != nameless[1].id


def test_a_refused_job_is_gone_and_one_that_runs_stays(pool: Pool) -> None:
    job = power_jobs.ask(pool, NewJob("ns", None, 10, 1, "power-job", "auto", "ann"))
    power_jobs.refused(pool, job.id)
    assert power_jobs.get(pool, job.id) is None
    job = power_jobs.ask(pool, NewJob("ns", None, 10, 1, "power-job", "auto", "ann"))
    power_jobs.exists(pool, job.id, "u1")
    power_jobs.refused(pool, job.id)
    assert power_jobs.get(pool, job.id) is not None
