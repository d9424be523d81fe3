"""What a Workflow needs: by its Spark parameters if it has any, otherwise by the peak of its containers' limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.errors import Refused, Unavailable
from webhook.model.limits.admission import WEIGH_DEEPEST_CREATED
from webhook.model.objects import mapping
from webhook.totals.budget import Allowance, Budget, Exhausted
from webhook.totals.ceiling import Ceiling
from webhook.totals.claims import held_objects
from webhook.totals.created import Created, created_by
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, NO_DEMANDS, Demands, one_kind
from webhook.totals.endings import bounded_in_time
from webhook.totals.lookup import Lookup
from webhook.totals.merged import over_defaults, over_template
from webhook.totals.model import NOTHING, Defaults, Totals
from webhook.totals.need import NO_NEED, Need
from webhook.totals.parameters import effective_parameters
from webhook.totals.quantities import LARGEST
from webhook.totals.scope import workflow_parameters
from webhook.totals.shape import Name, Spec, named_templates
from webhook.totals.spark import SparkJob, spark_demands, spark_job
from webhook.totals.spark_submit import larger_than_said
from webhook.totals.tags import Bindings, filled
from webhook.totals.traits import traits_of
from webhook.totals.unknowns import Unknowns
from webhook.totals.walk import Walk

# The default limits of the pod in which Argo's agent runs http and plugin templates.
_AGENT = Totals(100, 256 * 10**6)
_AGENT_AMOUNTS = {
    "pods": 1,
    "limits.cpu": 100,
    "limits.memory": 256 * 10**6,
    "requests.cpu": 10,
    "requests.memory": 64 * 10**6,
}
Library = Mapping[Name, Spec]
"""The specs of the WorkflowTemplates that a Workflow refers to."""


@dataclass(frozen=True)
class Requirements:
    """What a Workflow needs at its peak. `spark` is set if the totals come from Spark parameters.

    `demands` are what it takes of every kind of quota, the totals included.

    `notes` are short sentences about what could not be known; `missing` are the WorkflowTemplates that the Workflow
    uses and the library lacks.
    """

    totals: Totals
    notes: tuple[str, ...] = ()
    spark: SparkJob | None = None
    missing: tuple[Name, ...] = ()
    demands: Demands = NO_DEMANDS

    @property
    def largest(self) -> Totals:
        """The largest of what can run only as a whole: where that fits, the Workflow can end, however slowly."""
        cpu, memory = (self.demands.largest(name, lambda _: True) for name in (LIMITS_CPU, LIMITS_MEMORY))
        return _bounded(Totals(cpu, memory))

    def larger(self, other: "Requirements") -> "Requirements":
        """The larger of the two, for each resource separately."""
        if self == other:
            return self
        return Requirements(
            self.totals.larger(other.totals),
            tuple(dict.fromkeys((*self.notes, *other.notes))),
            self.spark or other.spark,
            tuple(dict.fromkeys((*self.missing, *other.missing))),
            self.demands.larger(other.demands),
        )


def requirements_of(spec: Spec, library: Library, defaults: Defaults, budget: Budget) -> Requirements:
    """The requirements of a Workflow: its peak, or the sum of everything in it if the peak is too much work.

    Raises Refused for a Spark parameter or a limit that can't be read, and if even the sum is too much work; raises
    Unavailable if time runs out.
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
    notes, missing = needs.unknowns.notes(), tuple(needs.unknowns.missing)
    return Requirements(_bounded(found.totals), notes, found.spark, missing, found.demands)


@dataclass(frozen=True)
class _Needs:
    library: Library
    defaults: Defaults
    unknowns: Unknowns
    allowance: Allowance
    weigher: type[Walk] | type[Ceiling]

    def of(self, spec: Spec, depth: int) -> Requirements:
        """`depth` is how many Workflows deep this one would be created; 0 for the submitted one."""
        template_spec = self._template_spec(spec)
        if template_spec is None:
            return Requirements(NOTHING)
        job = spark_job(effective_parameters(spec, template_spec))
        if job is not None:
            known = workflow_parameters(spec, template_spec)
            for sentence in larger_than_said(job, over_template(spec, template_spec), known):
                self.unknowns.say(sentence)
            demands = spark_demands(job, spec, template_spec)
            # Nested in another Workflow it is a gang; on its own its pods are what may be asked to run apart.
            return Requirements(job.totals, spark=job, demands=demands.as_gang() if depth else demands)
        whole = over_template(spec, template_spec)
        deadline = bounded_in_time(whole)
        weigher = self.weigher(
            spec=whole,
            lookup=Lookup("", named_templates(whole), self.library),
            defaults=self.defaults,
            unknowns=self.unknowns,
            creates=lambda template, inner: self._created(template, inner, depth + 1, deadline=deadline),
            allowance=self.allowance,
        )
        need = weigher.whole(workflow_parameters(spec, template_spec)) + self._agents(weigher.agents, whole)
        return Requirements(need.totals, demands=need.demands.holding(held_objects(whole)))

    def _template_spec(self, spec: Spec) -> Spec | None:
        """The spec of its WorkflowTemplate, over what Argo's controller gives to all; None if it is not known."""
        reference, beneath = mapping(spec.get("workflowTemplateRef")), self.defaults.argo.defaults
        if not reference:
            return over_defaults({}, beneath)
        written = str(reference.get("name"))
        to = Name(filled(written, {}), reference.get("clusterScope") is True)
        if to not in self.library:
            self.unknowns.lack(to, written)
            return None
        return over_defaults(self.library[to], beneath)

    def _agents(self, agents: Mapping[str, str], spec: Spec) -> Need:
        if "plugin" in agents:
            self.unknowns.say(f"the plugin of template {agents['plugin']} brings a container of its own, not counted")
        if not agents:
            return NO_NEED
        traits = traits_of({}, spec, {}, {}, best_effort=False, exiting=True)
        return Need(_AGENT, one_kind(_AGENT_AMOUNTS, traits=traits))

    def _created(self, template: Spec, known: Bindings, depth: int, *, deadline: bool) -> Created:
        def needs_of(spec: Spec) -> Need | None:
            if depth > WEIGH_DEEPEST_CREATED:
                return None
            inner = self.of(spec, depth)
            return Need(inner.totals, inner.demands)

        return created_by(template, known, needs_of, self.defaults, self.unknowns, deadline=deadline)


def _bounded(totals: Totals) -> Totals:
    """Cap at what the ledger can hold, which is far beyond any quota."""
    return Totals(min(totals.cpu_milli, LARGEST["cpu"]), min(totals.memory_bytes, LARGEST["memory"]))
