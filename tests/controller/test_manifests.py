"""What the controller needs of the cluster it runs in is in its manifests."""

from pathlib import Path
from typing import Any

import yaml

import webhook

BASE = Path(webhook.__file__).parents[1] / "manifests/base"


def manifests(name: str) -> list[Any]:
    return list(yaml.safe_load_all((BASE / name).read_text()))


def test_a_controller_of_which_a_thread_has_died_is_restarted() -> None:
    [controller] = [one for one in manifests("deployment.yaml") if one["metadata"]["name"] == "medea-controller"]
    [container] = controller["spec"]["template"]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        asked = container[probe]["httpGet"]
        assert asked["path"] == path and asked["port"] in ports


def test_it_may_watch_argos_agents() -> None:
    rules = [rule for one in manifests("rbac.yaml") if one["kind"] == "ClusterRole" for rule in one["rules"]]
    [pods] = [rule for rule in rules if rule["resources"] == ["pods"]]
    assert {"list", "watch", "deletecollection"} <= set(pods["verbs"])


def test_verbs_are_heard_in_a_namespace_that_has_opted_out_while_its_runs_live() -> None:
    [configuration] = manifests("webhook.yaml")
    [steer] = [one for one in configuration["webhooks"] if one["name"] == "steer.medea.dev"]
    assert "namespaceSelector" not in steer
    assert any("medea.dev/placement" in one["expression"] for one in steer["matchConditions"])
