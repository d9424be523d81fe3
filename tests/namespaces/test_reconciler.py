"""A namespace that opted in gets what its hold needs, and nothing that it doesn't."""

from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.namespaces.test_hold import a_probe
from tests.support.fake_apiserver import FakeApiserver
from tests.support.scripted_apiserver import Answer, Script, apiserver, reply
from webhook.kube.client import Cluster
from webhook.model.contract import Hold
from webhook.namespaces.prepare import Plugin, Preparer
from webhook.namespaces.probe import NAME, Probes
from webhook.namespaces.reconciler import NamespaceReconciler

MISSING = reply(404, {"message": "not found", "details": {"name": NAME}})
MADE = reply(201, {})
PLUGIN = Plugin("medea", "https://medea", lambda: "CERTIFICATE")


class Told:
    """Stands for what records Events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def record(self, origin: dict[str, Any], reason: str, message: str, *, warning: bool) -> None:
        assert warning and "workflow-controller" in message
        self.events.append((origin["metadata"]["name"], reason))


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


def origin(name: str, completed: str = "false", space: str = "ns") -> dict[str, Any]:
    labels = {"workflows.argoproj.io/completed": completed}
    marks = {"medea.dev/placement": name}
    return {"metadata": {"name": name, "namespace": space, "labels": labels, "annotations": marks}}


def tend(thing: dict[str, Any], *answers: Answer, default: Hold = Hold.PLUGIN) -> tuple[list[str], Told]:
    """What the front door was asked, and the Events."""
    script, told = Script(*answers), Told()
    workflows = [origin("lives"), origin("ended", "true"), origin("elsewhere", space="other"), a_probe(5)]
    workflows[-1]["metadata"]["namespace"] = "ns"
    origins: Any = SimpleNamespace(all=lambda: workflows)
    recorder: Any = told
    with apiserver(script) as front:
        preparer = Preparer(front, PLUGIN)
        NamespaceReconciler(origins, recorder, Probes(front), preparer, default).reconcile(thing)
    return [request.split("?")[0] for request in script.requests], told


@pytest.mark.parametrize(("hold", "default"), [("none", Hold.PLUGIN), (None, Hold.NONE)])
def test_with_hold_none_it_gets_a_probe_and_nothing_for_argos_agent(hold: str | None, default: Hold) -> None:
    asked, told = tend(namespace(hold), MISSING, MADE, default=default)
    assert [request.split("/")[-1] for request in asked] == [NAME, "workflows"]
    assert told.events == []


@pytest.mark.parametrize(("hold", "default"), [("plugin", Hold.NONE), (None, Hold.PLUGIN)])
def test_with_the_plugin_hold_it_is_prepared_for_argos_agent_and_gets_no_probe(hold: str | None, default: Hold) -> None:
    asked, _ = tend(namespace(hold), reply(200, {}), default=default)
    assert any("POST" in request and request.endswith("serviceaccounts") for request in asked)
    assert not any(NAME in request for request in asked)


def test_the_workflows_that_live_there_are_told_of_a_controller() -> None:
    _, told = tend(namespace("none"), reply(200, a_probe(5, "Running")))
    assert told.events == [("lives", "ForeignController")]


@pytest.mark.parametrize("thing", [namespace("noen"), namespace("none", deletionTimestamp="now")])
def test_nothing_is_made_where_the_label_is_wrong_or_the_namespace_goes(thing: dict[str, Any]) -> None:
    asked, _ = tend(thing, MISSING)
    assert asked == []


def swept(opted_in: list[str], *, origins_in: tuple[str, ...] = (), current: bool = True) -> list[str]:
    """Where something is still prepared after a sweep, of three namespaces in which it was."""
    front = FakeApiserver()
    cluster = Cluster("front", Configuration(), http=front, clock=front.clock)
    workflows = [origin(f"in-{name}", "true", space=name) for name in origins_in]
    origins: Any = SimpleNamespace(all=lambda: workflows, current=current)
    preparer = Preparer(cluster, PLUGIN, clock=front.clock)
    for name in ("a", "b", "c"):
        front.namespace(name)
        preparer.see_to({"metadata": {"name": name, "uid": name, "resourceVersion": "1"}})
    recorder: Any = Told()
    namespaces = [{"metadata": {"name": name, "uid": name, "labels": {}}} for name in opted_in]
    NamespaceReconciler(origins, recorder, Probes(cluster), preparer, Hold.PLUGIN).sweep(namespaces)
    return sorted(preparer.prepared())


def test_a_namespace_that_has_opted_out_is_cleared_up_when_no_origin_is_left_there() -> None:
    assert swept(["a"]) == ["a"]
    assert swept(["a"], origins_in=("b",)) == ["a", "b"]


def test_nothing_is_cleared_up_while_the_origins_are_not_known() -> None:
    assert swept(["a"], current=False) == ["a", "b", "c"]
