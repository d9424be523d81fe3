"""What was accepted as a whole goes on, whatever becomes of targets, quotas and chunks meanwhile."""

import pytest

from tests.faults.ledger import LedgerServer
from tests.faults.processes import SPACE
from tests.splitting.world import SplitWorld
from tests.support.fake_apiserver import QUOTAS
from webhook.kube.resources import SECRETS, WORKFLOWS


def test_chunks_wait_while_a_target_that_was_named_is_not_registered(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("8", cpu="4", seconds=10, clusters="east,west")
        world.wait(4)
        world.front.remove(SECRETS, SPACE, "east")
        world.wait(60)
        world._put_secret("east")
        assert world.until_end()["phase"] == "Succeeded", world.origin()["status"]["message"]
        world.once_each(8)


def test_chunks_wait_while_their_items_fit_nowhere(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("4", cpu="4", seconds=4)
        world._room = dict.fromkeys(world._room, 2)
        world.service.turn()
        world.wait(20)
        assert len(world.parts()) == 2 and not world.ran
        world._room = dict.fromkeys(world._room, 8)
        assert world.until_end()["phase"] == "Succeeded", world.origin()["status"]["message"]


def test_while_a_quota_keeps_chunks_from_being_made_the_others_are_shown(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("8", cpu="4", seconds=6)
        world.wait(4)
        full = {"count/workflows.argoproj.io": str(len(world.front.all(WORKFLOWS, "bare")))}
        world.front.put(QUOTAS, {"metadata": {"name": "full", "namespace": "bare"}, "spec": {"hard": full}})
        world.wait(60)
        assert world.node("work")["message"].startswith("6 of 8 items done")
        assert "exceeded quota" in world.origin()["metadata"]["annotations"]["medea.dev/reason"]
        world.front.remove(QUOTAS, "bare", "full")
        assert world.until_end()["phase"] == "Succeeded"
        world.once_each(8)


@pytest.mark.parametrize("whole", [True, False])
def test_the_time_for_which_chunks_were_suspended_does_not_make_them_slow(ledger: LedgerServer, whole: bool) -> None:
    with SplitWorld(ledger).alive() as world:
        world.chunks_move()
        world.submit("8", items=32, seconds=4, cpu="2")
        world.wait(20)
        world.wait(4)
        held = [world.origin()] if whole else world.parts()
        assert all(world.users.do("suspend", one) for one in held)
        for _ in range(5):
            world.wait(200)
        now = [world.origin()] if whole else world.parts()
        assert all(world.users.do("resume", one) for one in now if one["spec"].get("suspend"))
        assert world.until_end()["phase"] == "Succeeded"
        assert not any(one.moving for one in world.chunks()), world.chunks()


def test_a_chunk_whose_labels_somebody_took_off_still_counts(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("2", seconds=6)
        world.wait(6)
        for part in world.parts():
            bare = {"metadata": {"labels": dict.fromkeys(part["metadata"]["labels"])}}
            world.front.change(WORKFLOWS, "bare", part["metadata"]["name"], bare)
        assert world.until_end()["phase"] == "Succeeded", world.origin()["status"]["message"]
        world.once_each(8)


def test_a_chunk_of_which_the_rest_went_elsewhere_is_not_retried(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.chunks_move()
        world.argos["east"].slow = 200.0
        world.submit("8", items=32, seconds=4)
        for _ in range(12):
            world.wait(20)
        moved = {one.name for one in world.chunks() if one.moving and one.phase}
        part = next(one for one in world.parts() if one["metadata"]["name"] in moved)
        assert not world.users.do("retry", part)
        assert "would run twice" in world.users.answers[-1]
