"""However a Workflow comes to the front door, it is placed once and finds on its target what it refers to."""

import json
from typing import Any

import pytest
import requests

from tests.end_to_end.commands import kubectl
from tests.end_to_end.ledger import ledger_row, rows_of
from tests.end_to_end.medea import administrator
from tests.end_to_end.objects import TARGETS, origin, pods, runs_of, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker
from tests.lab.layout import ARGO_SERVER_URL, BUSYBOX
from webhook.model.nodes import nodes_of
from webhook.model.template_versions import is_copy_name

Object = dict[str, Any]

_API = "argoproj.io/v1alpha1"
_CRON = "workflows.argoproj.io/cron-workflow"
_BINDING = "workflows.argoproj.io/workflow-event-binding"
_SENSOR = {
    "events.argoproj.io/sensor": "nightly",
    "events.argoproj.io/trigger": "spark",
    "events.argoproj.io/action-timestamp": "1795392000000",
}
"""What Argo Events puts on whatever its triggers create."""


@pytest.fixture(scope="module")
def ways(make_workspace: WorkspaceMaker) -> Workspace:
    """A namespace with templates that refer to one another; on the targets steps may create Workflows."""
    workspace = make_workspace()
    workspace.apply(_template("greeting", [_step("greet", "echo hello")]), _template("outer", [_refers("greeting")]))
    for target in TARGETS:
        account = f"--serviceaccount={workspace.name}:default"
        words = ["create", "rolebinding", "steps", "--clusterrole=cluster-admin", account]
        kubectl(target, "-n", workspace.name, *words).ok()
    return workspace


def test_each_tick_of_a_cron_workflow_is_placed_once(ways: Workspace) -> None:
    spec = {
        "schedules": ["@every 5s"],
        # On a slow machine there may be more than the three that Argo keeps, before it is told to suspend.
        "successfulJobsHistoryLimit": 99,
        "workflowSpec": {"workflowTemplateRef": {"name": "greeting"}},
    }
    ways.apply({"apiVersion": _API, "kind": "CronWorkflow", "metadata": {"name": "often"}, "spec": spec})
    eventually(lambda: len(_labelled(ways, _CRON, "often")) >= 2, "two ticks")
    ways.kubectl("patch", "cronworkflow", "often", "--type=merge", "-p", '{"spec": {"suspend": true}}').ok()
    for tick in _labelled(ways, _CRON, "often"):
        name = tick["metadata"]["name"]
        ways.wait(name).ok()
        _placed_once(ways, name)


def test_a_cron_workflow_that_replaces_its_last_run_stops_it_on_its_target(ways: Workspace) -> None:
    lasting = _workflow("", [_step("main", "sleep 300")])["spec"]
    spec = {
        "schedules": ["@every 6s"],
        "concurrencyPolicy": "Replace",
        # Argo deletes all but the last that failed, unless it is told to keep more.
        "failedJobsHistoryLimit": 99,
        "workflowSpec": lasting,
    }
    ways.apply({"apiVersion": _API, "kind": "CronWorkflow", "metadata": {"name": "replaces"}, "spec": spec})

    def with_runs() -> set[str]:
        return {row["name"] for row in rows_of(ways.name) if row["run_uid"]} & {
            one["metadata"]["name"] for one in _labelled(ways, _CRON, "replaces")
        }

    eventually(lambda: len(with_runs()) >= 3, "three ticks that run")
    ways.kubectl("patch", "cronworkflow", "replaces", "--type=merge", "-p", '{"spec": {"suspend": true}}').ok()

    def settled() -> list[Object]:
        found = sorted(_labelled(ways, _CRON, "replaces"), key=lambda one: one["metadata"]["creationTimestamp"])
        return found if all(_phase(one) == "Failed" for one in found[:-1]) else []

    # Not at once: one more may come until Argo's controller has heard that it is suspended.
    *replaced, last = eventually(settled, "all but the last have failed")
    # One that is replaced before its run is made gets none.
    ran = [one for one in replaced if one["metadata"]["name"] in with_runs()]
    assert len(ran) >= 2
    for one in ran:
        name = one["metadata"]["name"]
        assert ways.wait(name).code != 0
        _, run = _placed_once(ways, name)
        assert (run["spec"]["shutdown"], _phase(run)) == ("Terminate", "Failed")
        assert _phase(origin(ways.name, name)) == "Failed"
    _, run = _placed_once(ways, last["metadata"]["name"])
    assert "shutdown" not in run["spec"]
    # In this order: with their owner all of them go.
    ways.argo("terminate", last["metadata"]["name"]).ok()
    ways.kubectl("delete", "cronworkflow", "replaces").ok()


def test_argos_controller_shows_no_end_before_the_run_has_one(ways: Workspace) -> None:
    name = ways.create(_workflow("lives-", [_step("main", "sleep 300")]))
    for phase in ("Error", "Succeeded"):
        ends = ["patch", "workflow", name, "--type=merge", "-p", json.dumps({"status": {"phase": phase}})]
        said = ways.kubectl(*ends, "--as=system:serviceaccount:argo:argo")
        assert said.code != 0
        assert f"Workflow {name} ends when" in said.said
    # None as long as Argo's controller has not written: a hold of its own.
    assert _phase(origin(ways.name, name)) in ("", "Pending", "Running")
    ways.argo("terminate", name).ok()
    assert ways.wait(name).code != 0


def test_templates_that_templates_refer_to_are_there_on_the_target_under_names_of_their_own(ways: Workspace) -> None:
    name = ways.create(_workflow("nested-", [_refers("outer", "refers")]))
    ways.wait(name).ok()
    cluster, _ = _placed_once(ways, name)
    there = kubectl(cluster, "-n", ways.name, "get", "workflowtemplates", "-o", "name").ok().out
    names = sorted(line.rpartition("/")[2] for line in there.split())
    assert [name.rpartition("-")[0] for name in names if is_copy_name(name)] == ["greeting", "outer"]
    assert not {"greeting", "outer"} & set(names)


def test_a_workflow_that_a_step_creates_runs_beside_its_parent_and_is_shown_beneath_it(ways: Workspace) -> None:
    """As with `argo cron backfill`: the owner of both is a CronWorkflow, which only the front door has."""
    owner = _owning(ways, "seldom")
    child = {**_workflow("child-", [_step("main", "sleep 8")]), "apiVersion": _API, "kind": "Workflow"}
    child["metadata"]["ownerReferences"] = [owner]
    creates = {
        "action": "create",
        "manifest": json.dumps(child),
        "successCondition": "status.phase == Succeeded",
        "failureCondition": "status.phase in (Failed, Error)",
    }
    parent = _workflow("parent-", [{"name": "main", "resource": creates}])
    parent["metadata"]["ownerReferences"] = [owner]
    name = ways.create(parent)
    shown = eventually(lambda: _shown_beneath(ways, name, "Running"), "what it has made is shown")
    ways.wait(name).ok()
    cluster, run = _placed_once(ways, name)
    assert "ownerReferences" not in run["metadata"]
    [made] = [one for one in workflows(cluster, ways.name) if one["metadata"]["name"].startswith("child-")]
    assert _phase(made) == "Succeeded"
    assert shown == _shown_beneath(ways, name, "Succeeded") == [f"Workflow {made['metadata']['name']}"]
    assert not [one for one in workflows("front", ways.name) if one["metadata"]["name"].startswith("child-")]
    # Nobody's but its maker's: it would outlive the test.
    kubectl(cluster, "-n", ways.name, "delete", "workflow", made["metadata"]["name"]).ok()
    ways.kubectl("delete", "cronworkflow", "seldom").ok()
    eventually(lambda: not runs_of(ledger_row(ways.name, name)["placement"]), "the run goes with its origin's owner")


def _owning(workspace: Workspace, name: str) -> Object:
    """A reference to a CronWorkflow that starts nothing."""
    spec = {"schedules": ["@yearly"], "suspend": True, "workflowSpec": {"workflowTemplateRef": {"name": "greeting"}}}
    workspace.apply({"apiVersion": _API, "kind": "CronWorkflow", "metadata": {"name": name}, "spec": spec})
    uid = workspace.kubectl("get", "cronworkflow", name, "-o", "jsonpath={.metadata.uid}").ok().out
    return {"apiVersion": _API, "kind": "CronWorkflow", "name": name, "uid": uid, "controller": True}


def _shown_beneath(workspace: Workspace, name: str, phase: str) -> list[str]:
    """What the nodes are called that stand for Workflows which this one has made, of those in a phase."""
    nodes = nodes_of(origin(workspace.name, name)).values()
    return [node["displayName"] for node in nodes if "-made-" in node["id"] and node["phase"] == phase]


def test_an_exit_handler_runs_once_and_on_the_target(ways: Workspace) -> None:
    templates = [_step("main", "exit 1"), _step("farewell", "echo {{workflow.status}} >/proc/1/fd/1")]
    manifest = _workflow("leaves-", templates)
    manifest["spec"]["onExit"] = "farewell"
    name = ways.create(manifest)
    assert ways.wait(name).code != 0
    cluster, run = _placed_once(ways, name)
    handlers = [node for node in run["status"]["nodes"].values() if node["displayName"].endswith(".onExit")]
    assert [node["phase"] for node in handlers] == ["Succeeded"]
    assert _phase(origin(ways.name, name)) == "Failed"
    assert _jobs(cluster, ways, name) == 2
    assert _jobs("front", ways, name) == 0


def test_what_a_trigger_of_argo_events_creates_is_placed_once(ways: Workspace) -> None:
    manifest = _workflow("sensed-", [_refers("greeting")])
    manifest["metadata"]["labels"] = _SENSOR
    name = ways.create(manifest)
    ways.wait(name).ok()
    _, run = _placed_once(ways, name)
    assert _SENSOR.items() <= run["metadata"]["labels"].items()


def test_an_event_at_argo_server_submits_a_workflow_that_is_placed_once(ways: Workspace) -> None:
    ways.apply(_binding("door", "greeting"))
    url = f"{ARGO_SERVER_URL}/api/v1/events/{ways.name}/door"
    # Without a token the server takes the sender for one of its webhooks' clients.
    sent = requests.post(url, json={"who": "a"}, headers={"Authorization": f"Bearer {administrator()}"}, timeout=60)
    sent.raise_for_status()
    [made] = eventually(lambda: _labelled(ways, _BINDING, "door"), "the event's Workflow")
    name = made["metadata"]["name"]
    ways.wait(name).ok()
    _placed_once(ways, name)


def _placed_once(workspace: Workspace, name: str) -> tuple[str, Object]:
    placement = ledger_row(workspace.name, name)["placement"]
    [(cluster, run)] = eventually(lambda: runs_of(placement), f"{name} has a run")
    assert cluster == ledger_row(workspace.name, name)["cluster"]
    return cluster, run


def _labelled(workspace: Workspace, label: str, value: str) -> list[Object]:
    found = workflows("front", workspace.name)
    return [one for one in found if one["metadata"].get("labels", {}).get(label) == value]


def _jobs(cluster: str, workspace: Workspace, name: str) -> int:
    """How many pods of the Workflow's templates there are; what stands for one is none."""
    own = {"workflows.argoproj.io/workflow": name}
    labels = [pod["metadata"].get("labels", {}) for pod in pods(cluster, workspace.name)]
    mine = [one for one in labels if own.items() <= one.items() and "medea.dev/mirrored" not in one]
    return len([one for one in mine if one.get("workflows.argoproj.io/component") != "agent"])


def _phase(workflow: Object) -> str:
    return str(workflow.get("status", {}).get("phase", ""))


def _workflow(prefix: str, templates: list[Object]) -> Object:
    """It begins with the first of its templates."""
    return {
        "apiVersion": _API,
        "kind": "Workflow",
        "metadata": {"generateName": prefix},
        "spec": {"entrypoint": templates[0]["name"], "templates": templates},
    }


def _template(name: str, templates: list[Object]) -> Object:
    spec = {"entrypoint": templates[0]["name"], "templates": templates}
    return {"apiVersion": _API, "kind": "WorkflowTemplate", "metadata": {"name": name}, "spec": spec}


def _step(name: str, script: str) -> Object:
    limits = {"cpu": "10m", "memory": "64Mi"}
    container = {"image": BUSYBOX, "command": ["sh", "-c"], "args": [script], "resources": {"limits": limits}}
    return {"name": name, "container": container}


def _refers(template: str, inner: str = "greet") -> Object:
    """A template of one step, which is a template of a WorkflowTemplate."""
    return {"name": "refers", "steps": [[{"name": "there", "templateRef": {"name": template, "template": inner}}]]}


def _binding(name: str, template: str) -> Object:
    spec = {"event": {"selector": f'discriminator == "{name}"'}, "submit": {"workflowTemplateRef": {"name": template}}}
    return {"apiVersion": _API, "kind": "WorkflowEventBinding", "metadata": {"name": name}, "spec": spec}
