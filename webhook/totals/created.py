"""What a resource template creates needs: Workflows and Spark applications. Other objects are said not to count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.objects import mapping
from webhook.totals.demands import Demands
from webhook.totals.endings import has_ended
from webhook.totals.manifests import created_objects, is_workflow
from webhook.totals.model import Defaults
from webhook.totals.need import NO_NEED, Need
from webhook.totals.shape import Spec
from webhook.totals.spark_application import application_need
from webhook.totals.tags import Bindings
from webhook.totals.unknowns import Unknowns

# Kinds of objects that never lead to a pod, so that no note is needed.
_WITHOUT_PODS = frozenset(
    {
        "ConfigMap",
        "Secret",
        "Service",
        "ServiceAccount",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "Role",
        "RoleBinding",
        "Ingress",
        "NetworkPolicy",
        "WorkflowTemplate",
        "Namespace",
    }
)
_SPARK_GROUP = "sparkoperator.k8s.io/"


@dataclass(frozen=True)
class Created:
    """What is needed `during` the step that creates it, and what is there after it (`left`): objects in any case."""

    during: Need = NO_NEED
    left: Need = NO_NEED


NeedsOf = Callable[[Spec], Need | None]
"""Returns what a Workflow with this spec needs; None if such Workflows are not looked into."""


def created_by(
    template: Spec,
    known: Bindings,
    needs_of: NeedsOf,
    defaults: Defaults,
    unknowns: Unknowns,
    *,
    deadline: bool,
) -> Created:
    """What a template creates. `deadline` says whether one may end its step, whatever that waits for."""
    name = template.get("name")
    objects = created_objects(template, known)
    if objects is None:
        unknowns.say(f"what template {name} creates can't be read before it runs, and is not counted")
        return Created()
    during, left = NO_NEED, NO_NEED
    for one in objects:
        needs = _needs(one, needs_of, defaults, unknowns)
        if needs is None:
            if one.get("kind") not in _WITHOUT_PODS:
                unknowns.say(f"the {one.get('kind')} that template {name} creates is not counted")
        elif not deadline and len(objects) == 1 and has_ended(template, one, known):
            during = during + Need(needs.totals, needs.demands.of_pods)
            left = left + Need(demands=Demands(objects=needs.demands.objects))
        else:
            left = left + needs
    return Created(during, left)


def _needs(one: Mapping[str, Any], needs_of: NeedsOf, defaults: Defaults, unknowns: Unknowns) -> Need | None:
    if is_workflow(one):
        return needs_of(mapping(one.get("spec")))
    spec = mapping(one.get("spec"))
    if not str(one.get("apiVersion")).startswith(_SPARK_GROUP):
        return None
    if one.get("kind") == "ScheduledSparkApplication":
        unknowns.say("a ScheduledSparkApplication is counted as one application that runs from then on")
        spec = mapping(spec.get("template"))
    elif one.get("kind") != "SparkApplication":
        return None
    return application_need(spec, defaults, unknowns.say)
