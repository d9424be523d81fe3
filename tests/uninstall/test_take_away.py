"""After an uninstallation nothing is left that can't be deleted, whatever was under way, and wherever it stops."""

import datetime
from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.admin.clusters import origin, run
from tests.ledger.test_fencing import running, state
from tests.support.fake_apiserver import REFUSE, Call, FakeApiserver, Fault, answer
from tests.support.made import make_child
from webhook.errors import Missing
from webhook.kube.client import Cluster
from webhook.kube.resources import (
    CLUSTER_PROFILES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    MUTATING_WEBHOOKS,
    NODES,
    PODS,
    ROLE_BINDINGS,
    SECRETS,
    SERVICE_ACCOUNTS,
    WORKFLOW_TEMPLATES,
    WORKFLOWS,
    Resource,
)
from webhook.ledger.pool import Pool
from webhook.model.contract import FINALIZER, State
from webhook.namespaces.prepare import Plugin, Preparer
from webhook.uninstall.command import take_away
from webhook.uninstall.report import Report

Object = dict[str, Any]
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
SYSTEM = "medea-system"
TARGETS = "medea-targets"


class World:
    """A front door with one prepared namespace, a running Medea and two targets."""

    def __init__(self) -> None:
        self.front = FakeApiserver()
        self.targets = {name: FakeApiserver(name, clock=self.front.clock) for name in ("west", "east")}
        self.west = self.targets["west"]
        self.lines: list[str] = []
        for fake in (self.front, *self.targets.values()):
            fake.namespace("ns")
        for name in (SYSTEM, TARGETS):
            self.front.namespace(name)
        self.front.namespace("kube-node-lease")
        self.cluster = self._client(self.front)
        plugin = Plugin("medea", "https://medea", lambda: "CERTIFICATE")
        Preparer(self.cluster, plugin).see_to({"metadata": {"name": "ns", "uid": "n", "resourceVersion": "1"}})
        self.front.put(MUTATING_WEBHOOKS, {"metadata": {"name": "medea"}})
        self.front.put(MUTATING_WEBHOOKS, {"metadata": {"name": "theirs"}})
        parts = {"app.kubernetes.io/name": "medea", "app.kubernetes.io/component": "controller"}
        self.put(DEPLOYMENTS, "medea-controller", SYSTEM, labels=parts, spec={"replicas": 2})
        self.put(LEASES, "medea-controller", SYSTEM, spec={"holderIdentity": ""})
        for name in self.targets:
            self.put(SECRETS, f"target-{name}", TARGETS, labels={"medea.dev/cluster": name})
            self.put(NODES, f"medea-{name}", None, labels={"medea.dev/mirrored": name})
            self.put(LEASES, f"medea-{name}", "kube-node-lease")
        for name in ("medea-tls", "medea-authority", "medea-ledger"):
            self.put(SECRETS, name, SYSTEM)
        self.put(PODS, "shown", "ns", labels={"medea.dev/mirrored": "west"}, spec={"nodeName": "medea-west"})
        agent = {"workflows.argoproj.io/component": "agent"}
        self.put(PODS, "agent", "ns", labels=agent, spec={"serviceAccountName": "medea-agent"})
        self.put(PODS, "their-agent", "ns", labels=agent, spec={"serviceAccountName": "default"})

    def put(self, kind: Resource, name: str, namespace: str | None, *, labels: Any = None, **more: Any) -> None:
        metadata = {"name": name, "labels": labels or {}, **({"namespace": namespace} if namespace else {})}
        (self.west if kind is WORKFLOW_TEMPLATES else self.front).put(kind, {"metadata": metadata, **more})

    def names(self) -> dict[str, str | None]:
        return dict.fromkeys(self.targets)

    def get(self, name: str) -> Cluster:
        if name not in self.targets:
            raise Missing(name)
        return self._client(self.targets[name])

    def uninstall(self, pool: Pool | None = None, **options: Any) -> Report:
        """All of it; returns what was told."""
        report = Report(self.lines.append)
        clock = self.front.clock
        take_away(
            self.cluster,
            self,
            pool,
            (SYSTEM, TARGETS),
            report,
            clock=clock,
            sleep=clock.advance,
            now=lambda: NOW,
            **options,
        )
        return report

    def origin(self, name: str = "job-p1") -> Object:
        found = self.front.get(WORKFLOWS, "ns", name)
        assert found is not None
        return found

    def held(self) -> list[str]:
        """Everything that has Medea's finalizer anywhere."""
        everywhere = (self.front, *self.targets.values())
        workflows = [one for fake in everywhere for one in fake.all(WORKFLOWS)]
        return [one["metadata"]["name"] for one in workflows if FINALIZER in one["metadata"].get("finalizers", ())]

    def _client(self, fake: FakeApiserver) -> Cluster:
        return Cluster(fake.name, Configuration(), http=fake, clock=fake.clock)


@pytest.fixture
def world() -> World:
    return World()


def left_at_the_front_door(world: World) -> dict[str, list[str]]:
    kinds = (MUTATING_WEBHOOKS, SECRETS, NODES, PODS, LEASES, SERVICE_ACCOUNTS, ROLE_BINDINGS, CONFIG_MAPS)
    return {
        kind.plural: names for kind in kinds if (names := [one["metadata"]["name"] for one in world.front.all(kind)])
    }


def test_what_medea_has_made_is_gone_and_what_others_have_stays(world: World) -> None:
    report = world.uninstall()
    assert report.left == []
    assert left_at_the_front_door(world) == {
        "mutatingwebhookconfigurations": ["theirs"],
        "secrets": ["medea-ledger"],
        "pods": ["their-agent"],
    }
    [deployment] = world.front.all(DEPLOYMENTS)
    assert deployment["spec"]["replicas"] == 0


def test_a_live_run_goes_on_and_its_origin_says_where(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1", status={"phase": "Running", "nodes": {"a": {"phase": "Running"}}}))
    world.west.put(WORKFLOWS, run("p1"))
    world.uninstall()
    assert world.held() == []
    [there] = world.west.all(WORKFLOWS)
    assert there["status"] == {"phase": "Running"} and "deletionTimestamp" not in there["metadata"]
    shown = world.origin()
    message = "Medea was uninstalled; the run job-p1 on west goes on there"
    assert (shown["status"]["phase"], shown["status"]["message"]) == ("Error", message)
    assert shown["status"]["nodes"]["a"]["phase"] == "Error"
    assert shown["metadata"]["labels"]["workflows.argoproj.io/completed"] == "true"


def test_an_origin_that_has_ended_stays_as_it_is(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1", status={"phase": "Succeeded", "message": "well done"}))
    world.west.put(WORKFLOWS, run("p1", status={"phase": "Succeeded"}))
    world.uninstall()
    assert world.held() == []
    assert world.origin()["status"] == {"phase": "Succeeded", "message": "well done"}


def test_one_that_waited_is_told_that_it_has_not_run(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1", state="queued", cluster=None))
    world.uninstall()
    assert world.origin()["status"]["message"].endswith("it has not run")


def test_what_its_people_have_deleted_goes_with_its_run(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1"))
    world.west.put(WORKFLOWS, run("p1"))
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    assert world.held() == ["job-p1", "job-p1"]
    world.uninstall()
    assert world.front.all(WORKFLOWS) == world.west.all(WORKFLOWS) == []


def test_it_goes_although_argo_has_to_delete_artifacts_of_what_its_run_has_made(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1"))
    make_child(world.west, world.west.put(WORKFLOWS, run("p1")))
    world.front.remove(WORKFLOWS, "ns", "job-p1")
    world.uninstall()
    assert world.front.all(WORKFLOWS) == []
    assert [one["metadata"]["name"] for one in world.west.all(WORKFLOWS)] == ["child"]
    assert world.west.get(PODS, "ns", "gc") is not None


def test_live_runs_are_deleted_only_when_asked_for(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1"))
    world.west.put(WORKFLOWS, run("p1"))
    world.west.put(WORKFLOWS, run("p2", status={"phase": "Succeeded"}))
    world.front.put(WORKFLOWS, origin("p2", status={"phase": "Succeeded"}))
    world.uninstall(delete_runs=True)
    assert [one["metadata"]["name"] for one in world.west.all(WORKFLOWS)] == ["job-p2"]
    assert "was deleted with it" in world.origin()["status"]["message"]


def test_the_runs_of_another_front_door_are_left_alone_and_told_of(world: World) -> None:
    world.west.put(WORKFLOWS, run("p1"))
    report = world.uninstall()
    assert world.held() == ["job-p1"] and report.left == []
    assert any("1 runs have Medea's finalizer, but no origin here, as ns/job-p1" in line for line in world.lines)


def test_a_run_whose_origin_is_gone_is_known_by_the_ledger_which_ends_what_was_under_way(
    world: World, pool: Pool
) -> None:
    running(pool)
    world.west.put(WORKFLOWS, run("p1"))
    world.uninstall(pool)
    assert world.held() == []
    assert (state(pool).state, state(pool).phase, state(pool).end_shown) == (State.ENDED, "Error", True)


def test_a_target_that_is_away_costs_the_others_nothing_and_is_let_go_by_the_next_attempt(world: World) -> None:
    for placement, target in (("p1", "west"), ("p2", "east")):
        world.front.put(WORKFLOWS, origin(placement, cluster=target))
        world.targets[target].put(WORKFLOWS, run(placement))
    world.west.faults = lambda _call: REFUSE
    report = world.uninstall()
    assert world.held() == ["job-p1"], "the run on the target that is away"
    [left] = report.left
    assert left.startswith("target west did not answer")
    assert any("kubectl --context west get workflows -A -l medea.dev/placement" in line for line in world.lines)
    assert [one["metadata"]["name"] for one in world.front.all(SECRETS)] == ["medea-ledger", "target-west"]
    assert world.origin()["status"]["message"] == "Medea was uninstalled; if it runs on west, it goes on there"
    world.west.faults = lambda _call: None
    del world.targets["east"]
    again = world.uninstall()
    assert again.left == [] and world.held() == []


def test_copied_templates_go_unless_a_run_that_goes_on_may_use_them(world: World) -> None:
    world.put(WORKFLOW_TEMPLATES, "t-1a2b3c4d", "ns", labels={"medea.dev/copied": "true"})
    world.put(WORKFLOW_TEMPLATES, "theirs", "ns")
    world.front.put(WORKFLOWS, origin("p1"))
    world.west.put(WORKFLOWS, run("p1"))
    world.uninstall()
    assert [one["metadata"]["name"] for one in world.west.all(WORKFLOW_TEMPLATES)] == ["t-1a2b3c4d", "theirs"]
    world.west.change(WORKFLOWS, "ns", "job-p1", {"status": {"phase": "Succeeded"}})
    world.uninstall()
    assert [one["metadata"]["name"] for one in world.west.all(WORKFLOW_TEMPLATES)] == ["theirs"]


def test_copies_in_a_namespace_without_runs_go_and_one_that_lets_medea_in_no_more_holds_up_nothing(
    world: World,
) -> None:
    for name in ("ours", "closed"):
        world.front.namespace(name, {"medea.dev/enabled": "true"})
        world.west.namespace(name)
        world.put(WORKFLOW_TEMPLATES, f"{name}-1a2b3c4d", name, labels={"medea.dev/copied": "true"})
    words = 'workflowtemplates.argoproj.io is forbidden: User "medea" cannot list resource "workflowtemplates"'

    def only_ours(call: Call) -> Fault | None:
        accepted = call.resource != WORKFLOW_TEMPLATES.plural or call.namespace == "ours"
        return None if accepted else answer(403, words, "Forbidden")

    world.west.faults = only_ours
    assert world.uninstall().left == []
    assert [one["metadata"]["name"] for one in world.west.all(WORKFLOW_TEMPLATES)] == ["closed-1a2b3c4d"]


@pytest.mark.parametrize("served", [True, False])
def test_the_profiles_of_targets_go_where_there_are_any_and_those_of_other_managers_stay(
    world: World, served: bool
) -> None:
    world.put(CLUSTER_PROFILES, "west", TARGETS, labels={"x-k8s.io/cluster-manager": "medea"})
    world.put(CLUSTER_PROFILES, "theirs", TARGETS, labels={"x-k8s.io/cluster-manager": "other"})
    world.front.unserved = set() if served else {"clusterprofiles"}
    assert world.uninstall().left == []
    left = [one["metadata"]["name"] for one in world.front.all(CLUSTER_PROFILES)]
    assert left == (["theirs"] if served else ["theirs", "west"])


def test_nothing_is_let_go_while_a_controller_goes_on(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1"))

    def renewed(call: Call) -> None:
        if call.resource == "leases" and call.verb == "get":
            spec = {"holderIdentity": "elsewhere", "leaseDurationSeconds": 8, "renewTime": str(call.number)}
            world.front.change(LEASES, SYSTEM, "medea-controller", {"spec": spec})

    world.front.after = renewed
    report = world.uninstall()
    assert report.left == [
        "Medea still works (a controller outside of its Deployment leads): stop it, and uninstall again"
    ]
    assert world.held() == ["job-p1"]
    assert [one["metadata"]["name"] for one in world.front.all(MUTATING_WEBHOOKS)] == ["theirs"]


def test_an_origin_whose_end_is_refused_can_be_deleted_all_the_same(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1"))
    refused = answer(422, "Invalid value", "Invalid")

    def faults(call: Call) -> Fault | None:
        return refused if call.verb == "patch" and "status" in (call.body or {}) else None

    world.front.faults = faults
    report = world.uninstall()
    assert report.left == [] and world.held() == []


def test_what_is_written_to_meanwhile_is_tried_again(world: World) -> None:
    world.front.put(WORKFLOWS, origin("p1"))
    left = [2]

    def faults(call: Call) -> Fault | None:
        if call.verb == "patch" and call.resource == "workflows" and left[0]:
            left[0] -= 1
            world.front.change(WORKFLOWS, "ns", "job-p1", {"metadata": {"labels": {"seen": str(left[0])}}})
        return None

    world.front.faults = faults
    assert world.uninstall().left == []
    assert world.held() == []


@pytest.mark.parametrize("resource", ["pods", "nodes", "serviceaccounts", "secrets", "workflows"])
def test_whatever_is_refused_is_told_and_done_by_the_next_attempt(world: World, resource: str) -> None:
    world.front.put(WORKFLOWS, origin("p1"))
    no = answer(403, "you may not", "Forbidden")
    writes = ("delete", "patch")
    world.front.faults = lambda call: no if call.resource == resource and call.verb in writes else None
    report = world.uninstall()
    assert report.left and all("you may not" in line for line in report.left)
    world.front.faults = lambda _call: None
    assert world.uninstall().left == []
    assert world.held() == []
    assert set(left_at_the_front_door(world)) == {"mutatingwebhookconfigurations", "secrets", "pods"}
