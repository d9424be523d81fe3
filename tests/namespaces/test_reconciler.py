"""A namespace that opted in gets what its hold needs, and nothing that it doesn't."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS, WORKFLOWS
from webhook.ledger import quiet
from webhook.ledger.pool import Pool
from webhook.model.contract import Hold
from webhook.namespaces.foreign_writes import ForeignWrites
from webhook.namespaces.prepare import Plugin, Preparer
from webhook.namespaces.probe import NAME, Probes
from webhook.namespaces.reconciler import NamespaceReconciler

PATIENCE = 30.0
THEN, LATER = datetime(2026, 1, 1, tzinfo=UTC), "2026-01-02T00:00:00Z"


class Told:
    """Stands for what records Events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def record(self, origin: dict[str, Any], reason: str, message: str, *, warning: bool) -> None:
        assert warning and "workflow-controller" in message
        self.events.append((origin["metadata"]["name"], reason))


class World:
    """A front door, what reconciles its namespaces, and the origins that the watch shows."""

    def __init__(self, pool: Pool, default: Hold = Hold.PLUGIN) -> None:
        self.pool, self.told = pool, Told()
        self.workflows = [origin("lives"), origin("ended", "succeeded"), origin("elsewhere", space="other")]
        self.front = FakeApiserver()
        cluster = Cluster("front", Configuration(), http=self.front, clock=self.front.clock)
        self.writes = ForeignWrites(lambda _: None)
        plugin = Plugin("medea", "https://medea", lambda: "CERTIFICATE")
        self.preparer = Preparer(cluster, plugin, clock=self.front.clock)
        self.origins = SimpleNamespace(all=lambda: self.workflows, current=True)
        origins: Any = self.origins
        recorder: Any = self.told
        self.reconciler = NamespaceReconciler(
            pool=pool,
            origins=origins,
            recorder=recorder,
            probes=Probes(cluster, pool, patience=PATIENCE),
            writes=self.writes,
            preparer=self.preparer,
            default=default,
        )
        for name in ("ns", "other"):
            self.front.namespace(name)

    def probes(self) -> list[str]:
        """Where there is one."""
        return [one["metadata"]["namespace"] for one in self.front.all(WORKFLOWS) if one["metadata"]["name"] == NAME]

    def controller_writes(self) -> None:
        """An Argo controller writes to the origin that lives."""
        wrote = [{"manager": "workflow-controller", "time": LATER}]
        self.workflows[0]["metadata"]["managedFields"] = wrote
        self.writes.note(self.workflows[0])


@pytest.fixture
def world(pool: Pool) -> World:
    return World(pool)


def namespace(hold: str | None, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "ns",
            "uid": "n",
            "resourceVersion": "1",
            "labels": {"medea.dev/hold": hold} if hold else {},
            **metadata,
        }
    }


def origin(name: str, state: str = "running", space: str = "ns") -> dict[str, Any]:
    marks = {"medea.dev/placement": name, "medea.dev/state": state}
    return {"metadata": {"name": name, "namespace": space, "annotations": marks}}


@pytest.mark.parametrize(("hold", "default"), [("none", Hold.PLUGIN), (None, Hold.NONE)])
def test_with_hold_none_it_is_probed_and_gets_nothing_for_argos_agent(
    pool: Pool, hold: str | None, default: Hold
) -> None:
    world = World(pool, default)
    assert world.reconciler.reconcile(namespace(hold)) == PATIENCE
    assert world.probes() == ["ns"]
    assert world.front.all(CONFIG_MAPS) == []
    assert world.told.events == []


@pytest.mark.parametrize(("hold", "default"), [("plugin", Hold.NONE), (None, Hold.PLUGIN)])
def test_with_the_plugin_hold_it_is_prepared_for_argos_agent_and_not_probed(
    pool: Pool, hold: str | None, default: Hold
) -> None:
    world = World(pool, default)
    assert world.reconciler.reconcile(namespace(hold)) is None
    assert [one["metadata"]["namespace"] for one in world.front.all(CONFIG_MAPS)] == ["ns"]
    assert world.probes() == []


def test_the_workflows_that_live_there_are_told_of_a_controller_that_takes_the_probe_up(world: World) -> None:
    world.reconciler.reconcile(namespace("none"))
    wrote = [{"manager": "workflow-controller", "fieldsV1": {"f:status": {}}}]
    change = {"status": {"phase": "Running"}, "metadata": {"managedFields": wrote}}
    world.front.change(WORKFLOWS, "ns", NAME, change)
    for _ in range(3):
        assert world.reconciler.reconcile(namespace("none"))
    assert world.told.events == [("lives", "ForeignController")]
    assert world.probes() == []


def test_a_controller_that_comes_later_is_known_by_what_it_writes_to_an_origin(world: World) -> None:
    quiet.answered(world.pool, "n", THEN, None)
    world.controller_writes()
    for _ in range(3):
        assert world.reconciler.reconcile(namespace("none"))
    assert world.told.events == [("lives", "ForeignController")]
    found = quiet.verdict(world.pool, "n")
    assert found is not None and found.controller == "workflow-controller"
    assert world.probes() == []


def test_what_one_wrote_before_the_namespace_had_this_hold_says_nothing(world: World) -> None:
    quiet.answered(world.pool, "n", datetime(2026, 1, 3, tzinfo=UTC), None)
    world.controller_writes()
    assert world.reconciler.reconcile(namespace("none")) is None
    assert world.told.events == []


@pytest.mark.parametrize("thing", [namespace("noen"), namespace("none", deletionTimestamp="now")])
def test_nothing_is_made_where_the_label_is_wrong_or_the_namespace_goes(world: World, thing: dict[str, Any]) -> None:
    assert world.reconciler.reconcile(thing) is None
    assert world.front.calls == []


def test_a_sweep_keeps_the_probes_that_are_still_to_be_answered_and_forgets_who_has_left(world: World) -> None:
    here, left = namespace("none"), namespace("none", name="other", uid="o")
    for one in (here, left):
        world.reconciler.reconcile(one)
    quiet.answered(world.pool, "o", THEN, None)
    world.reconciler.sweep([here])
    assert world.probes() == ["ns"]
    assert quiet.verdict(world.pool, "o") is None
    assert quiet.verdict(world.pool, "n") is not None


def swept(pool: Pool, opted_in: list[str], *, origins_in: tuple[str, ...] = (), current: bool = True) -> list[str]:
    """Where something is still prepared after a sweep, of three namespaces in which it was."""
    world = World(pool)
    world.workflows = [origin(f"in-{name}", "succeeded", space=name) for name in origins_in]
    world.origins.current = current
    for name in ("a", "b", "c"):
        world.front.namespace(name)
        world.preparer.see_to({"metadata": {"name": name, "uid": name, "resourceVersion": "1"}})
    world.reconciler.sweep([{"metadata": {"name": name, "uid": name, "labels": {}}} for name in opted_in])
    return sorted(world.preparer.prepared())


def test_a_namespace_that_has_opted_out_is_cleared_up_when_no_origin_is_left_there(pool: Pool) -> None:
    assert swept(pool, ["a"]) == ["a"]
    assert swept(pool, ["a"], origins_in=("b",)) == ["a", "b"]


def test_nothing_is_cleared_up_while_the_origins_are_not_known(pool: Pool) -> None:
    assert swept(pool, ["a"], current=False) == ["a", "b", "c"]
