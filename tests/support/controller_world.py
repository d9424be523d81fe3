"""A front door and two targets in memory, and a controller that is turned by hand on a clock that stands still."""

import copy
from typing import Any, cast

from kubernetes.client import Configuration

from tests.support.fake_apiserver import REFUSE, Call, FakeApiserver, Fault
from tests.support.fake_clock import FakeClock
from webhook.errors import Missing
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.identity import SYSTEM
from webhook.kube.informer import Informer
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import identities, placements, reserving
from webhook.ledger.placement import NewPlacement, Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import FINALIZER, PLACEMENT, VERBS, Hold
from webhook.model.submitter import Submitter
from webhook.model.verbs import Verb, written
from webhook.references.presence import Presence
from webhook.scout.model import Decision, Outcome, Verdict
from webhook.scout.placer import Pause
from webhook.settings import Settings
from webhook.targets.acceptance import Acceptance
from webhook.totals.model import Totals
from webhook.wiring.controller import assemble_controller
from webhook.wiring.parts import Parts

Object = dict[str, Any]
ORIGINAL: Object = {"workflow": {"metadata": {}, "spec": {"entrypoint": "main"}}, "templates": []}


class Targets(Registry):
    """A registry of clusters that are given to it."""

    def __init__(self, front: Cluster) -> None:
        super().__init__(front, "medea-system")
        self.known: dict[str, Cluster] = {}
        self.impersonated: dict[str, frozenset[str]] = {}

    def impersonated_groups(self, target: str) -> frozenset[str] | None:
        """Which groups count where Medea acts as who submits; None where it does not."""
        return self.impersonated.get(target)

    def names(self) -> dict[str, str | None]:
        """Every registered target, with the reason why it can't be used, or None."""
        return {name: cluster.health.away for name, cluster in self.known.items()}

    def clusters(self) -> dict[str, Cluster]:
        """The clients of all targets that can be talked to."""
        return dict(self.known)

    def get(self, name: str) -> Cluster:
        """The client of a target."""
        if name not in self.known:
            raise Missing(f"target {name} is not registered at this front door")
        return self.known[name]


class Recorder(EventRecorder):
    """Keeps the Events."""

    def __init__(self, front: Cluster) -> None:
        super().__init__(front)
        self.events: list[tuple[str, str]] = []

    def record(self, origin: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Have one Event recorded."""
        assert isinstance(warning, bool) and origin["metadata"]["uid"]
        self.events.append((reason, message))

    @property
    def reasons(self) -> list[str]:
        """The Events' reasons, in their order."""
        return [reason for reason, _ in self.events]


class Pauses:
    """Stands for the placer: notes which targets are to be left out for a while."""

    def __init__(self) -> None:
        self.paused: list[tuple[str, str]] = []
        self.barred: list[tuple[str, str, str]] = []
        self.free: dict[str, Totals] = {}

    def pause(self, namespace: str, target: str, pause: Pause) -> None:
        """Nothing is to leave this queue for this target for a while."""
        assert pause.seconds > 0
        self.paused.append((namespace, target))

    def overview(self, namespace: str) -> tuple[Verdict, ...]:
        """How much room each target has."""
        assert namespace
        return tuple(Verdict(name, free=free) for name, free in self.free.items())

    def bar(self, placement: Placement, target: str, words: str) -> None:
        """Nothing of this placement's submitter is to go to this target for a while."""
        self.barred.append((placement.placement, target, words))


class World:
    """All of it. Nothing happens but in `settle`, `look` and what tests do."""

    def __init__(self, pool: Pool) -> None:
        self.pool, self.clock = pool, FakeClock()
        self.front = FakeApiserver("front", clock=self.clock)
        self.targets = {name: FakeApiserver(name, clock=self.clock) for name in ("west", "east")}
        self.west, self.east = self.targets["west"], self.targets["east"]
        for one in (self.front, *self.targets.values()):
            one.namespace("ns")
            one.namespace(SYSTEM)
        front = Cluster("front", Configuration(), http=self.front, clock=self.clock)
        self.registry, self.recorder = Targets(front), Recorder(front)
        self.placer = Pauses()
        self.informers: list[Informer] = []
        self.acceptance = Acceptance(self.registry, clock=self.clock)
        self.presence = Presence(self.registry, clock=self.clock)
        others = cast("tuple[Any, ...]", (None, pool, None, self.placer, self.acceptance, self.presence, None))
        parts = Parts(front, self.registry, *others)
        self.parts = assemble_controller(
            parts,
            Settings(),
            recorder=self.recorder,
            clock=self.clock,
            now=self.clock.now,
            begin=self.informers.append,
            authority=lambda: "CERTIFICATE",
        )
        self.parts.watches.start()
        for name in self.targets:
            self.register(name)

    # --- what happens in the world

    def register(self, name: str) -> None:
        """A target is registered, or its Secret has changed."""
        cluster = Cluster(
            name, Configuration(), http=self.targets[name], breaker=True, expected=self._expected, clock=self.clock
        )
        self.registry.known[name] = cluster
        self.parts.watches.on_target(name, cluster)

    def _expected(self, name: str, uid: str | None) -> str | None:
        return identities.expected(self.pool, name, uid)

    def unregister(self, name: str) -> None:
        """A target's Secret is deleted."""
        del self.registry.known[name]
        self.parts.watches.on_target(name, None)

    def cut_off(self, name: str) -> None:
        """A target stops answering, and that is noticed."""
        self.targets[name].faults = lambda _call: REFUSE
        for _ in range(2):
            self.registry.known[name].probe()
        assert self.registry.known[name].health.away

    def bring_back(self, name: str) -> None:
        """It answers again, and that is noticed."""
        self.targets[name].faults = lambda _call: None
        self.registry.known[name].probe()

    def fail(self, name: str, fault: Fault, *, verb: str, times: int = 1) -> None:
        """The next calls of this kind fail so."""
        left = [times]

        def faults(call: Call) -> Fault | None:
            if call.verb != verb or call.resource != WORKFLOWS.plural or left[0] == 0:
                return None
            left[0] -= 1
            return fault

        self.targets[name].faults = faults

    # --- placements

    def place(
        self,
        placement: str = "p1",
        *,
        on: str | None = "west",
        hold: Hold = Hold.PLUGIN,
        original: Object = ORIGINAL,
        name: str | None = None,
        namespace: str = "ns",
        submitter: Submitter | None = None,
    ) -> None:
        """A Workflow is accepted, and its origin created; without `on` it waits in the queue."""
        outcome = Outcome.PLACED if on else Outcome.QUEUED
        new = NewPlacement(
            placement=placement,
            namespace=namespace,
            name=name or f"job-{placement}",
            generate_name=None,
            template=None,
            totals=Totals(1000, 1 << 30),
            policy="random",
            only_clusters=None,
            identity="ann",
            original=cast("Any", copy.deepcopy(original)),
            hold=hold,
            submitter=submitter,
        )
        reserving.admit(self.pool, new, lambda _: Decision(outcome, f"{on}: free", "random", 1.0, on))
        marks = {PLACEMENT: placement, **({"medea.dev/cluster": on} if on else {})}
        metadata = {"name": new.name, "namespace": namespace, "annotations": marks, "finalizers": [FINALIZER]}
        self.front.put(WORKFLOWS, {"metadata": metadata, "spec": {}})

    def row(self, placement: str = "p1") -> Placement:
        """Its row."""
        found = placements.get(self.pool, placement)
        assert found is not None
        return found

    def origin(self, placement: str = "p1") -> Object:
        """Its origin."""
        found = self.front.get(WORKFLOWS, "ns", f"job-{placement}")
        assert found is not None
        return found

    def run(self, placement: str = "p1", on: str = "west") -> Object | None:
        """Its run on a target, whatever it is called there."""
        found = [
            one
            for one in self.targets[on].all(WORKFLOWS, "ns")
            if one["metadata"].get("labels", {}).get(PLACEMENT) == placement
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def end_run(self, phase: str = "Succeeded", placement: str = "p1", on: str = "west", **status: Any) -> None:
        """The target's Argo writes a run's end."""
        run = self.run(placement, on)
        assert run is not None
        status = {"phase": phase, "finishedAt": self.clock.stamp(), **status}
        self.targets[on].change(WORKFLOWS, "ns", run["metadata"]["name"], {"status": status})

    def ask(self, *verbs: Verb, placement: str = "p1") -> None:
        """A person steers the origin, and the webhook has noted it."""
        patch = {"metadata": {"annotations": {VERBS: written(verbs)}}}
        self.front.change(WORKFLOWS, "ns", f"job-{placement}", patch)

    # --- the controller

    def watch(self) -> None:
        """Every watch is told what is new."""
        for informer in self.informers:
            informer.step()
            informer.step()

    def look(self) -> int:
        """Look at all that is ready now; returns how many keys that were."""
        looked = 0
        while self.parts.loop.turn(wait=False):
            looked += 1
            assert looked < 1000
        return looked

    def lose_news(self) -> None:
        """What the watches tell is put into no queue."""
        self.watch()
        self.clock.advance(1.0)
        while (key := self.parts.work.get(wait=False)) is not None:
            self.parts.work.done(key)

    def settle(self, rounds: int = 4) -> None:
        """Let news arrive and be worked on, a second at a time."""
        for _ in range(rounds):
            self.watch()
            self.parts.loop.wake()
            self.look()
            self.clock.advance(1.0)
            self.look()

    def wait(self, seconds: float) -> None:
        """So much time passes, with sweeps every half minute, or fifty where that would be more."""
        pause, until = max(30.0, seconds / 50), self.clock() + seconds
        while self.clock() < until:
            self.clock.advance(min(pause, until - self.clock()))
            self.parts.loop.wake()
            self.parts.sweep.run()
            self.settle(2)

    def calls(self, on: str, verb: str) -> list[Call]:
        """The calls of one kind that were made about Workflows there."""
        server = self.front if on == "front" else self.targets[on]
        return [call for call in server.calls if (call.verb, call.resource) == (verb, WORKFLOWS.plural)]
