"""Each target is shown as a ClusterProfile, which is written only when something has changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import Configuration

import webhook
from tests.support.fake_apiserver import REFUSE, answer
from tests.targets.administrator import SPACE, Administrator
from webhook.errors import Unavailable
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import CLUSTER_PROFILES, PODS, SECRETS
from webhook.model.limits.targets import PROFILE_EVERY, PROFILE_MISSING, PROFILE_NAMESPACES
from webhook.scout.model import Obstacle, Verdict
from webhook.targets.profile import MANAGED_BY, View, wanted_status
from webhook.targets.profiles import Profiles
from webhook.totals.model import GIB, Totals

CRD = Path(webhook.__file__).parents[1] / "manifests/clusterprofiles/crd.yaml"


class Shown:
    """A target that was just added, and what shows it."""

    def __init__(self) -> None:
        self.admin = Administrator("a", "b")
        self.admin.add("a")
        self.free = Totals(12_700, 34 * GIB + 5)
        self.registry = Registry(self.admin.front_door, SPACE, connect=self._connect)
        self.profiles = Profiles(
            self.admin.front_door,
            self.registry,
            SPACE,
            namespaces=lambda: ["a", "b"],
            overview=self.overview,
            now=self.admin.clock.now,
        )

    def _connect(self, name: str, _: Configuration) -> Cluster:
        return Cluster(name, Configuration(), http=self.admin.west, breaker=True, clock=self.admin.clock)

    def overview(self, namespace: str) -> Sequence[Verdict]:
        if namespace == "b":
            return [Verdict("west", "does not accept", Obstacle.CLOSED)]
        return [Verdict("west", free=self.free, hard=self.free)]

    def turn(self) -> float:
        """The targets are looked at, and the profiles written."""
        self.registry.step()
        self.registry.step()
        for name, cluster in self.registry.clusters().items():
            self.profiles.look_at(name, cluster)
        return self.profiles.write()

    def status(self, name: str = "west") -> dict[str, Any]:
        found = self.admin.front.get(CLUSTER_PROFILES, SPACE, name)
        assert found is not None
        return dict(found["status"])

    def condition(self, kind: str) -> tuple[str, str]:
        return next((one["status"], one["reason"]) for one in self.status()["conditions"] if one["type"] == kind)

    def writes(self) -> int:
        return len([one for one in self.admin.written(self.admin.front) if "clusterprofiles" in one])


def test_a_target_is_shown_with_its_conditions_versions_and_free_room() -> None:
    shown = Shown()
    assert shown.turn() == PROFILE_EVERY
    found = shown.admin.front.get(CLUSTER_PROFILES, SPACE, "west")
    assert found is not None
    assert found["metadata"]["labels"] == {MANAGED_BY: "medea"} and found["spec"]["clusterManager"] == {"name": "medea"}
    assert shown.condition("ControlPlaneHealthy") == ("True", "Reachable")
    assert shown.condition("ArgoReady") == ("True", "ControllerAlive")
    assert shown.condition("QuotaKnown") == ("True", "Known")
    assert shown.condition("AcceptsWork") == ("True", "Accepted")
    assert shown.status()["version"] == {"kubernetes": "v1.35.4"}
    assert shown.status()["properties"] == [
        {"name": "medea.dev/argo-version", "value": "v3.7.4"},
        {"name": "medea.dev/namespaces", "value": "1"},
        {"name": "medea.dev/free.a", "value": "12.5 cpu, 34Gi"},
    ]


def test_what_has_not_changed_is_not_written_again() -> None:
    shown = Shown()
    shown.turn()
    before = shown.writes()
    shown.admin.clock.advance(60)
    shown.free = Totals(12_600, 34 * GIB + 7)
    shown.turn()
    assert shown.writes() == before
    shown.free = Totals(3_000, GIB)
    shown.turn()
    assert shown.writes() == before + 1
    assert shown.status()["properties"][2]["value"] == "3 cpu, 1Gi"


def test_a_target_that_goes_away_says_since_when_and_keeps_its_last_version() -> None:
    shown = Shown()
    shown.turn()
    shown.admin.clock.advance(100)
    shown.admin.west.faults = lambda _call: REFUSE
    for _ in range(2):
        shown.registry.get("west").probe()
    shown.turn()
    assert shown.condition("ControlPlaneHealthy") == ("False", "Away")
    [healthy, argo, *_] = shown.status()["conditions"]
    assert healthy["lastTransitionTime"] == "2026-01-01T00:01:40Z"
    assert argo["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert shown.status()["version"] == {"kubernetes": "v1.35.4"}
    before = shown.writes()
    shown.admin.clock.advance(100)
    shown.turn()
    assert shown.writes() == before


def test_a_target_whose_kubeconfig_is_of_no_use_says_why() -> None:
    shown = Shown()
    shown.admin.front.change(SECRETS, SPACE, "target-west", {"data": {"kubeconfig": "AAAA"}})
    shown.turn()
    assert shown.condition("ControlPlaneHealthy") == ("Unknown", "Unusable")
    assert "Secret target-west" in shown.status()["conditions"][0]["message"]


def test_a_controller_that_is_too_old_is_not_called_ready() -> None:
    shown = Shown()
    pod = shown.admin.west.get(PODS, "argo", "workflow-controller-1")
    assert pod is not None
    shown.admin.west.put(PODS, {**pod, "spec": {"containers": [{"image": "argoproj/workflow-controller:v3.5.15"}]}})
    shown.turn()
    assert shown.condition("ArgoReady") == ("False", "TooOld")
    assert "Medea needs 3.6 or newer" in str(shown.status()["conditions"])


def test_what_argo_lacks_and_what_is_drained_is_shown() -> None:
    shown = Shown()
    shown.admin.west.remove(PODS, "argo", "workflow-controller-1")
    shown.turn()
    assert shown.condition("ArgoReady") == ("Unknown", "NoSign")
    shown.admin.west.unserved = {"workflowtaskresults"}
    shown.admin.front.change(SECRETS, SPACE, "target-west", {"metadata": {"annotations": {"medea.dev/drain": "true"}}})
    shown.turn()
    assert shown.condition("ArgoReady") == ("False", "NotInstalled")
    assert shown.condition("AcceptsWork") == ("False", "Drained")


def test_argos_version_is_that_of_its_image() -> None:
    shown = Shown()
    spec = {"containers": [{"image": "quay.io:443/argoproj/workflow-controller:v3.7.4@sha256:abc"}]}
    shown.admin.west.change(PODS, "argo", "workflow-controller-1", {"spec": spec})
    shown.turn()
    assert shown.status()["properties"][0] == {"name": "medea.dev/argo-version", "value": "v3.7.4"}


def test_without_the_kind_nothing_happens_and_it_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown()
    shown.admin.front.unserved = {"clusterprofiles"}
    assert [shown.turn(), shown.turn()] == [PROFILE_MISSING] * 2
    assert capsys.readouterr().out.count("has no ClusterProfiles") == 1
    shown.admin.front.unserved = set()
    shown.turn()
    assert shown.condition("ArgoReady")[0] == "True"


def test_a_target_that_is_gone_is_shown_no_more_and_others_profiles_stay() -> None:
    shown = Shown()
    theirs = {"metadata": {"name": "theirs", "namespace": SPACE, "labels": {MANAGED_BY: "fleet"}}}
    shown.admin.front.put(CLUSTER_PROFILES, theirs)
    shown.turn()
    shown.admin.front.remove(SECRETS, SPACE, "target-west")
    shown.turn()
    assert [one["metadata"]["name"] for one in shown.admin.front.all(CLUSTER_PROFILES)] == ["theirs"]


def test_a_profile_of_another_manager_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown()
    theirs = {"metadata": {"name": "west", "namespace": SPACE, "labels": {MANAGED_BY: "fleet"}}, "spec": {}}
    shown.admin.front.put(CLUSTER_PROFILES, theirs)
    shown.turn()
    shown.turn()
    found = shown.admin.front.get(CLUSTER_PROFILES, SPACE, "west")
    assert found is not None and "status" not in found
    assert capsys.readouterr().out.count("of another manager") == 1


@pytest.mark.parametrize("verb", ["list", "create", "patch"])
def test_a_front_door_that_fails_costs_no_more_than_this_write(verb: str) -> None:
    shown = Shown()
    shown.turn() if verb == "list" else None
    shown.admin.front.faults = lambda call: (
        answer(503) if (call.verb, call.resource) == (verb, "clusterprofiles") else None
    )
    assert shown.turn() == PROFILE_EVERY
    shown.admin.front.faults = lambda _call: None
    shown.turn()
    assert shown.condition("ArgoReady")[0] == "True"


def test_while_room_is_not_known_the_rest_is_shown() -> None:
    shown = Shown()

    def unknown(_: str) -> Sequence[Verdict]:
        raise Unavailable("the targets are not known yet")

    shown.profiles._overview = unknown
    shown.turn()
    assert shown.condition("QuotaKnown") == ("Unknown", "NoNamespace")
    assert shown.condition("ControlPlaneHealthy")[0] == "True"


def test_however_many_namespaces_there_are_a_profile_stays_small() -> None:
    verdicts = {f"namespace-{number:03}": Verdict("west", free=Totals(1000, GIB)) for number in range(300)}
    status = wanted_status(View("west", verdicts=verdicts), {}, "2026-01-01T00:00:00Z")
    assert len(status["properties"]) == PROFILE_NAMESPACES + 1
    assert all(len(one["message"]) < 200 for one in status["conditions"])


def test_a_namespace_without_a_fresh_quota_is_named() -> None:
    verdicts = {"a": Verdict("west"), "b": Verdict("west", free=Totals(1, 1), obstacle=Obstacle.STALE)}
    status = wanted_status(View("west", verdicts=verdicts), {}, "2026-01-01T00:00:00Z")
    quota = status["conditions"][2]
    assert (quota["status"], quota["message"]) == ("False", "no fresh quota is known for a, b")


def test_what_is_written_fits_the_kind_that_is_shipped() -> None:
    shown = Shown()
    shown.turn()
    crd = yaml.safe_load(CRD.read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    assert f"{crd['spec']['group']}/{crd['spec']['versions'][0]['name']}" == CLUSTER_PROFILES.api_version
    found = shown.admin.front.get(CLUSTER_PROFILES, SPACE, "west")
    assert found is not None
    assert found["spec"].keys() <= schema["spec"]["properties"].keys()
    assert found["status"].keys() <= schema["status"]["properties"].keys()
    for condition in found["status"]["conditions"]:
        assert set(condition) == set(schema["status"]["properties"]["conditions"]["items"]["required"])
