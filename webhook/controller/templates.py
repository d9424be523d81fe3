"""Copies the WorkflowTemplates that a run needs to its target. Never changes one that exists there."""

from collections.abc import Mapping

import structlog

from webhook.errors import Clash, ClusterUnavailable, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import CLUSTER_WORKFLOW_TEMPLATES, WORKFLOW_TEMPLATES, Resource
from webhook.model.contract import COPIED
from webhook.model.objects import Object, labels
from webhook.model.run import Original, template_copy
from webhook.model.template_versions import Needed, needed, rewritten, unnamed
from webhook.totals.shape import Name

log = structlog.get_logger(__name__)

# Attempts: another run's copy may appear between the look and the create.
_MOST_LOOKS = 3


def with_templates(target: Cluster, namespace: str, original: Original) -> Object:
    """Copy the templates that the run needs, in the version it was submitted with; returns the Workflow to run.

    Raises Rejected if that is not possible on this target.
    """
    workflow, templates = original["workflow"], original["templates"]
    if not templates:
        return workflow
    written = {Name(one["metadata"]["name"], one["kind"] == CLUSTER_WORKFLOW_TEMPLATES.kind): one for one in templates}
    specs = {name: one["spec"] for name, one in written.items()}
    for _ in range(_MOST_LOOKS):
        there = {name: _spec(_find(target, namespace, name)) for name in specs}
        wanted = needed(specs, there)
        lost = unnamed(workflow["spec"], wanted, specs)
        if lost:
            names = ", ".join(sorted(lost))
            words = f"another version of WorkflowTemplate {names} is there, and only an expression names the one needed"
            raise Rejected(words, cluster=target.name)
        missing = {name: spec for name, spec in wanted.specs.items() if there.get(name) != spec}
        if all(_copied(target, namespace, name, spec, written, wanted) for name, spec in missing.items()):
            return {**workflow, "spec": rewritten(workflow["spec"], wanted.renamed)}
    raise ClusterUnavailable(f"templates on {target.name} change all the time; trying again")


def _copied(
    target: Cluster, namespace: str, name: Name, spec: Object, written: Mapping[Name, Object], wanted: Needed
) -> bool:
    """Make sure that one template exists under this name; False if the name was taken meanwhile."""
    origin = next((one for one, new in wanted.renamed.items() if Name(new, one.cluster) == name), None)
    found = _find(target, namespace, name) if origin else None
    if found is not None:
        if not _is_copy(found, spec):
            raise Rejected(f"WorkflowTemplate {name.name} is there and is no copy of Medea's", cluster=target.name)
        return True
    body = template_copy({**written[origin or name], "spec": spec})
    body["metadata"]["name"] = name.name
    try:
        target.create(_kind(name), None if name.cluster else namespace, body)
    except Clash:
        return False
    log.info("template copied", cluster=target.name, namespace=namespace, template=name.name)
    return True


def _is_copy(found: Object, spec: Object) -> bool:
    """Whether it is Medea's copy. As the name has a hash, the label is enough: targets may default or drop fields."""
    return labels(found).get(COPIED) == "true" or _spec(found) == spec


def _find(target: Cluster, namespace: str, name: Name) -> Object | None:
    return target.find(_kind(name), None if name.cluster else namespace, name.name)


def _kind(name: Name) -> Resource:
    return CLUSTER_WORKFLOW_TEMPLATES if name.cluster else WORKFLOW_TEMPLATES


def _spec(template: Object | None) -> Object | None:
    return None if template is None else template.get("spec") or {}
