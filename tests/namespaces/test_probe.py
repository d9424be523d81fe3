"""The Workflow by which Medea sees whether an Argo controller works in a namespace."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import Call, FakeApiserver, answer
from webhook.errors import Unavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import quiet
from webhook.ledger.pool import Pool
from webhook.model.limits.namespaces import PROBE_GOING, PROBE_RENEWED_AFTER
from webhook.namespaces.probe import NAME, Looked, Probes, probe, taken_up_by

PATIENCE = 30.0
NS: dict[str, Any] = {"metadata": {"name": "ns", "uid": "u1"}}


class World:
    """A front door with one namespace, and what keeps a probe in it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.front = FakeApiserver()
        self.front.namespace("ns")
        cluster = Cluster("front", Configuration(), http=self.front, clock=self.front.clock)
        self.probes = Probes(cluster, pool, patience=PATIENCE)

    def look(self) -> Looked:
        return self.probes.see_to(NS)

    def probe(self) -> dict[str, Any] | None:
        return self.front.get(WORKFLOWS, "ns", NAME)

    def verdict(self) -> quiet.Verdict:
        found = quiet.verdict(self.pool, "u1")
        assert found is not None
        return found

    def take_up(self) -> None:
        """An Argo controller begins to run the probe."""
        wrote = {"manager": "workflow-controller", "fieldsV1": {"f:status": {}}}
        change = {"status": {"phase": "Running"}, "metadata": {"managedFields": [wrote]}}
        self.front.change(WORKFLOWS, "ns", NAME, change)

    def years_ago(self) -> None:
        with self.pool.transaction() as connection:
            connection.execute("UPDATE quiet SET answered_at = now() - interval '1 year'")


@pytest.fixture
def world(pool: Pool) -> World:
    return World(pool)


def test_a_probe_needs_no_pod_and_passes_the_webhook() -> None:
    made = probe()
    assert [set(template) for template in made["spec"]["templates"]] == [{"name", "suspend"}]
    assert made["metadata"]["annotations"] == {"medea.dev/skip": "true"}
    assert "phase" not in made["status"]


def test_a_probe_that_is_left_alone_goes_again_and_is_remembered(world: World) -> None:
    assert world.look() == Looked(PATIENCE)
    assert world.probe() is not None
    assert not world.verdict().answered
    world.front.clock.advance(10)
    assert world.look().again == pytest.approx(PATIENCE - 10, abs=1.1)
    world.front.clock.advance(PATIENCE)
    assert world.look() == Looked()
    assert world.probe() is None
    assert (world.verdict().answered, world.verdict().controller) == (True, None)


def test_where_everything_is_known_the_front_door_is_not_asked(world: World) -> None:
    world.look()
    world.front.clock.advance(PATIENCE)
    world.look()
    world.years_ago()
    before = len(world.front.calls)
    assert world.look() == Looked()
    assert len(world.front.calls) == before


def test_a_controller_that_takes_it_up_is_told_once_and_asked_again_after_a_while(world: World) -> None:
    world.look()
    world.take_up()
    assert world.look() == Looked(PROBE_RENEWED_AFTER, "workflow-controller")
    assert world.probe() is None
    assert world.verdict().controller == "workflow-controller"
    again = world.look()
    assert again.controller is None and again.again == pytest.approx(PROBE_RENEWED_AFTER, abs=5)
    world.years_ago()
    assert world.look() == Looked(PATIENCE)
    assert not world.verdict().answered
    world.front.clock.advance(PATIENCE)
    assert world.look() == Looked()
    assert world.verdict().controller is None


def test_what_takes_it_up_at_the_very_last_moment_is_seen(world: World) -> None:
    world.look()
    world.front.clock.advance(PATIENCE)

    def at_that_moment(call: Call) -> None:
        if call.verb == "delete":
            world.take_up()

    world.front.faults = at_that_moment
    assert world.look().again == PROBE_GOING
    assert world.look().controller == "workflow-controller"


def test_a_probe_that_somebody_deleted_is_made_again(world: World) -> None:
    world.look()
    world.front.remove(WORKFLOWS, "ns", NAME)
    assert world.look() == Looked(PATIENCE)
    assert world.probe() is not None


def test_the_probe_that_an_older_medea_kept_there_is_believed_and_removed(world: World) -> None:
    world.front.put(WORKFLOWS, {**probe(), "metadata": {**probe()["metadata"], "namespace": "ns"}})
    world.front.clock.advance(86_400)
    assert world.look() == Looked()
    assert world.probe() is None


def test_an_outage_of_the_front_door_settles_nothing(world: World) -> None:
    world.look()
    world.front.clock.advance(PATIENCE)
    world.front.faults = lambda call: answer(503) if call.verb == "delete" else None
    with pytest.raises(Unavailable):
        world.look()
    assert not world.verdict().answered


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_how_old_a_probe_is_does_not_depend_on_this_machines_clock(world: World, ahead: float) -> None:
    world.front.clock.advance(ahead + 4000)
    world.look()
    world.front.clock.advance(3)
    assert world.look().again == pytest.approx(PATIENCE - 3, abs=1.1)


def test_probes_are_removed_where_they_are_no_longer_needed_and_nothing_else_is(world: World) -> None:
    world.front.namespace("other")
    for namespace, name in (("ns", NAME), ("other", NAME), ("other", "labelled-by-a-person")):
        made = probe()
        world.front.put(WORKFLOWS, {**made, "metadata": {**made["metadata"], "name": name, "namespace": namespace}})
    world.probes.remove_others({"other"})
    assert [one["metadata"]["name"] for one in world.front.all(WORKFLOWS, "ns")] == []
    assert len(world.front.all(WORKFLOWS, "other")) == 2


def test_a_probe_that_can_not_be_removed_keeps_no_other(world: World) -> None:
    world.front.namespace("a-refuses")
    for namespace in ("a-refuses", "ns"):
        made = probe()
        world.front.put(WORKFLOWS, {**made, "metadata": {**made["metadata"], "namespace": namespace}})
    denied = answer(403, message="denied by a policy")
    world.front.faults = lambda call: denied if call.verb == "delete" and call.namespace == "a-refuses" else None
    world.probes.remove_others(set())
    assert world.probe() is None


@pytest.mark.parametrize("noted", [None, 7, [None, {}, {"manager": "x", "fieldsV1": None}, {"fieldsV1": []}]])
def test_notes_about_fields_of_any_shape_are_read_as_those_of_a_program_without_a_name(noted: Any) -> None:
    found = {**probe(), "status": {"phase": "Running"}}
    found["metadata"]["managedFields"] = noted
    assert taken_up_by(found) == "a program without a name"


@pytest.mark.parametrize("status", ["x", [], {"phase": ""}])
def test_a_status_without_a_phase_was_written_by_no_controller(status: Any) -> None:
    assert taken_up_by({**probe(), "status": status}) is None
