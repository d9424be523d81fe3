"""What a Workflow refers to decides where it runs, and goes along with it where its namespace says so."""

import json
from functools import partial
from typing import Any

from tests.end_to_end.commands import Ran
from tests.end_to_end.objects import TARGETS, annotations, origin
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab.layout import BUSYBOX
from webhook.kube.resources import CLUSTER_ROLES, ROLE_BINDINGS
from webhook.targets.grants import TAKE_CONFIG_MAPS, bound

Object = dict[str, Any]
TOTALS = "cpu=0.6, ram=0.19Gi"


def rounds() -> Object:
    """It says a word of the ConfigMap's as often as the ConfigMap says, in pods side by side."""
    say = {
        "name": "say",
        "container": {
            "image": BUSYBOX,
            "command": ["sh", "-c", "echo {{workflow.parameters.word}}"],
            "resources": {
                "requests": {"cpu": "1m", "memory": "1Mi"},
                "limits": {"cpu": "200m", "memory": "64Mi"},
            },
        },
    }
    loop = {"name": "say", "template": "say", "withSequence": {"count": "{{workflow.parameters.count}}"}}
    parameters = [
        {"name": key, "valueFrom": {"configMapKeyRef": {"name": "c", "key": key}}} for key in ("word", "count")
    ]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "rounds-"},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": parameters},
            "templates": [{"name": "main", "steps": [[loop]]}, say],
        },
    }


def config_map(count: str) -> Object:
    labels = {"workflows.argoproj.io/configmap-type": "Parameter"}
    data = {"word": "hello", "count": count}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "labels": labels}, "data": data}


def let_config_maps_go_along(workspace: Workspace) -> None:
    """What administrators of both sides do: the namespace's label and rights, and those of `--take-configmaps`."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "medea-take-along"}
    who = {"kind": "ServiceAccount", "name": "medea-webhook", "namespace": "medea-system"}
    binding = {
        "apiVersion": ROLE_BINDINGS.api_version,
        "kind": ROLE_BINDINGS.kind,
        "metadata": {"name": "medea-take-along", "namespace": workspace.name},
        "roleRef": role,
        "subjects": [who],
    }
    workspace.apply(binding)
    workspace.kubectl("label", "namespace", workspace.name, "medea.dev/take-along=configmaps").ok()
    for target in TARGETS:
        one = bound(ROLE_BINDINGS, TAKE_CONFIG_MAPS, CLUSTER_ROLES, workspace.name)
        workspace.apply({"apiVersion": one.kind.api_version, "kind": one.kind.kind, **one.body}, cluster=target)


def ended(workspace: Workspace, name: str) -> tuple[str, str, int]:
    """How it ended, what it needed, and how many rounds it had."""
    workspace.wait(name)
    found = origin(workspace.name, name)
    said = [
        one for one in found["status"]["nodes"].values() if one.get("templateName") == "say" and one["type"] == "Pod"
    ]
    return found["status"]["phase"], annotations(found)["totals"], len(said)


def test_a_run_goes_where_its_config_map_is_or_takes_it_along_and_its_values_count(workspace: Workspace) -> None:
    workspace.apply(config_map("3"))
    names = list[str]()

    def refused() -> Ran | None:
        # A target that does not say so within a second is asked again later.
        done = _submit(workspace, names, rounds())
        return done if all(f"{target}: lacks ConfigMap c" in done.said for target in TARGETS) else None

    found = eventually(refused, "both targets have said what they lack")
    assert found is not None and found.code != 0

    workspace.apply(config_map("3"), cluster="west")
    # What was not there a moment ago is asked for again.
    eventually(partial(_placed, workspace, names, rounds()), "the ConfigMap on west is seen")
    assert annotations(origin(workspace.name, names[-1]))["cluster"] == "west"
    assert ended(workspace, names[-1]) == ("Succeeded", TOTALS, 3)

    let_config_maps_go_along(workspace)
    workspace.apply(config_map("2"))
    workspace.apply(config_map("5"), cluster="west")
    workflow = rounds()
    workflow["metadata"]["annotations"] = {"medea.dev/clusters": "east"}
    eventually(partial(_placed, workspace, names, workflow), "ConfigMaps go along")
    assert ended(workspace, names[-1]) == ("Succeeded", "cpu=0.4, ram=0.12Gi", 2)
    copies = workspace.kubectl("get", "configmaps", "-l", "medea.dev/copied=true", "-o", "name", cluster="east").ok()
    assert copies.out.startswith("configmap/c-")


def _submit(workspace: Workspace, names: list[str], workflow: Object) -> Ran:
    """Submit it. If it was accepted its name is added to `names`."""
    done = workspace.argo("submit", "-o", "name", "-", stdin=json.dumps(workflow))
    names += [done.out.strip()] if done.code == 0 else []
    return done


def _placed(workspace: Workspace, names: list[str], workflow: Object) -> bool:
    """Submit it; whether it has its target already: what is queued was decided without all the answers."""
    done = _submit(workspace, names, workflow)
    return done.code == 0 and "cluster" in annotations(origin(workspace.name, names[-1]))
