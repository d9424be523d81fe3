"""What a namespace needs for Argo's agent and the plugin in it: made once, kept current, and removed in the end."""

from typing import Any

import pytest
import yaml
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver, answer
from webhook.errors import Unavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS, ROLE_BINDINGS, SECRETS, SERVICE_ACCOUNTS
from webhook.namespaces.plugin_configmap import NAME
from webhook.namespaces.prepare import Plugin, Preparer, removal_order, wanted_objects

Object = dict[str, Any]


class World:
    """A front door with one namespace, and settings that may change."""

    def __init__(self) -> None:
        self.front = FakeApiserver()
        self.front.namespace("ns")
        self.cluster = Cluster("front", Configuration(), http=self.front, clock=self.front.clock)
        self.bundle = "OLD"
        self.preparer = self.begun_anew()

    def begun_anew(self, *pull_secrets: str, image: str = "medea:1") -> Preparer:
        """A controller that has just begun to lead."""
        plugin = Plugin(image, "https://medea-plugin.medea-system.svc", lambda: self.bundle, pull_secrets)
        return Preparer(self.cluster, plugin, clock=self.front.clock)

    def namespace(self, version: str = "1") -> Object:
        return {"metadata": {"name": "ns", "uid": "n", "resourceVersion": version}}

    def made(self) -> list[str]:
        kinds = (SERVICE_ACCOUNTS, SECRETS, ROLE_BINDINGS, CONFIG_MAPS)
        return [f"{kind.kind} {one['metadata']['name']}" for kind in kinds for one in self.front.all(kind, "ns")]

    def container(self) -> Object:
        found = self.front.get(CONFIG_MAPS, "ns", NAME)
        assert found is not None
        container: Object = yaml.safe_load(found["data"]["sidecar.container"])
        return container


@pytest.fixture
def world() -> World:
    return World()


def test_all_is_made_without_reading_anything_and_the_sign_for_the_webhook_comes_last(world: World) -> None:
    world.preparer.see_to(world.namespace())
    assert {call.verb for call in world.front.calls} == {"create"}
    assert world.front.calls[-1].resource == "configmaps"
    assert world.made() == [
        "ServiceAccount medea-agent",
        "ServiceAccount medea-executor-plugin",
        "Secret medea-agent.service-account-token",
        "Secret medea-executor-plugin.service-account-token",
        "RoleBinding medea-agent",
        "ConfigMap medea-executor-plugin",
    ]


def test_the_agents_rights_come_from_the_one_role_that_is_bound_to_its_account_alone(world: World) -> None:
    world.preparer.see_to(world.namespace())
    [binding] = world.front.all(ROLE_BINDINGS, "ns")
    assert binding["roleRef"]["kind"] == "ClusterRole" and binding["roleRef"]["name"] == "medea-agent"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "medea-agent", "namespace": "ns"}]


def test_it_is_remembered_until_a_while_has_gone_or_the_namespace_has_changed(world: World) -> None:
    for _ in range(3):
        world.preparer.see_to(world.namespace())
    assert len(world.front.calls) == 6
    world.preparer.see_to(world.namespace("2"))
    made_sure_of = len(world.front.calls)
    assert made_sure_of > 6
    world.front.clock.advance(301)
    world.preparer.see_to(world.namespace("2"))
    assert len(world.front.calls) > made_sure_of


def test_a_new_image_new_certificates_and_new_pull_secrets_reach_a_namespace_that_is_prepared_already(
    world: World,
) -> None:
    world.preparer.see_to(world.namespace())
    world.bundle = "NEW"
    world.preparer.see_to(world.namespace())
    assert {one["name"]: one["value"] for one in world.container()["env"]}["MEDEA_CA_CERT"] == "NEW"
    world.begun_anew("registry", image="medea:2").see_to(world.namespace())
    assert world.container()["image"] == "medea:2"
    account = world.front.get(SERVICE_ACCOUNTS, "ns", "medea-agent")
    assert account is not None and account["imagePullSecrets"] == [{"name": "registry"}]


def test_while_no_certificate_vouches_for_medea_nothing_is_made(world: World) -> None:
    def none_yet() -> str:
        raise Unavailable("ca.crt can't be read")

    preparer = Preparer(world.cluster, Plugin("medea", "https://medea", none_yet))
    with pytest.raises(Unavailable):
        preparer.see_to(world.namespace())
    assert world.made() == []


def test_a_failure_is_not_remembered(world: World) -> None:
    world.front.faults = lambda call: answer(503, "starting") if call.resource == "secrets" else None
    with pytest.raises(Unavailable):
        world.preparer.see_to(world.namespace())
    world.front.faults = lambda _call: None
    world.preparer.see_to(world.namespace())
    assert len(world.made()) == 6


def test_what_was_made_is_removed_again_and_nothing_else(world: World) -> None:
    world.preparer.see_to(world.namespace())
    world.front.put(SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": "ns"}})
    assert world.preparer.prepared() == {"ns"}
    world.preparer.clear_up("ns")
    assert world.made() == ["ServiceAccount default"]
    assert world.preparer.prepared() == set()
    world.preparer.see_to(world.namespace())
    assert len(world.made()) == 7


def test_what_can_not_be_removed_now_is_found_again_later(world: World) -> None:
    world.preparer.see_to(world.namespace())
    world.front.faults = lambda call: answer(403, "no") if call.resource == "rolebindings" else None
    world.preparer.clear_up("ns")
    assert world.preparer.prepared() == {"ns"}
    world.front.faults = lambda _call: None
    world.preparer.clear_up("ns")
    assert world.made() == []


def test_the_order_of_removal_names_all_that_is_made() -> None:
    wanted = wanted_objects("ns", Plugin("medea", "https://medea", lambda: "CERTIFICATE"))
    made = {(kind, body["metadata"]["name"]) for kind, body in wanted}
    assert set(removal_order()) == made
