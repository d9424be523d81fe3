"""WorkflowTemplates of either kind on one cluster."""

from collections.abc import Mapping
from typing import Any

from webhook.errors import Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import CLUSTER_WORKFLOW_TEMPLATES, WORKFLOW_TEMPLATES, Resource
from webhook.model.limits.kube import READ_TIMEOUT
from webhook.model.objects import Object
from webhook.model.template_versions import Specs, only_by_expression
from webhook.totals.shape import Name


def kind_of(name: Name) -> Resource:
    """The resource of a template."""
    return CLUSTER_WORKFLOW_TEMPLATES if name.cluster else WORKFLOW_TEMPLATES


def content_of(template: Object | None) -> Object | None:
    """A template's spec, empty if it has none; None if there is no template."""
    return None if template is None else template.get("spec") or {}


def check_own_names(
    target: Cluster, namespace: str, spec: Mapping[str, Any], specs: Specs, *, read_timeout: float = READ_TIMEOUT
) -> None:
    """Raises Rejected unless a target has what only an expression in a run's spec names, in the version of `specs`.

    Such a reference can't be changed to a copy's name.
    """
    lost = [
        name
        for name in only_by_expression(spec, specs)
        if content_of(
            target.find(kind_of(name), None if name.cluster else namespace, name.name, read_timeout=read_timeout)
        )
        != specs[name]
    ]
    if lost:
        listed = ", ".join(f"{kind_of(name).kind} {name.name}" for name in lost)
        words = f"only an expression names {listed}, so the target must have it under this name, in this version"
        raise Rejected(words, cluster=target.name)
