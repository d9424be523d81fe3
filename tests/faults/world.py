"""One episode's world: clusters, Argo, people, Medea's processes, and everything that can happen to them."""

import base64
import contextlib
import json
import random
import sys
import traceback
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import structlog

from tests.faults.argo import FINAL, LASTS, FrontArgo, TargetArgo, parameter
from tests.faults.ledger import LedgerServer
from tests.faults.network import ARGO, Armed, Killed, Network
from tests.faults.poison import poisoned
from tests.faults.processes import PATIENCE, SPACE, SYSTEM, ControllerUnderTest, ServiceUnderTest, Surroundings, instead
from tests.faults.schedule import FOREVER, NAMESPACES, TARGETS, WATCHED, Event
from tests.faults.users import Users
from tests.support.fake_apiserver import MEDEA, ApiError, Call, FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.kube import client, informer, registry
from webhook.kube.resources import SECRETS, WORKFLOWS
from webhook.model.contract import CLUSTER, ENABLED, HOLD, ORIGIN_UID, PLACEMENT
from webhook.scout.model import Snapshot
from webhook.totals.model import GIB, NOTHING, Totals

Object = dict[str, Any]
ROOM = 8
"""Cores of each target's quota in each namespace, when nothing is wrong."""
# Steps of 8 s without a change after which nothing more is to come: a placement without an origin expires within 120 s.
_QUIET = 20
ELSEWHERE = "elsewhere"
"""A cluster that is no target, though a Secret may lead there."""


class World:
    """Everything of one episode. `do` takes it forward; `bugs` are errors that Medea logged as its own."""

    def __init__(self, ledger: LedgerServer, seed: int = 0) -> None:
        self.clock, self.network = FakeClock(), Network()
        self.front = FakeApiserver("front", clock=self.clock, seed=seed)
        self.targets = {name: FakeApiserver(name, clock=self.clock, seed=seed) for name in TARGETS}
        self.elsewhere = FakeApiserver(ELSEWHERE, clock=self.clock, seed=seed)
        self._ledger, self._connections = ledger, dict[str, Any]()
        self._room = dict.fromkeys(TARGETS, ROOM)
        self._argos: list[TargetArgo | FrontArgo] = [
            *(TargetArgo(one) for one in self.targets.values()),
            FrontArgo(self.front, "plug"),
        ]
        self._later: str | None = None
        self._late: str | None = None
        self._seed = seed
        self.surroundings = Surroundings(self.front, self.targets, self.network)
        self.bugs: list[str] = []
        self.surroundings.connection, self.surroundings.quotas = self._connection, self._quotas
        self.users = Users(self.front, NAMESPACES)
        self.controllers: dict[str, ControllerUnderTest] = {}
        self.service: ServiceUnderTest

    @contextlib.contextmanager
    def alive(self) -> Iterator["World"]:
        """Everything set up, and Medea's modules on this world's clock and chance."""
        chance = random.Random(self._seed)
        random.seed(self._seed)
        self._ledger.empty()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.clock.installed("webhook"))
            stack.enter_context(instead(registry, "Cluster", self._target_client))
            stack.enter_context(instead(informer.Informer, "start", lambda _self: None))
            stack.enter_context(instead(uuid, "uuid4", lambda: uuid.UUID(int=chance.getrandbits(128), version=4)))
            stack.enter_context(self._logs_kept())
            try:
                self._set_up()
                yield self
            finally:
                for connection in self._connections.values():
                    connection.close()

    def _set_up(self) -> None:
        for name in (SYSTEM, SPACE, "other"):
            self.front.namespace(name)
        self.front.namespace("plug", {ENABLED: "true"})
        self.front.namespace("bare", {ENABLED: "true", HOLD: "none"})
        for name, target in self.targets.items():
            self._put_secret(name)
            for namespace in (*NAMESPACES, "other", "kube-system"):
                target.namespace(namespace)
        for namespace in (*NAMESPACES, "kube-system"):
            self.elsewhere.namespace(namespace)
        for fake in (self.front, *self.targets.values()):
            fake.faults, fake.after = self.network.faults, self.network.done
            self.network.versions[fake.name] = lambda fake=fake: fake.version  # type: ignore[misc]
        self.network.meanwhile = self._meanwhile
        self.front.on_create(WORKFLOWS, self._webhook, when=_submitted)
        self.front.on_update(WORKFLOWS, self._webhook, when=_steered)
        self.front.refuse_later = self._refused_later
        self.service = ServiceUnderTest("service", self.surroundings)
        self.controllers = {"controller-0": ControllerUnderTest("controller-0", self.surroundings)}
        self.wait(45)

    # --- events

    def do(self, event: Event) -> None:  # noqa: PLR0912
        """One event of a schedule."""
        match event["do"]:
            case "submit":
                self._later = event.get("later")
                self.users.submit(event)
                self._later = None
            case "verb":
                self.users.verb(event["verb"], event["which"])
            case "turn":
                self._turn(event)
            case "wait":
                self.wait(event["seconds"])
            case "arm":
                self.network.arm(Armed(**{key: value for key, value in event.items() if key != "do"}))
            case "secret":
                name = TARGETS[event["which"] % len(TARGETS)]
                self.front.remove(SECRETS, SPACE, name)
                if event["there"]:
                    self._put_secret(name)
            case "room":
                self._room[TARGETS[event["which"] % len(TARGETS)]] = event["cpu"]
            case "late":
                self._late = event["watch"]
            case "clock":
                self.clock.skew = event["skew"]
            case "leaders":
                self._lead(event["number"])
            case "compact":
                for fake in (self.front, *self.targets.values()):
                    fake.compact()
            case "poison":
                fake = [self.front, *self.targets.values()][event["which"] % 3]
                fake.put(WORKFLOWS, poisoned(event["shape"], self.users.living()), user=ARGO)
            case "stranger":
                self._stranger(event)
            case "strip":
                self._strip(event["which"], event["what"])
            case "redirect":
                self._redirect(TARGETS[event["which"] % len(TARGETS)], away=event["away"])
            case other:
                raise ValueError(f"there is no event {other}")

    def wait(self, seconds: float) -> None:
        """Let time pass, with everybody at work."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self.clock.advance(min(2.0, until - self.clock.monotonic()) if seconds <= 20 else seconds / 10)
            self._everybody()

    def heal(self) -> None:
        """Nothing is wrong any more; what a person has suspended goes on."""
        self.network.heal()
        self.clock.skew, self._late = 0.0, None
        self._room = dict.fromkeys(TARGETS, ROOM)
        for name in TARGETS:
            self._put_secret(name)
        self._lead(1)

    def settle(self, seconds: float) -> None:
        """Let time pass in larger steps until nothing changes, or `seconds` are over."""
        until, quiet = self.clock.monotonic() + seconds, 0
        while self.clock.monotonic() < until and quiet < _QUIET:
            before = [fake.version for fake in (self.front, *self.targets.values())]
            self.clock.advance(8)
            self._everybody()
            self._let_end()
            same = before == [fake.version for fake in (self.front, *self.targets.values())]
            quiet = quiet + 1 if same else 0

    def _let_end(self) -> None:
        """People resume what they have suspended, and stop what would never end, unless they have done so before."""
        for one in self.users.living():
            if (one.get("status") or {}).get("phase") in FINAL:
                continue
            if (one.get("spec") or {}).get("suspend"):
                self.users.do("resume", one)
            elif parameter(one, LASTS, "0") == str(FOREVER) and not self.users.stopped(one):
                self.users.do("stop", one)

    def _everybody(self) -> None:
        for argo in self._argos:
            argo.turn()
        self._run("service", self.service.turn)
        for name in list(self.controllers):
            self._run(name, partial(self.controllers[name].turn, self._late))

    def _turn(self, event: Event) -> None:
        who, what = event["who"], event["what"]
        if who == "argo":
            for argo in self._argos:
                argo.turn()
        elif who == "service":
            self._run("service", self.service.turn)
        elif who in self.controllers:
            controller = self.controllers[who]
            turns: dict[str, Callable[[], None]] = {
                **{which: partial(controller.watch, which) for which in WATCHED},
                "watch": controller.watch,
                "work": lambda: controller.work(event["keys"]),
                "place": controller.place,
                "sweep": controller.sweep,
                "all": controller.turn,
            }
            self._run(who, turns[what])

    def _run(self, name: str, action: Callable[[], None]) -> None:
        """Let a process do something; one that dies of it begins anew."""
        outer = self.network.who
        try:
            action()
        except Killed:
            self._begin_anew(name)
            if outer == name:
                raise

    def _begin_anew(self, name: str) -> None:
        if name == "service":
            self.service = ServiceUnderTest(name, self.surroundings)
            # Not ready before it knows the targets and the ledger: no review gets to it until then.
            try:
                self.service.turn()
            except Killed:
                self._begin_anew(name)
        else:
            self.controllers[name] = ControllerUnderTest(name, self.surroundings)

    def _meanwhile(self, events: list[Event]) -> None:
        for event in events:
            self.do(event)

    def _lead(self, number: int) -> None:
        for name in ("controller-0", "controller-1")[:number]:
            if name not in self.controllers:
                self.controllers[name] = ControllerUnderTest(name, self.surroundings)
        for name in list(self.controllers)[number:]:
            del self.controllers[name]

    def _stranger(self, event: Event) -> None:
        living = self.users.living()
        target = self.targets[TARGETS[event["which"] % len(TARGETS)]]
        namespace, name = NAMESPACES[event["shape"] % len(NAMESPACES)], f"fixed-{event['shape'] % 3}"
        if living and event["shape"] > 5:
            one = living[event["which"] % len(living)]["metadata"]
            namespace, name = one["namespace"], one["name"]
        if target.get(WORKFLOWS, namespace, name) is None:
            spec = {"entrypoint": "main", "templates": []}
            target.put(WORKFLOWS, {"metadata": {"name": name, "namespace": namespace}, "spec": spec}, user="stranger")

    def _strip(self, which: int, what: str) -> None:
        """Somebody takes one of Medea's marks off a run, or off an origin that is bound."""
        if what == "origin":
            bound = [one for one in self.users.living() if self._is_bound(one)]
            fakes = [(self.front, one, {"annotations": {PLACEMENT: None}}) for one in bound]
        else:
            label = {"labels": {f"medea.dev/{what}": None}}
            fakes = [
                (fake, one, label)
                for fake in self.targets.values()
                for one in fake.look(WORKFLOWS)
                if {PLACEMENT, ORIGIN_UID} <= (one["metadata"].get("labels") or {}).keys() and _in_use(one)
            ]
        if fakes:
            fake, one, change = fakes[which % len(fakes)]
            metadata = one["metadata"]
            fake.change(WORKFLOWS, metadata["namespace"], metadata["name"], {"metadata": change}, user="administrator")

    def _is_bound(self, origin: Object) -> bool:
        placement = (origin["metadata"].get("annotations") or {}).get(PLACEMENT)
        words = "SELECT 1 FROM workflows WHERE placement = %s AND bound_at IS NOT NULL"
        return self._ledger.connection.execute(words, (placement,)).fetchone() is not None

    def _redirect(self, name: str, *, away: bool) -> None:
        """A target's Secret is pointed at a cluster that is none of the targets, or back."""
        self._put_secret(name, server=ELSEWHERE if away else name)

    # --- what surrounds Medea

    def _webhook(self, review: Object) -> Object:
        network, began = self.network, self.clock.monotonic()
        before, network.who = network.who, "apiserver"
        try:
            kind = network.before("webhook", "call", f"{review['request']['operation']} review")
        finally:
            network.who = before
        if kind == "refuse":
            raise ConnectionRefusedError("connection refused")
        if kind == "hang":
            self.clock.advance(PATIENCE)
            raise TimeoutError("context deadline exceeded")
        try:
            answered = self.service.review(review)
        except Killed:
            self._begin_anew("service")
            raise ConnectionResetError("EOF") from None
        if kind is not None or self.clock.monotonic() - began > PATIENCE:
            raise TimeoutError("context deadline exceeded")
        return answered

    def _refused_later(self, call: Call, thing: Object) -> ApiError | None:
        if call.verb != "create" or call.resource != "workflows" or call.user == MEDEA:
            return None
        name = thing["metadata"]["name"]
        match self._later:
            case "webhook":
                return ApiError(400, "", 'admission webhook "later.test" denied the request: not today')
            case "quota":
                return ApiError(403, "Forbidden", f'workflows.argoproj.io "{name}" is forbidden: exceeded quota: few')
            case "schema":
                return ApiError(422, "Invalid", f'Workflow.argoproj.io "{name}" is invalid: spec.entrypoint: Required')
        return None

    def _connection(self, name: str) -> Any:
        if name not in self._connections:
            self._connections[name] = self._ledger.connect()
        return self._connections[name]

    def _quotas(self) -> dict[tuple[str, str], Snapshot]:
        found = {}
        for cluster, fake in self.targets.items():
            for namespace in NAMESPACES:
                own = {
                    one["metadata"]["name"]: _size(one)
                    for one in fake.look(WORKFLOWS, namespace)
                    if isinstance(one.get("status"), dict) and one["status"].get("phase") == "Running"
                }
                hard = Totals(self._room[cluster] * 1000, 64 * GIB)
                used = NOTHING
                for size in own.values():
                    used = used + size
                found[cluster, namespace] = Snapshot(cluster, namespace, self.clock.true_time(), hard, used, own)
        return found

    def _put_secret(self, name: str, *, server: str | None = None) -> None:
        user = {"name": "medea", "user": {"token": "x"}}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "one",
            "clusters": [{"name": "one", "cluster": {"server": f"https://{server or name}.test"}}],
            "users": [user],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "medea"}}],
        }
        data = {"kubeconfig": base64.b64encode(json.dumps(config).encode()).decode()}
        metadata = {"name": name, "namespace": SPACE, "labels": {CLUSTER: name}}
        self.front.put(SECRETS, {"metadata": metadata, "data": data})

    def _target_client(self, name: str, configuration: Any, **named: Any) -> client.Cluster:
        host = urlsplit(configuration.host).hostname or ""
        leads_to = host.removesuffix(".test")
        http = self.elsewhere if leads_to == ELSEWHERE else self.targets[leads_to]
        # It would read all settings anew for each call.
        configuration.refresh_api_key_hook = None
        return client.Cluster(name, configuration, **{**named, "http": http, "clock": self.clock.monotonic})

    @contextlib.contextmanager
    def _logs_kept(self) -> Iterator[None]:
        before = structlog.get_config()

        def keep(_logger: Any, method: str, event: Any) -> Any:
            if method in ("exception", "error") and event.get("exc_info"):
                self.bugs.append(_last_error())
            raise structlog.DropEvent

        structlog.configure(processors=[keep], cache_logger_on_first_use=False)
        try:
            yield
        finally:
            structlog.configure(**before)


def _in_use(run: Object) -> bool:
    return run["metadata"]["namespace"] in NAMESPACES and bool(run["metadata"].get("finalizers"))


def _submitted(review: Object) -> bool:
    return review["request"]["namespace"] in NAMESPACES


def _steered(review: Object) -> bool:
    request = review["request"]
    own = request["userInfo"]["username"] == MEDEA and request["options"].get("fieldManager") == client.MANAGER
    placed = PLACEMENT in (request["oldObject"]["metadata"].get("annotations") or {})
    return request["namespace"] in NAMESPACES and placed and not own and request["userInfo"]["username"] != ARGO


def _size(workflow: Object) -> Totals:
    for template in (workflow.get("spec") or {}).get("templates") or []:
        limits = ((template.get("container") or {}).get("resources") or {}).get("limits")
        if limits:
            return Totals(int(limits["cpu"]) * 1000, GIB)
    return NOTHING


def _last_error() -> str:
    error = sys.exc_info()[1]
    assert error is not None
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} in {where.name} ({where.filename.rpartition('/')[2]})"
