"""What a mirror does at the front door and on the target."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import ApiError, Call, FakeApiserver
from tests.support.fake_clock import FakeClock
from tests.support.pods import facts, pod
from webhook.controller.watches import Caches
from webhook.controller.workflow_index import WorkflowIndex
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import PODS
from webhook.logs.facts import Gatherer
from webhook.logs.mirror import Mirror
from webhook.logs.pods import Facts, slim
from webhook.logs.virtual_nodes import VirtualNodes
from webhook.model.contract import PLACEMENT
from webhook.model.limits.logs import MIRROR_WORKERS, MIRROR_WORKERS_PER_TARGET
from webhook.model.run import run_placement

Object = dict[str, Any]


class House:
    """A front door, west with one pod of a run, and a mirror that is told what to look at."""

    def __init__(self) -> None:
        clock = FakeClock()
        self.front, self.west = FakeApiserver("front", clock=clock), FakeApiserver("west", clock=clock)
        for one in (self.front, self.west):
            one.namespace("ns")
        self.west.put(PODS, pod())
        west = Cluster("west", Configuration(), http=self.west)

        class OneTarget:
            def get(self, _: str) -> Cluster:
                return west

        self.mirror = Mirror(
            front=Cluster("front", Configuration(), http=self.front),
            registry=cast("Registry", OneTarget()),
            known=cast("Caches", None),
            virtual_nodes=cast("VirtualNodes", None),
            sweep=30.0,
        )

    def settle(self) -> None:
        """Look at all pods."""
        known = facts(mirrored=[slim(one) for one in self.shown()], pods=[slim(one) for one in self.there()])
        self.mirror.bring_up_to_date(known)

    def shown(self) -> list[Object]:
        """The pods at the front door."""
        return self.front.all(PODS, "ns")

    def there(self) -> list[Object]:
        """The pods on the target."""
        return self.west.all(PODS, "ns")


@pytest.fixture
def house() -> House:
    house = House()
    house.settle()
    return house


def test_a_pod_is_mirrored_with_its_spec_and_its_status_and_then_left_alone(house: House) -> None:
    [shown] = house.shown()
    assert (shown["status"]["phase"], shown["spec"]["containers"][0]["args"]) == ("Running", ["a"])
    calls = len(house.front.calls)
    house.settle()
    assert len(house.front.calls) == calls


def test_where_the_front_door_refuses_what_it_has_the_pod_is_shown_all_the_same() -> None:
    def refuse(call: Call, thing: Object) -> ApiError | None:
        bad = call.resource == PODS.plural and "volumes" in thing["spec"]
        return ApiError(403, "Forbidden", "violates a policy", {}) if bad else None

    house = House()
    house.front.refuse_later = refuse
    house.settle()
    [shown] = house.shown()
    assert shown["status"]["phase"] == "Running"
    assert "env" not in shown["spec"]["containers"][0]


def test_a_pod_deleted_at_the_front_door_is_deleted_on_the_target_and_goes_with_it(house: House) -> None:
    [shown] = house.shown()
    deleted = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 7}
    house.front.put(PODS, {**shown, "metadata": {**shown["metadata"], **deleted}})
    house.settle()
    assert house.there() == []
    house.settle()
    assert house.shown() == []


def test_medeas_own_removals_delete_nothing_on_the_target(house: House) -> None:
    known = facts(origin=None, mirrored=[slim(one) for one in house.shown()], pods=[])
    house.mirror.bring_up_to_date(known)
    assert house.shown() == []
    assert len(house.there()) == 1
    assert "delete" not in {call.verb for call in house.west.calls}


def test_a_pod_that_was_replaced_meanwhile_is_neither_shown_nor_deleted_for_the_other(house: House) -> None:
    before = [slim(one) for one in house.there()]
    house.west.remove(PODS, "ns", "job-main-u1")
    house.west.put(PODS, {**pod("u2"), "metadata": {**pod("u2")["metadata"], "name": "job-main-u1"}})
    [shown] = house.shown()
    shown["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 7}
    house.mirror.bring_up_to_date(facts(mirrored=[slim(shown)], pods=before))
    assert [one["metadata"]["uid"] for one in house.there()] == ["u2"]
    house.mirror.bring_up_to_date(facts(pods=before, mirrored=[]))
    assert len(house.shown()) == 1


def test_a_target_that_hangs_leaves_the_pods_of_others_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = Cluster("front", Configuration(), http=FakeApiserver("front", clock=FakeClock()))
    runs = {
        target: WorkflowIndex(nobody, placement_of=run_placement, changed=lambda *_: None)
        for target in ("west", "north")
    }
    on_west = [f"w{number}" for number in range(MIRROR_WORKERS)]
    for placement in (*on_west, "n1"):
        metadata = {"name": placement, "uid": placement, "labels": {PLACEMENT: placement}}
        runs["north" if placement == "n1" else "west"].note({"metadata": metadata}, gone=False)
    begun, answers, north = threading.Semaphore(0), threading.Event(), threading.Event()

    class Slow(Mirror):
        def bring_up_to_date(self, facts: Facts) -> None:
            if facts.placement == "n1":
                north.set()
            else:
                begun.release()
                answers.wait(60)

    monkeypatch.setattr(Gatherer, "gather", lambda _, placement: [facts(placement=placement)])
    known = Caches(cast("Any", None), runs, cast("Any", None))
    mirror = Slow(
        front=nobody,
        registry=cast("Registry", None),
        known=known,
        virtual_nodes=cast("VirtualNodes", None),
        sweep=30.0,
    )
    for placement in on_west:
        mirror.look_at(placement)
    with ThreadPoolExecutor(MIRROR_WORKERS) as pool:
        turns = [pool.submit(mirror.turn) for _ in range(MIRROR_WORKERS)]
        assert all(begun.acquire(timeout=20) for _ in range(MIRROR_WORKERS_PER_TARGET))
        mirror.look_at("n1")
        shown = north.wait(20)
        answers.set()
        assert shown
        for one in turns:
            one.result(20)
