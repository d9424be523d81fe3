"""What the controller needs of the cluster it runs in is in its manifests."""

from pathlib import Path
from typing import Any

import yaml

import webhook

MANIFESTS = Path(webhook.__file__).parents[1] / "manifests"
FILES = MANIFESTS / "chart" / "files"


def manifests(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FILES / name).read_text()))


def _name(thing: Any) -> str:
    return str(thing["metadata"]["name"])


def test_a_controller_of_which_a_thread_has_died_is_restarted() -> None:
    installed = yaml.safe_load_all((MANIFESTS / "base" / "medea.yaml").read_text())
    [controller] = [one for one in installed if one["kind"] == "Deployment" and _name(one) == "medea-controller"]
    [container] = controller["spec"]["template"]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        asked = container[probe]["httpGet"]
        assert asked["path"] == path and asked["port"] in ports


def test_it_may_watch_argos_agents() -> None:
    [role] = [
        one for one in manifests("rbac.yaml") if one["kind"] == "ClusterRole" and _name(one) == "medea-controller"
    ]
    [pods] = [rule for rule in role["rules"] if rule["resources"] == ["pods"]]
    assert {"list", "watch", "delete"} <= set(pods["verbs"])


def test_nobody_of_medeas_may_do_everything_or_delete_without_names() -> None:
    for file in ("rbac.yaml", "logs-rbac.yaml"):
        for role in manifests(file):
            verbs = {verb for rule in role.get("rules", ()) for verb in rule["verbs"]}
            assert not verbs & {"*", "deletecollection", "escalate", "impersonate"}, _name(role)


def test_the_fences_are_around_every_account_and_let_nothing_pass_when_they_fail() -> None:
    accounts = {_name(one) for one in manifests("rbac.yaml") if one["kind"] == "ServiceAccount"}
    policies = [one for one in manifests("policies.yaml") if one["kind"] == "ValidatingAdmissionPolicy"]
    bound = {_name(one): one["spec"] for one in manifests("policies.yaml") if one["kind"].endswith("Binding")}
    for policy in policies:
        assert policy["spec"]["failurePolicy"] == "Fail"
        assert bound[_name(policy)] == {"policyName": _name(policy), "validationActions": ["Deny"]}
        by_medea = [one for one in policy["spec"]["matchConditions"] if one["name"] == "by-medea"]
        users = {f"'system:serviceaccount:medea-system:{account}'" for account in accounts}
        assert all(user in one["expression"] for user in users for one in by_medea)
        assert by_medea or _name(policy) in ("medea-runs-once", "medea-marks")


def test_verbs_are_heard_in_a_namespace_that_has_opted_out_while_its_runs_live() -> None:
    [configuration] = manifests("webhook.yaml")
    [steer] = [one for one in configuration["webhooks"] if one["name"] == "steer.medea.dev"]
    assert "namespaceSelector" not in steer
    assert any("medea.dev/placement" in one["expression"] for one in steer["matchConditions"])
