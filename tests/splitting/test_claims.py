"""Who submits something that claims to be a chunk gets nothing by it."""

import pytest

from tests.faults.ledger import LedgerServer
from tests.splitting.world import SplitWorld
from webhook.errors import MedeaError
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.model.contract import PLACEMENT, SPLIT_OF


def claiming(world: SplitWorld, name: str) -> dict[str, object]:
    """A Workflow that says it is a chunk of `whole`."""
    whole = world.origin()["metadata"]["annotations"][PLACEMENT]
    part = world.parts()[0]
    spec = {key: value for key, value in part["spec"].items() if key != "suspend"}
    return {"metadata": {"name": name, "labels": {SPLIT_OF: whole}}, "spec": spec}


def test_a_person_who_says_so_submits_for_themselves(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("2", seconds=30)
        world.wait(6)
        world.front.tokens["bobs"] = "bob"
        other = world.service.front.bearing("Bearer bobs")
        made = other.create(WORKFLOWS, "bare", claiming(world, "mine"))
        row = placements.get(world.service.pool, made["metadata"]["annotations"][PLACEMENT])
        assert row is not None and row.identity == "bob" and row.submitter is not None and row.submitter.user == "bob"
        world.wait(20)
        assert len(world.chunks()) == 2


def test_chunks_are_submitted_for_who_submitted_the_whole(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("2", seconds=30)
        world.wait(6)
        for part in world.parts():
            row = placements.get(world.service.pool, part["metadata"]["annotations"][PLACEMENT])
            assert row is not None and row.identity == "alice"
            assert row.submitter is not None and row.submitter.user == "alice"


def test_a_chunk_of_what_is_over_is_refused_even_to_medea(ledger: LedgerServer) -> None:
    with SplitWorld(ledger).alive() as world:
        world.submit("2", seconds=30)
        world.wait(6)
        late = claiming(world, "late")
        world.change("stop")
        world.wait(10)
        with pytest.raises(MedeaError, match="nothing split"):
            world.service.front.create(WORKFLOWS, "bare", late)
