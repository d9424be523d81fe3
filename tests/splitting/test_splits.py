"""A fan-out runs as chunks on several targets: every item once, everything shown at the origin, results in order."""

import json

import pytest

from tests.faults.ledger import LedgerServer
from tests.splitting.world import SplitWorld
from tests.support.fake_apiserver import REFUSE
from webhook.errors import MedeaError
from webhook.kube.resources import WORKFLOWS

EVERY = [f"<{number}>" for number in range(8)]


@pytest.mark.parametrize("namespace", ["bare", "plug"])
def test_every_item_runs_once_and_the_outputs_come_in_order(ledger: LedgerServer, namespace: str) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("4", namespace=namespace)
        status = world.until_end(namespace=namespace)
        assert status["phase"] == "Succeeded" and status["progress"] == "8/8"
        assert status["message"].startswith("8 items in 4 chunks: ")
        world.once_each(8)
        gathered = world.node("work", namespace=namespace)["outputs"]["parameters"]
        assert [(one["name"], json.loads(one["value"])) for one in gathered] == [("answer", EVERY)]
        assert json.loads(status["outputs"]["parameters"][0]["value"]) == EVERY
        assert world.positions(namespace=namespace) == list(range(8))
        assert not world.bugs


@pytest.mark.parametrize("namespace", ["bare", "plug"])
def test_the_origin_shows_each_chunk_under_its_target_with_its_percentage(ledger: LedgerServer, namespace: str) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("2", namespace=namespace, seconds=12)
        for _ in range(2):
            world.wait(20)
        chunks = world.chunks(namespace=namespace)
        assert all(chunk.cluster and 0 < chunk.done < chunk.size for chunk in chunks), chunks
        for chunk in chunks:
            node = world.node(chunk.name, namespace=namespace)
            assert f"{chunk.done} of {chunk.size} done ({100 * chunk.done // chunk.size}%)" in node["message"]
            assert node["phase"] == "Running"
            assert world.node(str(chunk.cluster), namespace=namespace)["progress"]
        total = sum(chunk.done for chunk in chunks)
        assert world.node("work", namespace=namespace)["message"].startswith(f"{total} of 8 items done")
        world.until_end(namespace=namespace)


def test_chunks_are_submitted_while_there_is_room_and_the_rest_waits_uncut(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("20", items=20, cpu="4", seconds=30)
        world.wait(4)
        # Two targets with 8 cores each: four run, two wait, and nobody has decided yet about the others.
        assert len(world.parts()) == 6
        assert world.node("work")["message"].endswith("in 6 chunks, 14 of them in no chunk yet")
        world.until_end()
        world.once_each(20)


def test_auto_cuts_by_the_room_of_the_targets(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("auto", items=100, seconds=1)
        world.wait(4)
        assert [chunk.size for chunk in world.chunks()][:2] == [8, 8]
        status = world.until_end()
        assert status["phase"] == "Succeeded"
        world.once_each(100)


def test_one_failed_item_fails_the_whole_and_says_where(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("4", fails="5")
        status = world.until_end()
        assert status["phase"] == "Failed" and "outputs" not in status
        bad = world.chunks()[2]
        assert status["message"] == f"1 of 4 chunks did not succeed: {bad.name} on {bad.cluster}: an item failed"
        world.once_each(8)


@pytest.mark.parametrize("namespace", ["bare", "plug"])
def test_stopping_the_whole_stops_every_chunk_and_nothing_begins_after(ledger: LedgerServer, namespace: str) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("8", namespace=namespace, cpu="4", seconds=60)
        world.wait(10)
        assert world.change("stop", namespace=namespace)
        assert world.until_end(namespace=namespace)["phase"] == "Failed"
        world.wait(60)
        there = world.parts(namespace)
        assert len(there) == 6 and all(one["status"]["phase"] == "Failed" for one in there)
        for fake in world.targets.values():
            assert all(run["status"]["phase"] == "Failed" for run in fake.all(WORKFLOWS, namespace))
        assert not world.ran


@pytest.mark.parametrize("namespace", ["bare", "plug"])
def test_deleting_the_whole_removes_every_chunk_and_run(ledger: LedgerServer, namespace: str) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("4", namespace=namespace, seconds=60)
        world.wait(10)
        assert world.change("delete", namespace=namespace)
        world.wait(100)
        assert not world.front.all(WORKFLOWS, namespace)
        gone = [one for one in world.front.history if one.after is None and one.object["metadata"]["name"] == "whole"]
        for fake in world.targets.values():
            runs = [one for one in fake.history if one.after is None and one.resource == "workflows"]
            # Whoever sees the whole vanish knows that nothing of it runs any more.
            assert all(one.time <= gone[0].time for one in runs)
        assert not any(fake.all(WORKFLOWS, namespace) for fake in world.targets.values())
        held = [one.reserved for one in world.service.placer.overview(namespace) if one.reserved]
        assert not any(one.cpu_milli for one in held)


def test_suspending_the_whole_suspends_its_chunks_and_those_to_come(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("8", cpu="4", seconds=6)
        world.wait(4)
        assert world.change("suspend")
        world.wait(60)
        assert world.origin()["status"]["phase"] == "Running" and not world.origin()["status"].get("finishedAt")
        assert all(one["spec"].get("suspend") for one in world.parts() if one["status"]["phase"] == "Running")
        assert sum(world.ran.values()) < 8
        assert world.change("resume")
        assert world.until_end()["phase"] == "Succeeded"
        world.once_each(8)


def test_a_chunk_that_a_person_suspended_is_not_resumed_with_the_whole(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("2", seconds=6)
        world.wait(4)
        one = world.parts()[0]
        assert world.users.do("suspend", one)
        world.wait(4)
        for verb in ("suspend", "resume"):
            assert world.change(verb)
            world.wait(10)
        suspended = [part["metadata"]["name"] for part in world.parts() if part["spec"].get("suspend")]
        assert suspended == [one["metadata"]["name"]]


def test_a_chunk_that_a_person_deleted_is_not_run_again(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("2", seconds=10)
        world.wait(6)
        assert world.users.do("delete", world.parts()[0])
        status = world.until_end()
        assert status["phase"] == "Error" and "was deleted before it ended" in status["message"]
        assert max(world.ran.values()) == 1 and len(world.chunks()) == 2


def test_targets_that_join_get_chunks_that_were_not_begun(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world._room["east"] = 0
        world.service.turn()
        world.submit("16", items=16, cpu="4", seconds=10)
        world.wait(10)
        assert {chunk.cluster for chunk in world.chunks()} <= {"west", None}
        world._room["east"] = 8
        world.until_end()
        assert sum(chunk.cluster == "east" for chunk in world.chunks()) >= 3
        world.once_each(16)


@pytest.mark.parametrize(("moves", "namespace"), [(False, "bare"), (True, "bare"), (True, "plug")])
def test_chunks_of_a_slow_target_go_elsewhere_only_if_the_namespace_says_so(
    ledger: LedgerServer, moves: bool, namespace: str
) -> None:
    with SplitWorld(ledger).alive() as world:
        if moves:
            world.chunks_move(namespace)
        world.argos["east"].slow = 200.0
        world.submit("8", items=32, seconds=4, namespace=namespace)
        for _ in range(12):
            world.wait(20)
        chunks = world.chunks(namespace=namespace)
        elsewhere = [chunk for chunk in chunks if chunk.moves]
        if not moves:
            assert not elsewhere and world.origin()["status"]["phase"] == "Running"
            return
        assert elsewhere, chunks
        assert all("east" in chunk.avoid and chunk.cluster == "west" for chunk in elsewhere)
        assert world.until_end(namespace=namespace)["phase"] == "Succeeded"
        world.once_each(32)
        assert world.positions(namespace=namespace) == list(range(32))


def test_a_chunk_that_was_deleted_while_it_was_to_move_does_not_move(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.chunks_move()
        world.submit("2", seconds=30)
        world.wait(10)
        chunk = world.chunks()[0]
        for fake in world.targets.values():
            fake.faults = lambda _call: REFUSE
        world.wait(100)
        assert world.chunks()[0].moving
        part = next(one for one in world.parts() if one["metadata"]["name"] == chunk.name)
        assert world.users.do("delete", part)
        world.wait(60)
        # Its run may still be at work there.
        assert not any(one.moves for one in world.chunks())
        for fake in world.targets.values():
            fake.faults = world.network.faults
        world.until_end()
        assert max(world.ran.values()) == 1


def test_chunks_of_a_target_that_is_away_are_not_begun_elsewhere_while_they_may_run_there(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.chunks_move()
        world.submit("4", seconds=30)
        world.wait(10)
        lost = world.targets["east"]
        lost.faults = lambda _call: REFUSE
        there = [chunk.number for chunk in world.chunks() if chunk.cluster == "east"]
        world.wait(200)
        assert there and all(chunk.moving for chunk in world.chunks() if chunk.number in there)
        assert not any(chunk.moves for chunk in world.chunks())
        lost.faults = world.network.faults
        assert world.until_end()["phase"] == "Succeeded"
        world.once_each(8)


@pytest.mark.parametrize(
    ("split", "more", "words"),
    [
        ("0", {}, "annotation medea.dev/split is '0'"),
        ("many", {}, "annotation medea.dev/split is 'many'"),
        ("2", {"cpu": "99"}, "99"),
    ],
)
def test_what_can_never_run_is_refused_at_once(
    ledger: LedgerServer, split: str, more: dict[str, str], words: str
) -> None:
    with SplitWorld(ledger).alive() as world:
        with pytest.raises(MedeaError) as raised:
            world.submit(split, cpu=more.get("cpu", "1"))
        assert words in raised.value.message
        world.wait(10)
        assert not world.parts() and not splits_known(ledger)


def splits_known(ledger: LedgerServer) -> int:
    """How many are in the ledger."""
    row = ledger.connection.execute("SELECT count(*) AS count FROM splits").fetchone()
    return int(row["count"]) if row else 0
