"""One command gives Medea what it needs on a target, and only in the namespaces that are named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import webhook
from tests.support.fake_apiserver import answer
from tests.targets.administrator import SPACE, Administrator, hows, jwt
from webhook.errors import BadRequest, ClusterUnavailable, Refused
from webhook.kube.kubeconfig import Reach, configuration_of
from webhook.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NODES, PODS, ROLE_BINDINGS, SECRETS, Resource
from webhook.model.contract import CLUSTER
from webhook.model.limits.targets import TOKEN_SECONDS
from webhook.nodes.pools import noted_pools
from webhook.targets.grants import ENTER, READ, SEE_SECRETS, TAKE_CONFIG_MAPS, TOKEN, WORK, grants
from webhook.targets.leave import revoke

MANIFESTS = Path(webhook.__file__).parents[1] / "manifests/target/rbac.yaml"


def test_a_cluster_becomes_a_target_that_only_the_named_namespaces_give_work_to() -> None:
    admin = Administrator("a", "b", "c")
    admin.add("a", "b")
    bound = admin.west.all(ROLE_BINDINGS)
    assert {one["metadata"]["namespace"] for one in bound if one["roleRef"]["name"] == WORK} == {"a", "b"}
    assert [one["roleRef"]["name"] for one in admin.west.all(CLUSTER_ROLE_BINDINGS)] != [WORK]
    secret = admin.front.get(SECRETS, SPACE, "target-west")
    assert secret is not None and secret["metadata"]["labels"] == {CLUSTER: "west"}
    assert configuration_of(secret | {"data": {"kubeconfig": secret["data"]["kubeconfig"]}}).host == "https://west:6443"


def test_nothing_that_is_bound_everywhere_changes_anything() -> None:
    admin = Administrator("a")
    admin.add("a")
    everywhere = {one["roleRef"]["name"] for one in admin.west.all(CLUSTER_ROLE_BINDINGS)}
    rules = [
        (role["metadata"]["name"], verb, resource)
        for role in admin.west.all(CLUSTER_ROLES)
        if role["metadata"]["name"] in everywhere
        for rule in role["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
    ]
    assert [one for one in rules if one[1] not in ("get", "list", "watch")] == []
    assert not any(resource in ("secrets", "pods/log", "configmaps") for _, _, resource in rules)


def test_what_takes_a_word_of_its_administrator_is_bound_only_where_that_was_said_and_stays() -> None:
    admin = Administrator("a", "b")

    def bound() -> set[tuple[str, str]]:
        found = admin.west.all(ROLE_BINDINGS)
        return {(one["metadata"]["namespace"], one["roleRef"]["name"]) for one in found} - {("medea-system", TOKEN)}

    admin.add("a")
    assert bound() == {("a", WORK)}
    admin.add("b", see_secrets=True, take_config_maps=True)
    both = {("a", WORK), ("b", WORK), ("b", SEE_SECRETS), ("b", TAKE_CONFIG_MAPS)}
    assert bound() == both
    admin.add("a", "b")
    assert bound() == both


def test_doing_it_again_changes_nothing() -> None:
    admin = Administrator("a")
    admin.add("a")
    before = len(admin.written()), len(admin.written(admin.front))
    assert set(hows(admin.add("a"))) == {"as it was"}
    assert (len(admin.written()), len(admin.written(admin.front))) == before


def test_one_more_namespace_is_one_more_binding() -> None:
    admin = Administrator("a", "b")
    admin.add("a")
    before = len(admin.written())
    admin.add("a", "b")
    assert admin.written()[before:] == ["create rolebindings/b on west"]


def test_only_an_administrator_who_says_so_lets_people_into_pods_and_it_stays_until_taken_back() -> None:
    admin = Administrator("a", "b")
    admin.add("a", "b")
    assert not [one for one in admin.west.all(ROLE_BINDINGS) if one["roleRef"]["name"] == ENTER]
    before = len(admin.written())
    admin.add("a", into_pods=True)
    assert admin.written()[before:] == ["create rolebindings/a on west"]
    admin.add("a", "b")
    bound = [one for one in admin.west.all(ROLE_BINDINGS) if one["roleRef"]["name"] == ENTER]
    assert [one["metadata"]["namespace"] for one in bound] == ["a"]
    assert list(revoke(admin.target()))
    assert admin.west.all(ROLE_BINDINGS) == []


def test_a_version_that_is_too_old_is_refused_before_anything_is_made() -> None:
    admin = Administrator("a")
    admin.west.kubernetes = "v1.29.3"
    with pytest.raises(
        Refused, match=r"west has Kubernetes v1\.29\.3, and Medea needs 1\.30 or newer; nothing was done"
    ):
        admin.add("a")
    admin.west.kubernetes = "v1.30.0"
    pod = admin.west.get(PODS, "argo", "workflow-controller-1")
    assert pod is not None
    admin.west.put(PODS, {**pod, "spec": {"containers": [{"image": "argoproj/workflow-controller:v3.5.15"}]}})
    with pytest.raises(Refused, match=r"Argo Workflows v3\.5\.15, and Medea needs 3\.6 or newer"):
        admin.add("a")
    assert admin.written() == [] and admin.written(admin.front) == []


def test_what_somebody_has_changed_is_mended() -> None:
    admin = Administrator("a")
    admin.add("a")
    admin.west.change(CLUSTER_ROLES, None, READ, {"rules": []})
    admin.west.change(ROLE_BINDINGS, "a", WORK, {"roleRef": {"name": "view"}})
    assert sorted(set(hows(admin.add("a")))) == ["as it was", "changed", "made"]
    binding = admin.west.get(ROLE_BINDINGS, "a", WORK)
    assert binding is not None and binding["roleRef"]["name"] == WORK
    role = admin.west.get(CLUSTER_ROLES, None, READ)
    assert role is not None and role["rules"]


def test_a_namespace_that_is_not_there_is_told_before_anything_is_made() -> None:
    admin = Administrator("a")
    with pytest.raises(Refused, match=r"kubectl --context west create namespace b; kubectl .* c"):
        admin.add("a", "b", "c")
    assert admin.written() == [] and admin.written(admin.front) == []


@pytest.mark.parametrize("bad", ["../x", "A", ""])
def test_what_can_be_no_namespace_is_told(bad: str) -> None:
    with pytest.raises(BadRequest, match="namespace"):
        Administrator().add(bad)


def test_without_medeas_namespace_at_the_front_door_nothing_is_made() -> None:
    admin = Administrator("a")
    admin.front.remove(Resource("v1", "Namespace", "namespaces", namespaced=False), None, SPACE)
    with pytest.raises(Refused, match="install Medea there first"):
        admin.add("a")
    assert admin.written() == []


def test_a_failure_half_way_registers_nothing_and_the_next_try_goes_on() -> None:
    admin = Administrator("a")
    admin.west.faults = lambda call: answer(503) if call.subresource == "token" else None
    with pytest.raises(ClusterUnavailable):
        admin.add("a")
    assert admin.front.all(SECRETS) == []
    admin.west.faults = lambda _call: None
    assert hows(admin.add("a"))[-2:] == ["made", "made"]


def test_a_token_whose_half_is_over_or_another_address_makes_the_secret_anew() -> None:
    admin = Administrator("a")
    admin.add("a")
    first = admin.kubeconfig()
    admin.clock.advance(TOKEN_SECONDS / 2 + 1)
    assert hows(admin.add("a"))[-1] == "changed"
    second = admin.kubeconfig()
    assert first["users"] != second["users"] and first["clusters"] == second["clusters"]
    admin.add("a", reach=Reach("https://elsewhere"))
    assert admin.kubeconfig()["clusters"][0]["cluster"] == {"server": "https://elsewhere"}


def test_a_secret_of_another_name_that_registers_the_target_is_used() -> None:
    admin = Administrator("a")
    metadata = {"name": "mine", "namespace": SPACE, "labels": {CLUSTER: "west"}}
    admin.front.put(SECRETS, {"metadata": metadata, "data": {"kubeconfig": "AAAA"}})
    admin.add("a")
    assert [one["metadata"]["name"] for one in admin.front.all(SECRETS)] == ["mine"]


def test_what_is_told_and_logged_has_no_token_in_it() -> None:
    admin = Administrator("a")
    told = " ".join(one.words for one in admin.add("a"))
    assert admin.kubeconfig()["users"][0]["user"]["token"] not in told
    assert jwt(admin.clock.now(), 1)[:20] not in told


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key not in ("apiVersion", "kind")}


def test_the_manifests_give_the_same_as_the_command() -> None:
    written = {(one["kind"], one["metadata"]["name"]): _plain(one) for one in yaml.safe_load_all(MANIFESTS.read_text())}
    assert written == {(grant.kind.kind, grant.name): grant.body for grant in grants([])}


def test_its_node_pools_are_noted_as_its_nodes_are_and_medea_gets_no_right_to_read_nodes() -> None:
    admin = Administrator("a")
    for name, size in (("n1", "2"), ("n2", "8")):
        sizes = {"cpu": size, "memory": "8Gi"}
        admin.west.put(
            NODES, {"metadata": {"name": name, "labels": {"size": f"s{size}"}}, "status": {"allocatable": sizes}}
        )
    admin.add("a", pool_label="size")
    secret = admin.front.get(SECRETS, SPACE, "target-west")
    assert [one.summary for one in noted_pools(secret)] == [
        "size=s2 with cpu 2, memory 8Gi",
        "size=s8 with cpu 8, memory 8Gi",
    ]
    assert not any("nodes" in rule["resources"] for role in admin.west.all(CLUSTER_ROLES) for rule in role["rules"])
    assert set(hows(admin.add("a", pool_label="size"))) == {"as it was"}
    admin.add("a")
    assert noted_pools(admin.front.get(SECRETS, SPACE, "target-west"))


def test_a_label_that_no_node_has_is_told_before_anything_is_made() -> None:
    admin = Administrator("a")
    with pytest.raises(Refused, match=r"no node has the label size; nothing was done: .*get nodes -L size"):
        admin.add("a", pool_label="size")
    assert admin.written() == []
