"""Workflows to submit, as people would write them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.end_to_end.workspace import TEMPLATE

Object = dict[str, Any]

SMALL = {
    "executor_num": "0",
    "executor_cores_limit": "1",
    "executor_memory_limit": "0.25g",
    "driver_cores_limit": "1",
    "driver_memory_limit": "0.25g",
}
"""Spark parameters of a driver alone: one core and a quarter of a gibibyte."""


def parameters(values: dict[str, str]) -> Object:
    """`spec.arguments` with these parameters."""
    return {"parameters": [{"name": name, "value": value} for name, value in values.items()]}


def from_template(values: dict[str, str], *, name: str = "", annotations: dict[str, str] | None = None) -> Object:
    """A Workflow that names the template; without a name the apiserver makes one."""
    named = {"name": name} if name else {"generateName": "from-template-"}
    spec = {"workflowTemplateRef": {"name": TEMPLATE}, "arguments": parameters(values)}
    return _workflow({**named, "annotations": annotations or {}}, spec)


def only_on(cluster: str, manifest: Object) -> Object:
    """The same Workflow, for one target alone."""
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": {"medea.dev/clusters": cluster}}}


def inline(script: str, values: dict[str, str], annotations: dict[str, str] | None = None, *, name: str = "") -> Object:
    """A Workflow with a template of its own, which runs a shell script."""
    container = {
        "image": "localhost/busybox:lab",
        "command": ["sh", "-c"],
        "args": [script],
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
    }
    spec: Object = {"entrypoint": "main", "templates": [{"name": "main", "container": container}]}
    # A container that is told to go while it starts hears nothing, and would take the usual 30 seconds.
    spec["podSpecPatch"] = '{"terminationGracePeriodSeconds": 1}'
    if values:
        spec["arguments"] = parameters(values)
    named = {"name": name} if name else {"generateName": "inline-"}
    return _workflow({**named, "annotations": annotations or {}}, spec)


def _workflow(metadata: Object, spec: Object) -> Object:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


def executor_rights(account: str) -> list[Object]:
    """Argo's executor, in pods of this account, may write down what a step has left."""
    return rights_of(account, "executor", {"workflowtaskresults": ("create", "patch")})


def rights_of(account: str, name: str, may: Mapping[str, Sequence[str]]) -> list[Object]:
    """A Role of this name and its RoleBinding: what an account `may` do to which of Argo's kinds."""
    group = "rbac.authorization.k8s.io"
    about = {"apiVersion": f"{group}/v1", "metadata": {"name": name}}
    rules = [{"apiGroups": ["argoproj.io"], "resources": [one], "verbs": list(verbs)} for one, verbs in may.items()]
    return [
        {**about, "kind": "Role", "rules": rules},
        {
            **about,
            "kind": "RoleBinding",
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account}],
        },
    ]
