"""The chart's NetworkPolicies where something enforces them: Medea works, and each port is for those who need it.

The tests of this file follow each other.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.end_to_end.alone.life.callers import Caller, Ways, by_pods, by_services, make_namespace, reached, start
from tests.end_to_end.commands import kubectl
from tests.end_to_end.objects import Object, origin
from tests.end_to_end.test_steps import children, node, parent_of_a_run
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace
from tests.lab import cluster_mode, firewall, inside, medea, modes, pgimage
from tests.lab.lab import Lab
from tests.lab.layout import FRONT, MEDEA_METRICS

WEBHOOK, LOGS, PLUGIN, POSTGRES = 8443, 8444, 8445, 5432
API = {8090, 8091}
METRICS = set(MEDEA_METRICS.values())
ALL = {WEBHOOK, LOGS, PLUGIN, POSTGRES, *API, *METRICS}
ALLOWED = {
    "stranger": API,
    "agent-elsewhere": API,
    "at-the-apiservers-address": {*API, WEBHOOK, LOGS},
    "prometheus": {*API, *METRICS},
    "agent": {*API, PLUGIN},
    "bystander": API,
    "medeas-own": ALL - {LOGS},
    "beside-medea": API,
}
"""What each reaches, and nothing else."""
AGENT = {"workflows.argoproj.io/component": "agent"}


@dataclass(frozen=True)
class Fenced:
    """The laboratory with Medea behind its policies, and pods that call it."""

    lab: Lab
    callers: list[Caller]

    def check(self, allowed: dict[str, set[int]], ways: Ways) -> None:
        """That each reaches these ports and no other, a moment after the policies have changed."""
        assert ways.keys() == ALL
        last: dict[str, set[int]] = {}

        def as_allowed() -> bool:
            last.update(reached(self.callers, ways))
            return last == allowed

        def differs() -> str:
            return str({name: last[name] ^ ports for name, ports in allowed.items() if last[name] != ports})

        eventually(as_allowed, lambda: f"each reaches what it should; these differ: {differs()}")


@pytest.fixture(scope="module")
def fenced(laboratory: Lab) -> Iterator[Fenced]:
    """Medea, installed where policies are enforced, with a Postgres of its own."""
    if modes.running() is not None:
        modes.take_away(laboratory)
    inside.prepare(laboratory)
    firewall.build()
    strange, watching, opted = (f"e2e-{name}-{secrets.token_hex(4)}" for name in ("strange", "watching", "opted"))
    for name in (strange, watching):
        make_namespace(name)
    make_namespace(opted, {"medea.dev/enabled": "true", "medea.dev/hold": "plugin"})
    apiserver = Caller("at-the-apiservers-address", strange)
    callers = [
        apiserver,
        Caller("stranger", strange),
        Caller("agent-elsewhere", strange, AGENT),
        Caller("prometheus", watching),
        Caller("agent", opted, AGENT),
        Caller("bystander", opted),
    ]
    start(callers)
    beside = [
        Caller("medeas-own", medea.SYSTEM, {"app.kubernetes.io/name": "medea"}),
        Caller("beside-medea", medea.SYSTEM),
    ]
    try:
        firewall.bring_up(laboratory)
        policies = {
            "enabled": True,
            # The node's own apiserver is always let in, so that another address has to show that these count.
            "apiserver": [f"{address}/32" for address in (FRONT.gateway, apiserver.address())],
            "monitoring": {"kubernetes.io/metadata.name": watching},
        }
        own = {"embedded": True, "image": pgimage.IMAGE}
        cluster_mode.bring_up(laboratory, networkPolicy=policies, postgres=own, ledger={})
        start(beside)
        yield Fenced(laboratory, [*callers, *beside])
    finally:
        firewall.take_down()
        kubectl("front", "delete", "namespace", strange, watching, opted, "--wait=false").ok()


@pytest.mark.usefixtures("fenced")
def test_a_workflow_whose_step_asks_medea_goes_its_way_and_its_log_is_read(workspace: Workspace) -> None:
    workspace.kubectl("apply", "-f", str(EXAMPLES / "steps-account.yaml")).ok()
    name = workspace.create(parent_of_a_run("echo said on the target; echo -n 3.14159 > /tmp/pi"))
    workspace.wait(name).ok()
    assert node(workspace, name, name)["outputs"]["parameters"][0]["value"] == "3.14159"
    [child] = children(workspace, name)
    placed = child["metadata"]["name"]
    assert origin(workspace.name, placed)["status"]["phase"] == "Succeeded"
    logs = ("logs", placed, "--no-color")
    eventually(lambda: "said on the target" in workspace.argo(*logs).out, "its log is read at the front door")


@pytest.mark.parametrize("ways", [by_pods, by_services])
def test_each_port_is_reached_by_those_who_need_it_and_by_nobody_else(fenced: Fenced, ways: Callable[[], Ways]) -> None:
    fenced.check(ALLOWED, ways())


def test_it_is_the_policies_that_keep_the_others_out(fenced: Fenced) -> None:
    of_medea = ("networkpolicies", "-n", medea.SYSTEM)
    policies = json.loads(kubectl("front", "get", *of_medea, "-o", "json").ok().out)["items"]
    kubectl("front", "delete", *of_medea, "--all").ok()
    fenced.check(dict.fromkeys(ALLOWED, ALL), by_pods())
    fenced.check(dict.fromkeys(ALLOWED, ALL), by_services())
    for one in policies:
        medea.apply(fenced.lab, {**one, "metadata": _written(one["metadata"])})
    fenced.check(ALLOWED, by_pods())


def _written(metadata: Object) -> Object:
    """Of an object's metadata what people write."""
    return {key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if key in metadata}


def test_helm_test_reaches_all_that_it_greets(fenced: Fenced) -> None:
    checked = inside.helm(fenced.lab, "test", inside.RELEASE, "--namespace", medea.SYSTEM, "--logs")
    assert "✗" not in checked
    for service in ("medea", "medea-plugin", "medea-api"):
        assert f"✓ Service {service} answers" in checked


def test_medea_goes_behind_its_policies_and_nothing_is_left_of_what_enforced_them(fenced: Fenced) -> None:
    cluster_mode.take_down(fenced.lab)
    assert not inside.is_installed(fenced.lab)
    firewall.take_down()
    assert firewall.left() == []
