"""A mirrored pod reads as its original, and has no effect at the front door."""

import json
from typing import Any

import pytest

from tests.support.pods import facts, node, pod
from webhook.logs.pods import plan
from webhook.logs.shape import mirrored_pods

Object = dict[str, Any]
ARGO = "workflows.argoproj.io/"


def shapes(original: Object) -> tuple[Object, Object]:
    known = facts(original)
    [missing] = plan(known).create
    assert known.origin is not None
    return mirrored_pods(
        original, name=missing.name, node=missing.node, origin=known.origin, cluster="west", placement="p1"
    )


@pytest.fixture
def full() -> Object:
    return shapes(pod())[0]


def test_it_is_found_by_the_labels_that_its_original_has_and_names_its_node_at_the_origin(full: Object) -> None:
    labels, notes = full["metadata"]["labels"], full["metadata"]["annotations"]
    assert labels == {
        "app": "spark",
        f"{ARGO}workflow": "job",
        "medea.dev/mirrored": "west",
        "medea.dev/placement": "p1",
    }
    assert (notes[f"{ARGO}node-id"], notes[f"{ARGO}node-name"]) == (node()["id"], node()["name"])
    assert full["metadata"]["ownerReferences"][0]["uid"] == "o1"


@pytest.mark.parametrize(("completed", "shown"), [("false", None), ("true", "true")])
def test_argos_controller_finds_it_only_once_it_does_not_look_any_more(completed: str, shown: str | None) -> None:
    original = pod()
    original["metadata"]["labels"][f"{ARGO}completed"] = completed
    for body in shapes(original):
        assert body["metadata"]["labels"].get(f"{ARGO}completed") == shown
        assert "finalizers" not in body["metadata"]


@pytest.mark.parametrize(("given", "shown"), [(0, 1), (7, 7)])
def test_it_has_grace_so_that_its_deletion_can_be_seen(given: int, shown: int) -> None:
    original = pod()
    original["spec"]["terminationGracePeriodSeconds"] = given
    for body in shapes(original):
        assert body["spec"]["terminationGracePeriodSeconds"] == shown


def test_its_spec_reads_as_that_of_its_original(full: Object) -> None:
    [main] = full["spec"]["containers"]
    assert main["args"] == ["a"]
    assert main["env"] == [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    assert main["ports"] == [{"containerPort": 80}]
    assert full["spec"]["volumes"] == [{"name": "v", "secret": {"secretName": "s"}}, {"name": "h", "emptyDir": {}}]
    assert [one["name"] for one in full["spec"]["initContainers"]] == ["init"]


@pytest.mark.parametrize("which", [0, 1], ids=["full", "bare"])
def test_nothing_of_it_has_an_effect(which: int) -> None:
    body = shapes(pod())[which]
    spec = body["spec"]
    assert (spec["nodeName"], spec["nodeSelector"]) == ("medea-west", {"medea.dev/mirrored": "west"})
    assert not {"serviceAccountName", "hostNetwork", "priorityClassName", "runtimeClassName"} & spec.keys()
    assert spec["automountServiceAccountToken"] is False
    for one in [*spec["containers"], *spec["initContainers"]]:
        assert one["resources"] == {"limits": {"cpu": "0", "memory": "0"}, "requests": {"cpu": "0", "memory": "0"}}
        assert one["securityContext"]["runAsNonRoot"] is True
        assert "privileged" not in one["securityContext"]


@pytest.mark.parametrize("which", [0, 1], ids=["full", "bare"])
def test_its_node_may_be_silent_for_any_time_and_it_ends_as_slowly_as_its_original(which: int) -> None:
    original = pod()
    # As apiservers add them to every pod: of the tolerations that fit, they take the first.
    original["spec"]["tolerations"] = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    ]
    original["spec"]["terminationGracePeriodSeconds"] = 600
    spec = shapes(original)[which]["spec"]
    assert spec["tolerations"][0] == {"operator": "Exists"}
    assert spec["terminationGracePeriodSeconds"] == 600


@pytest.mark.parametrize(
    "source",
    [
        {"persistentVolumeClaim": {"claimName": "data"}},
        {"ephemeral": {"volumeClaimTemplate": {}}},
        {"hostPath": {"path": "/"}},
        {"nfs": {"server": "s", "path": "/"}},
    ],
    ids=str,
)
def test_storage_is_tied_to_nothing_at_the_front_door(source: Object) -> None:
    original = pod()
    original["spec"]["volumes"] = [{"name": "data", **source}]
    assert shapes(original)[0]["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]


def test_the_one_that_is_made_if_the_other_is_refused_has_names_and_images_alone() -> None:
    text = json.dumps(shapes(pod())[1])
    for unwanted in ("WORD", "args", "volumes", "spark", "forged"):
        assert unwanted not in text
