"""Whatever happens to the objects and to the connection, in whatever order: in the end everybody knows the truth."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from kubernetes.client import Configuration

from tests.support.fake_apiserver import GARBAGE, HANG, REFUSE, RESET, FakeApiserver, answer, cut
from tests.support.fake_clock import FakeClock
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS

NAMES = st.sampled_from(["a", "b", "c", "d"])
FAULTS = st.sampled_from(
    [None, REFUSE, HANG, RESET, GARBAGE, cut(), cut(1), cut(2), answer(410, "old", "Expired"), answer(403), answer(500)]
)


class AnyOrder(RuleBasedStateMachine):
    """`replica` is what a listener that believes all it is told would know, by uid."""

    def __init__(self) -> None:
        super().__init__()
        self.west = FakeApiserver("west", clock=FakeClock())
        self.west.namespace("ns")
        self.replica: dict[str, str] = {}
        self.told_in_vain: list[str] = []
        cluster = Cluster("west", Configuration(), http=self.west, clock=self.west.clock)
        self.watch = Informer(cluster, WORKFLOWS, self.note, clock=self.west.clock)

    def note(self, thing: dict[str, Any], gone: bool) -> None:
        uid, version = thing["metadata"]["uid"], thing["metadata"]["resourceVersion"]
        if gone and self.replica.pop(uid, None) is None:
            self.told_in_vain.append(f"{uid} is gone")
        elif not gone and self.replica.get(uid) == version:
            self.told_in_vain.append(f"{uid} is at {version}")
        elif not gone:
            self.replica[uid] = version

    @rule(name=NAMES, again=st.booleans())
    def put(self, name: str, again: bool) -> None:
        if self.west.get(WORKFLOWS, "ns", name) and again:
            self.west.remove(WORKFLOWS, "ns", name)
        if not self.west.get(WORKFLOWS, "ns", name):
            self.west.put(WORKFLOWS, {"metadata": {"name": name, "namespace": "ns"}})

    @rule(name=NAMES, number=st.integers())
    def change(self, name: str, number: int) -> None:
        if self.west.get(WORKFLOWS, "ns", name):
            self.west.change(WORKFLOWS, "ns", name, {"spec": {"priority": number}})

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if self.west.get(WORKFLOWS, "ns", name):
            self.west.remove(WORKFLOWS, "ns", name)

    @rule()
    def compact(self) -> None:
        self.west.compact()

    @rule(fault=FAULTS, verb=st.sampled_from(["list", "watch"]))
    def goes_wrong(self, fault: Any, verb: str) -> None:
        self.west.faults = lambda call: fault if call.verb == verb else None

    @rule()
    def step(self) -> None:
        assert 0 <= self.watch.step() <= 5

    def teardown(self) -> None:
        self.west.faults = lambda _call: None
        for _ in range(3):
            self.watch.step()
        truth = {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in self.west.all(WORKFLOWS)}
        assert self.replica == truth
        assert self.told_in_vain == []
        assert {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in self.watch.all()} == truth
        assert self.watch.current


TestAnyOrder = AnyOrder.TestCase
