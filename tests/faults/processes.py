"""Medea's two processes, made of their real parts and taken forward step by step, without a thread."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes.client import Configuration

from tests.faults.ledger import FaultyPool
from tests.faults.network import SAMPLES, Network
from tests.faults.schedule import WATCHED
from tests.support.fake_apiserver import MEDEA, FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.admission.review import Admission
from webhook.admission.stub import AgentPods
from webhook.admission.wire import deadline_of, decode
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.kube.prober import TargetProber
from webhook.kube.registry import Registry
from webhook.ledger import identities
from webhook.model.contract import Hold
from webhook.model.objects import Object
from webhook.namespaces.hold import Holds
from webhook.namespaces.prepared import Prepared
from webhook.references.presence import Presence
from webhook.scout.model import Snapshot
from webhook.scout.placer import Placer
from webhook.scout.sampler import Sampler
from webhook.settings import Settings
from webhook.targets.acceptance import Acceptance
from webhook.wiring.controller import assemble_controller
from webhook.wiring.parts import Parts

SYSTEM, SPACE = "medea-system", "medea-targets"
SWEEP, MAX_AGE, PATIENCE = 30.0, 60.0, 10.0
"""Seconds: the settings' defaults, and for how long the apiserver waits for a review."""
Quotas = Callable[[], dict[tuple[str, str], Snapshot]]


class FakeSampler(Sampler):
    """Samples of what the fake targets use, as Prometheus would have them; `read` fails while that is away."""

    def __init__(self, look: Quotas, network: Network) -> None:
        self._look, self._network = look, network
        self._seen: dict[tuple[str, str], Snapshot] = {}
        self._told: list[Callable[[], None]] = []

    def on_read(self, listener: Callable[[], None]) -> None:
        self._told.append(listener)

    def start(self) -> None:
        """It reads when it is told."""

    def wait_for(self, namespace: str, _: float) -> bool:
        return bool(namespace)

    def of_namespace(self, namespace: str) -> dict[str, Snapshot]:
        return {cluster: snapshot for (cluster, name), snapshot in self._seen.items() if name == namespace}

    def read(self) -> None:
        kind = self._network.before(SAMPLES, "read", "samples")
        if kind in (None, "stale", "cut"):
            self._seen = {**self._seen, **self._look()}
            for listener in self._told:
                listener()


class Process:
    """What both have: a way to the front door, to the targets, to the ledger, and eyes."""

    def __init__(self, name: str, world: "Surroundings") -> None:
        self.name, self.world = name, world
        self.front = Cluster("front", Configuration(), http=world.front, clock=world.clock.monotonic)
        self.pool = FaultyPool(world.connection(name), world.clock, world.network)
        self.registry = Registry(self.front, SPACE, expected=functools.partial(identities.expected, self.pool))
        self.sampler = FakeSampler(world.quotas, world.network)
        self.acceptance = Acceptance(self.registry, clock=world.clock.monotonic)
        self.presence = Presence(self.registry, clock=world.clock.monotonic)
        self.placer = Placer(
            pool=self.pool,
            sampler=self.sampler,
            registry=self.registry,
            max_age=MAX_AGE,
            closed=self.acceptance.refusal,
            presence=self.presence,
            clock=world.clock.true_time,
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """While this process does something, faults are its own."""
        network = self.world.network
        before, network.who = network.who, self.name
        try:
            yield
        finally:
            network.who = before

    def probe(self) -> None:
        """See which targets answer."""
        for cluster in self.registry.clusters().values():
            cluster.probe()


class Surroundings:
    """What a process is put into. `quotas` are what the targets have and use now."""

    def __init__(self, front: FakeApiserver, targets: dict[str, FakeApiserver], network: Network) -> None:
        self.front, self.targets, self.network = front, targets, network
        self.clock: FakeClock = front.clock
        self.connection: Callable[[str], Any]
        self.quotas: Quotas


class ServiceUnderTest(Process):
    """The service: the apiserver calls `review`. After a kill it is made anew."""

    def __init__(self, name: str, world: Surroundings) -> None:
        super().__init__(name, world)
        self.holds = Holds(self.front, self.pool, default=Hold.PLUGIN, patience=30.0)
        self.admission = Admission(
            front=self.front,
            registry=self.registry,
            pool=self.pool,
            placer=self.placer,
            is_own=lambda user: user == MEDEA,
            prepared=Prepared(self.front),
            holds=self.holds,
            agents=AgentPods(),
            presence=self.presence,
            argo_configs=lambda _target: (),
        )

    def turn(self) -> None:
        """What goes on in the background: the targets, the namespaces, the samples."""
        with self.running():
            self.registry._watch.step()
            self.holds._watch.step()
            self.probe()
            self.sampler.read()

    def review(self, review: Object) -> Object:
        """One call of the webhook, as over HTTP."""
        with self.running():
            deadline = deadline_of(f"{PATIENCE:.0f}s", self.world.clock.monotonic)
            return self.admission.review(decode(json.dumps(review).encode()), deadline)


class ControllerUnderTest(Process):
    """A controller that leads. Everything that it would do in threads is one of the methods here."""

    def __init__(self, name: str, world: Surroundings) -> None:
        super().__init__(name, world)
        parts = Parts(
            front=self.front,
            registry=self.registry,
            prober=TargetProber(self.registry),
            pool=self.pool,
            sampler=self.sampler,
            placer=self.placer,
            acceptance=self.acceptance,
            presence=self.presence,
            authority_bundle=lambda: "",
        )
        made = assemble_controller(
            parts,
            Settings(),
            recorder=Silent(self.front),
            clock=world.clock.monotonic,
            now=world.clock.now,
            begin=lambda _informer: None,
            authority=lambda: "CERTIFICATE",
        )
        self.parts, self._queue = made, made.controller._queue
        self.registry.on_change(made.controller._on_target)
        self.sampler.on_read(self._queue.wake)
        self._swept: float | None = None
        self._turns = 0

    @property
    def knows(self) -> bool:
        """Whether everything has been listed that must be before anything is decided."""
        return self.parts.watches.origins.informer.wait(0) and self.registry.wait(0)

    def watch(self, which: str | None = None) -> None:
        """Take the watches forward: those of `front`, or of a target, or all."""
        watches = self.parts.watches
        with self.running():
            if which in (None, "front"):
                for informer in (self.registry._watch, watches.namespaces, watches.origins.informer, watches.agents):
                    informer.step()
            for name, index in list(watches.runs.items()):
                if which in (None, name):
                    index.informer.step()
                    watches.made[name].informer.step()

    def work(self, keys: int = 500) -> None:
        """Work through what is ready: so many keys, or all."""
        with self.running():
            while self.knows and keys > 0 and self.parts.loop.turn(wait=False):
                keys -= 1

    def place(self) -> None:
        """Look at the queue, if something may have come free."""
        with self.running():
            if self.knows and self._queue._wake.is_set():
                self._queue._wake.clear()
                self._queue.look()

    def sweep(self) -> None:
        """Sweep, whenever it is."""
        with self.running():
            if self.knows:
                self.parts.sweep.run()

    def turn(self, late: str | None = None) -> None:
        """Everything once, and a sweep when it is time for one. `late` watches have their turn every fourth time."""
        self._turns += 1
        for which in WATCHED:
            if late != ("front" if which == "front" else "targets") or self._turns % 4 == 0:
                self.watch(which)
        with self.running():
            self.probe()
            self.sampler.read()
            if self.knows:
                self.parts.loop.wake()
        self.place()
        self.work()
        now = self.world.clock.monotonic()
        if self._swept is None or now - self._swept >= SWEEP:
            self._swept = now
            self.sweep()
            self.place()
            self.work()


class Silent(EventRecorder):
    """Records no Events: they are for people, and fail without a consequence."""

    def record(self, origin: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Forget one."""


@contextlib.contextmanager
def instead(thing: Any, name: str, value: Any) -> Iterator[None]:
    """Give something another attribute for a while, in the place of one that it has."""
    assert hasattr(thing, name), f"{thing} has no {name}"
    own = vars(thing).get(name, _ABSENT)
    setattr(thing, name, value)
    try:
        yield
    finally:
        if own is _ABSENT:
            delattr(thing, name)
        else:
            setattr(thing, name, own)


_ABSENT = object()
