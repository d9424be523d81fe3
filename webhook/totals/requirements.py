"""What any Workflow needs: by its Spark parameters if it has some, else by the peak of its containers' limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.errors import Refused, Unavailable
from webhook.totals.budget import Allowance, Budget, Exhausted
from webhook.totals.ceiling import Ceiling
from webhook.totals.lookup import Lookup
from webhook.totals.manifests import created_objects, is_workflow
from webhook.totals.merged import over_template
from webhook.totals.model import NOTHING, Defaults, Totals
from webhook.totals.parameters import effective_parameters
from webhook.totals.pods import Unknowns
from webhook.totals.quantities import LARGEST
from webhook.totals.scope import workflow_parameters
from webhook.totals.shape import Name, Spec, mapping, named_templates
from webhook.totals.spark import SparkJob, spark_job
from webhook.totals.tags import Bindings, filled
from webhook.totals.walk import Walk

# The limits of the pod in which Argo's agent runs http and plugin templates, unless its administrator says otherwise.
_AGENT = Totals(100, 256 * 10**6)
# A Workflow that creates a Workflow that creates a Workflow: deeper than this nobody looks.
_DEEPEST = 3
# Kinds of objects of which everybody knows that no pod comes of them.
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

Library = Mapping[Name, Spec]
"""The specs of the WorkflowTemplates that a Workflow refers to."""


@dataclass(frozen=True)
class Requirements:
    """`notes` are short sentences about what could not be known. `spark` is there when Spark parameters told it.

    `missing` are WorkflowTemplates that it uses and that the library lacks.
    """

    totals: Totals
    notes: tuple[str, ...] = ()
    spark: SparkJob | None = None
    missing: tuple[Name, ...] = ()


def requirements_of(spec: Spec, library: Library, defaults: Defaults, budget: Budget) -> Requirements:
    """The need of a Workflow: its peak, or where that takes too much work the sum of all that is in it.

    Raises Refused for a Spark parameter or a limit that can't be read, and for a Workflow that even the sum is too much
    work of; Unavailable when time ran out.
    """
    try:
        return _needed(spec, _Needs(library, defaults, Unknowns(), budget.to_walk(), Walk))
    except Exhausted:
        pass
    needs = _Needs(library, defaults, Unknowns(), budget.to_sum(), Ceiling)
    needs.unknowns.say("the Workflow is too large for its peak to be found: all of its pods are counted at once")
    try:
        return _needed(spec, needs)
    except Exhausted as error:
        advice = "make it several Workflows, or loop over fewer items that its templates' parameters depend on"
        if error.late:
            raise Unavailable(f"the Workflow could not be weighed in time; try again, or {advice}") from None
        raise Refused(f"the Workflow is too large to be weighed; {advice}") from None


def _needed(spec: Spec, needs: "_Needs") -> Requirements:
    found = needs.of(spec, 0)
    return Requirements(_bounded(found.totals), needs.unknowns.notes(), found.spark, tuple(needs.unknowns.missing))


@dataclass(frozen=True)
class _Needs:
    library: Library
    defaults: Defaults
    unknowns: Unknowns
    allowance: Allowance
    weigher: type[Walk] | type[Ceiling]

    def of(self, spec: Spec, depth: int) -> Requirements:
        """`depth` counts the Workflows that this one would be created by."""
        template_spec = self._template_spec(spec)
        if template_spec is None:
            return Requirements(NOTHING)
        job = spark_job(effective_parameters(spec, template_spec))
        if job is not None:
            return Requirements(job.totals, spark=job)
        whole = over_template(spec, template_spec)
        weigher = self.weigher(
            spec=whole,
            lookup=Lookup("", named_templates(whole), self.library),
            defaults=self.defaults,
            unknowns=self.unknowns,
            creates=lambda template, inner: self._created(template, inner, depth + 1),
            allowance=self.allowance,
        )
        totals = weigher.whole(workflow_parameters(spec, template_spec))
        return Requirements(totals + self._agents(weigher.agents))

    def _template_spec(self, spec: Spec) -> Spec | None:
        reference = mapping(spec.get("workflowTemplateRef"))
        if not reference:
            return {}
        written = str(reference.get("name"))
        to = Name(filled(written, {}), reference.get("clusterScope") is True)
        if to not in self.library:
            self.unknowns.lack(to, written)
        return self.library.get(to)

    def _agents(self, agents: Mapping[str, str]) -> Totals:
        if "plugin" in agents:
            self.unknowns.say(f"the plugin of template {agents['plugin']} brings a container of its own, not counted")
        return _AGENT if agents else NOTHING

    def _created(self, template: Spec, known: Bindings, depth: int) -> Totals:
        name = template.get("name")
        objects = created_objects(template, known)
        if objects is None:
            self.unknowns.say(f"what template {name} creates can't be read before it runs, and is not counted")
            return NOTHING
        total = NOTHING
        for one in objects:
            if is_workflow(one) and depth <= _DEEPEST:
                total = total + self.of(mapping(one.get("spec")), depth).totals
            elif one.get("kind") not in _WITHOUT_PODS:
                self.unknowns.say(f"the {one.get('kind')} that template {name} creates is not counted")
        return total


def _bounded(totals: Totals) -> Totals:
    """No more than the ledger can hold: far beyond any quota."""
    return Totals(min(totals.cpu_milli, LARGEST["cpu"]), min(totals.memory_bytes, LARGEST["memory"]))
