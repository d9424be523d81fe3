"""Argo's Events of a run are shown on its origin, each once, whatever is restarted, refused or flooded."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.controller_world import World
from tests.support.fake_apiserver import REFUSE, ApiError, Call
from webhook.controller.watches import Caches
from webhook.kube.client import Cluster
from webhook.kube.resources import EVENTS, NAMESPACES, WORKFLOWS
from webhook.ledger.pool import Pool
from webhook.model.contract import ENABLED
from webhook.model.limits.run_events import EVENTS_ASK, EVENTS_AT_ONCE, EVENTS_REST, MOST_EVENTS
from webhook.model.objects import Object
from webhook.run_events.mirror import EventMirror

SHOWN = ("type", "reason", "message", "count")


class House:
    """A world in which Argo makes Events on west, and a mirror that is turned by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": {ENABLED: "true"}}})
        self.restart()

    def restart(self) -> None:
        """A controller that knows nothing begins."""
        watches = self.world.parts.watches
        known: Caches = watches.known
        self.mirror = EventMirror(
            front=Cluster("front", Configuration(), http=self.world.front, clock=self.world.clock),
            registry=self.world.registry,
            known=known,
            begin=self.world.informers.append,
            clock=self.world.clock,
            now=self.world.clock.now,
        )
        watches.follow(self.mirror)
        for placement in known.origins.placements():
            self.mirror.look_at(placement)

    def event(self, reason: str, message: str = "words", *, about: Object | None = None, **fields: Any) -> str:
        """Argo's controller makes one Event of a run; its name."""
        run = about or self.world.run()
        assert run is not None
        metadata = run["metadata"]
        made = self.world.west.put(
            EVENTS,
            {
                "metadata": {"generateName": "job.", "namespace": metadata["namespace"]},
                "involvedObject": {"kind": "Workflow", "name": metadata["name"], "uid": metadata["uid"]},
                "source": {"component": "workflow-controller"},
                "reason": reason,
                "message": message,
                "type": "Normal",
                "count": 1,
                "firstTimestamp": self.world.clock.stamp(),
                "lastTimestamp": self.world.clock.stamp(),
                **fields,
            },
        )
        return str(made["metadata"]["name"])

    def settle(self, rounds: int = 4) -> None:
        """Let the world and the mirror work."""
        for _ in range(rounds):
            self.world.settle(1)
            self.keep()
            self.world.watch()
            self.write()

    def keep(self) -> None:
        """The targets' watches are begun and ended."""
        for name, cluster in self.world.registry.clusters().items():
            self.mirror.sources.turn(name, cluster)

    def write(self) -> None:
        """All that is due now is written."""
        self.world.clock.advance(1.0)
        while self.mirror.turn(wait=False):
            pass

    def shown(self, placement: str = "p1") -> list[tuple[Any, ...]]:
        """Argo's Events on an origin."""
        uid = self.world.origin(placement)["metadata"]["uid"]
        ours = [one for one in self.world.front.all(EVENTS, "ns") if one["involvedObject"]["uid"] == uid]
        assert all(one["source"] == {"component": "workflow-controller"} for one in ours)
        return sorted(tuple(one[key] for key in SHOWN) for one in ours)


@pytest.fixture
def house(pool: Pool) -> House:
    """One run is under way on west."""
    house = House(World(pool))
    house.world.place()
    house.settle()
    return house


def test_what_argo_says_of_a_run_is_said_of_its_origin_once_whatever_restarts(house: House) -> None:
    house.event("WorkflowRunning", "Workflow Running")
    failed = house.event("WorkflowNodeFailed", "Failed node job: exit code 3", type="Warning", count=2)
    expected = [
        ("Normal", "WorkflowRunning", "Workflow Running", 1),
        ("Warning", "WorkflowNodeFailed", "Failed node job: exit code 3", 2),
    ]
    house.settle()
    assert house.shown() == expected
    house.restart()
    house.settle()
    assert house.shown() == expected
    # Argo says again what it has said, and combines others with it.
    house.world.west.change(EVENTS, "ns", failed, {"count": 7, "message": "(combined) Failed node job(6)"})
    house.settle()
    assert house.shown() == [expected[0], ("Warning", "WorkflowNodeFailed", "(combined) Failed node job(6)", 7)]


def test_an_end_is_told_although_the_run_has_ended_before_and_then_nothing_is_watched(house: House) -> None:
    house.world.end_run("Failed")
    house.settle()
    house.event("WorkflowFailed", "no luck", type="Warning")
    house.settle()
    assert house.shown() == [("Warning", "WorkflowFailed", "no luck", 1)]
    house.world.clock.advance(EVENTS_REST)
    house.keep()
    house.world.informers = [one for one in house.world.informers if one.current]
    calls = len(house.world.west.calls)
    house.world.watch()
    assert [call for call in house.world.west.calls[calls:] if call.resource == EVENTS.plural] == []


def test_an_end_is_told_of_a_workflow_that_is_gone_as_soon_as_it_ends(house: House) -> None:
    """With `ttlStrategy: {secondsAfterCompletion: 0}` Argo's Event of the end comes when nothing of it is there."""
    run, origin = house.world.run(), house.world.origin()
    house.world.end_run()
    house.settle()
    house.world.west.remove(WORKFLOWS, "ns", run["metadata"]["name"] if run else "")
    house.world.front.remove(WORKFLOWS, "ns", origin["metadata"]["name"])
    house.settle()
    house.event("WorkflowSucceeded", "Workflow completed", about=run)
    house.settle()
    told = house.world.front.all(EVENTS, "ns")
    assert [(one["reason"], one["involvedObject"]["uid"]) for one in told] == [
        ("WorkflowSucceeded", origin["metadata"]["uid"])
    ]


def test_what_is_said_long_after_a_workflow_went_is_not_told(house: House) -> None:
    run, origin = house.world.run(), house.world.origin()
    house.world.end_run()
    house.settle()
    house.world.west.remove(WORKFLOWS, "ns", run["metadata"]["name"] if run else "")
    house.world.front.remove(WORKFLOWS, "ns", origin["metadata"]["name"])
    house.settle()
    house.world.place("p2")
    house.world.clock.advance(EVENTS_REST)
    house.settle()
    house.event("WorkflowSucceeded", "Workflow completed", about=run)
    house.settle()
    assert house.world.front.all(EVENTS, "ns") == []


def test_a_namespace_that_has_opted_out_is_told_nothing_of_what_is_gone(house: House) -> None:
    run, origin = house.world.run(), house.world.origin()
    house.world.end_run()
    house.settle()
    house.world.west.remove(WORKFLOWS, "ns", run["metadata"]["name"] if run else "")
    house.world.front.remove(WORKFLOWS, "ns", origin["metadata"]["name"])
    house.world.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": {ENABLED: None}}})
    house.settle()
    house.event("WorkflowSucceeded", "Workflow completed", about=run)
    house.settle()
    assert house.world.front.all(EVENTS, "ns") == []


def test_events_of_others_are_nobodys(house: House) -> None:
    theirs = house.world.west.put(WORKFLOWS, {"metadata": {"name": "theirs", "namespace": "ns"}, "spec": {}})
    house.event("WorkflowRunning", about=theirs)
    house.event("Scheduled", source={"component": "kubelet"})
    house.settle()
    assert house.world.front.all(EVENTS, "ns") == []


def test_a_target_that_lets_nobody_read_events_lacks_them_only_until_it_does(house: House) -> None:
    world = house.world
    world.west.allowed = lambda spec: spec["resourceAttributes"]["resource"] != "events"
    world.place("p2", namespace="ns", on="west")
    world.clock.advance(EVENTS_REST)
    house.restart()
    house.event("WorkflowRunning")
    house.settle()
    assert house.shown() == []
    assert world.run("p2") is not None
    asked = [call for call in world.west.calls if call.resource == "selfsubjectaccessreviews"]
    house.settle()
    assert len([call for call in world.west.calls if call.resource == "selfsubjectaccessreviews"]) == len(asked)
    world.west.allowed = lambda _spec: True
    world.clock.advance(EVENTS_ASK)
    house.settle()
    assert [one[1] for one in house.shown()] == ["WorkflowRunning"]


def test_a_flood_of_one_workflow_leaves_the_others_theirs_and_itself_its_end(house: House) -> None:
    house.world.place("p2")
    house.settle()
    for number in range(MOST_EVENTS + 50):
        house.event("WorkflowNodeSucceeded", f"node {number}")
    house.event("WorkflowFailed", "the end")
    house.event("WorkflowRunning", about=house.world.run("p2"))
    house.keep()
    house.world.watch()
    house.world.clock.advance(1.0)
    assert house.mirror.turn(wait=False)
    assert len(house.shown()) == EVENTS_AT_ONCE
    assert house.mirror.turn(wait=False)
    assert len(house.shown("p2")) == 1
    house.settle()
    assert len(house.shown()) == MOST_EVENTS
    assert "WorkflowFailed" in {one[1] for one in house.shown()}


def test_what_the_front_door_refuses_costs_no_other_event_anything(house: House) -> None:
    def refuse(call: Call, thing: Object) -> ApiError | None:
        bad = call.resource == EVENTS.plural and thing["message"] == "bad"
        return ApiError(422, "Invalid", "it is bad", {}) if bad else None

    house.world.front.refuse_later = refuse
    house.event("WorkflowRunning", "bad")
    house.event("WorkflowSucceeded", "good")
    house.settle()
    assert [one[2] for one in house.shown()] == ["good"]


def test_what_the_front_door_does_not_answer_is_shown_later(house: House) -> None:
    house.event("WorkflowRunning")
    house.world.front.faults = lambda call: REFUSE if call.resource == EVENTS.plural else None
    house.settle()
    assert house.shown() == []
    house.world.front.faults = lambda _call: None
    house.world.clock.advance(10.0)
    house.settle()
    assert len(house.shown()) == 1


def test_a_namespace_that_has_opted_out_gets_no_more(house: House) -> None:
    house.world.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": {ENABLED: None}}})
    house.settle()
    house.event("WorkflowRunning")
    house.settle()
    assert house.shown() == []
