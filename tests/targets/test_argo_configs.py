"""What Argo adds on a target is read there, where its administrator allows it; nothing waits for it."""

from typing import Any

import pytest

from tests.support.fake_apiserver import REFUSE, answer
from tests.targets.administrator import Administrator
from tests.targets.house import SPACE, House
from webhook.kube.resources import CONFIG_MAPS, PODS, ROLES, SECRETS
from webhook.model.contract import ARGO_CONFIGS
from webhook.targets.argo_configs import ArgoConfigs
from webhook.targets.grants import ARGO_CONFIG
from webhook.totals.argo_config import ArgoConfig

Object = dict[str, Any]
USUAL = "workflow-controller-configmap"


def executor(cpu: str) -> Object:
    return {"executor": f"resources: {{limits: {{cpu: {cpu}}}}}"}


def adds(cpu: str) -> ArgoConfig:
    return ArgoConfig({"limits": {"cpu": cpu}})


class Read:
    """Configurations that are read when it is told to."""

    def __init__(self) -> None:
        self.house = House("west")
        self.west = self.house.targets["west"]
        self.west.namespace("argo")
        self.configs = ArgoConfigs(self.house.registry)
        self.put(executor("10m"))

    def put(self, data: Object, *, name: str = USUAL, namespace: str = "argo") -> None:
        self.west.put(CONFIG_MAPS, {"metadata": {"name": name, "namespace": namespace}, "data": data})

    def turn(self) -> tuple[ArgoConfig, ...]:
        self.configs.turn("west", self.house.registry.get("west"))
        return self.configs.of("west")


def test_it_is_read_again_and_what_has_changed_counts() -> None:
    read = Read()
    assert read.configs.of("west") == ()
    assert read.turn() == (adds("10m"),)
    read.put(executor("20m"))
    assert read.turn() == (adds("20m"),)
    read.west.remove(CONFIG_MAPS, "argo", USUAL)
    assert read.turn() == (ArgoConfig({}),)


def test_where_it_may_not_be_read_or_makes_no_sense_nothing_is_known() -> None:
    read = Read()
    read.turn()
    read.put({"executor": "resources: {limits: {cpu: much}}"})
    assert read.turn() == ()
    read.put(executor("10m"))
    assert read.turn()
    words = f'configmaps "{USUAL}" is forbidden: User "medea" cannot get resource "configmaps" in API group ""'
    read.west.faults = lambda call: answer(403, words, "Forbidden") if call.resource == "configmaps" else None
    assert read.turn() == ()


def test_while_a_target_is_away_what_was_read_counts_and_when_it_is_gone_no_more() -> None:
    read = Read()
    read.turn()
    read.west.faults = lambda _call: REFUSE
    assert read.turn() == (adds("10m"),)
    read.configs._forget("west")
    assert read.configs.of("west") == ()


def test_each_controller_has_its_own_where_the_targets_secret_says() -> None:
    read = Read()
    for namespace in ("one", "two"):
        read.west.namespace(namespace)
    read.put(executor("1m"), name="mine", namespace="one")
    read.put(executor("2m"), namespace="two")
    read.house.register("west", **{ARGO_CONFIGS: f"one/mine,two/{USUAL}"})
    assert set(read.turn()) == {adds("1m"), adds("2m")}


@pytest.mark.parametrize("said", ["", "/", "one", "a/b/c", "One/../secrets"])
def test_a_secret_that_names_none_means_the_usual_place(said: str) -> None:
    read = Read()
    read.house.register("west", **{ARGO_CONFIGS: said})
    assert read.turn() == (adds("10m"),)


def test_what_looks_like_a_controller_in_a_tenants_namespace_is_not_believed() -> None:
    read = Read()
    read.west.namespace("tenant")
    read.put(executor("1000000"), namespace="tenant")
    metadata = {"name": "c", "namespace": "tenant", "labels": {"app": "workflow-controller"}}
    read.west.put(PODS, {"metadata": metadata, "spec": {"containers": [{"args": []}]}})
    assert read.turn() == (adds("10m"),)


@pytest.mark.parametrize("words", [["--configmap", "mine"], ["--configmap=mine"]])
def test_adding_a_target_notes_where_its_controllers_say_that_their_configuration_is(words: list[str]) -> None:
    admin = Administrator("a")
    admin.west.namespace("argo")
    [pod] = admin.west.all(PODS, "argo")
    admin.west.change(PODS, "argo", pod["metadata"]["name"], {"spec": {"containers": [{"args": words}]}})
    done = admin.add("a")
    [secret] = admin.front.all(SECRETS, SPACE)
    assert secret["metadata"]["annotations"][ARGO_CONFIGS] == "argo/mine"
    assert any("argo/mine" in one.words for one in done)


def test_adding_a_target_grants_to_read_that_one_config_map_where_argo_is() -> None:
    admin = Administrator("a")
    admin.west.namespace("argo")
    admin.add("a")
    role = admin.west.get(ROLES, "argo", ARGO_CONFIG)
    assert role is not None
    [rule] = role["rules"]
    assert (rule["verbs"], rule["resourceNames"]) == (["get"], [USUAL])
