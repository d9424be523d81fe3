"""The balancer, as in the original Medea: submit a WorkflowTemplate; get, change or delete a Workflow anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass

from webhook.api.argoserver import ArgoServer
from webhook.api.bodies import SubmitBody, VerbBody
from webhook.api.gate import Caller
from webhook.api.limits import ConcurrencyLimit
from webhook.errors import BadRequest, Missing, NotThere, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import CLUSTERS, FIT, IDENTITY, POLICY, PREFIX, SPLIT, State
from webhook.model.limits.api import LONGEST_IDENTITY, SUBMIT_TIMEOUT
from webhook.model.objects import Object

_A_USERS = frozenset({CLUSTERS, FIT, POLICY, SPLIT})
"""What may be said of the placement. Whoever calls Medea wants the Workflow placed, so it can't be skipped."""


@dataclass
class Balancer:
    """Forwards to the front door, or to the cluster that a Workflow is on."""

    front: Cluster
    registry: Registry
    pool: Pool
    slots: ConcurrencyLimit
    argo_server: ArgoServer

    def submit(self, caller: Caller, namespace: str, tuz: str, body: SubmitBody) -> Object:
        """Submit as the caller through the front door, where the webhook places it like any other; returns the origin.

        The header `tuz` says on whose behalf, where nothing else does.
        """
        workflow = workflow_of(namespace, "" if caller.identity else tuz, body)
        with self.slots.one():
            return caller.front.create(WORKFLOWS, namespace, workflow, read_timeout=SUBMIT_TIMEOUT)

    def steer(self, caller: Caller, namespace: str, name: str, verb: str, body: VerbBody) -> Object:
        """Let argo-server apply `verb` on behalf of the caller; returns argo-server's Workflow."""
        for field, said, path in (("name", body.name, name), ("namespace", body.namespace, namespace)):
            if said not in (None, path):
                raise wrong_field(BadRequest, field, said, f"it must be {path}, as in the path")
        return self.argo_server.steer(namespace, name, verb, body.options, caller.authorization)

    def get(self, caller: Caller, namespace: str, name: str) -> Object:
        """The run from its target; the Workflow at the front door if there is no run."""
        row = placements.by_origin(self.pool, namespace, name)
        try:
            if row and row.cluster and row.run_name and row.state in (State.RUNNING, State.ENDED):
                return self.registry.get(row.cluster).get(WORKFLOWS, namespace, row.run_name)
        except NotThere:
            pass
        try:
            return caller.front.get(WORKFLOWS, namespace, name)
        except NotThere as error:
            raise Missing(f"there is no Workflow {name} in namespace {namespace}") from error

    def delete(self, caller: Caller, namespace: str, name: str) -> Object:
        """Delete the origin as the caller; its run goes with it."""
        if self.front.find(WORKFLOWS, namespace, name) is None:
            raise Missing(f"there is no Workflow {name} in namespace {namespace}")
        caller.front.delete(WORKFLOWS, namespace, name)
        return {}


def workflow_of(namespace: str, tuz: str, body: SubmitBody) -> Object:
    """The Workflow for a submit call. Raises BadRequest with the field that is wrong."""
    options = body.submitOptions
    if body.namespace not in (None, namespace):
        raise wrong_field(BadRequest, "namespace", body.namespace, f"it must be {namespace}, as in the path")
    template = checked_name("resourceName", body.resourceName)
    labels = pairs("submitOptions.labels", options.labels)
    annotations = pairs("submitOptions.annotations", options.annotations)
    _check_marks("labels", labels, frozenset())
    _check_marks("annotations", annotations, _A_USERS)
    metadata: Object = {"labels": labels, "annotations": annotations}
    if tuz:
        metadata["annotations"][IDENTITY] = _identity(tuz)
    if options.name:
        metadata["name"] = checked_name("submitOptions.name", options.name)
    else:
        metadata["generateName"] = options.generateName or f"{template}-"
    spec: Object = {"workflowTemplateRef": {"name": template}}
    if body.resourceKind == "ClusterWorkflowTemplate":
        spec["workflowTemplateRef"]["clusterScope"] = True
    spec["arguments"] = {"parameters": [_parameter(text) for text in options.parameters]}
    chosen = {
        "entrypoint": options.entryPoint,
        "serviceAccountName": options.serviceAccount,
        "priority": options.priority,
    }
    return {
        "metadata": metadata,
        "spec": {**spec, **{key: value for key, value in chosen.items() if value is not None}},
    }


def _check_marks(field: str, marks: Iterable[str], allowed: frozenset[str]) -> None:
    for key in marks:
        if key.startswith(PREFIX) and key not in allowed:
            expected = f"what begins with {PREFIX} is Medea's own" + (
                f", except {' and '.join(sorted(allowed))}" if allowed else ""
            )
            raise wrong_field(BadRequest, f"submitOptions.{field}", key, expected)


def pairs(field: str, text: str) -> dict[str, str]:
    """`a=b,c=d` as a mapping, in argo-server's format for labels."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise wrong_field(BadRequest, field, part, "it must be key=value, with commas between")
        found[key.strip()] = value.strip()
    return found


def _parameter(text: str) -> Object:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise wrong_field(BadRequest, "submitOptions.parameters", text, "it must be name=value")
    return {"name": name, "value": value}


def _identity(tuz: str) -> str:
    if len(tuz) > LONGEST_IDENTITY or not tuz.isprintable():
        raise wrong_field(BadRequest, "header tuz", tuz, f"it must be at most {LONGEST_IDENTITY} printable characters")
    return tuz
