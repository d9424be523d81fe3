"""What a Workflow needs: by its Spark parameters if it has any, otherwise by the peak of its containers' limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from webhook.errors import Refused, Unavailable
from webhook.model.limits.admission import WEIGH_DEEPEST_CREATED
from webhook.model.objects import mapping
from webhook.totals.budget import Allowance, Budget, Exhausted
from webhook.totals.ceiling import Ceiling
from webhook.totals.created import Created, created_by
from webhook.totals.endings import bounded_in_time
from webhook.totals.lookup import Lookup
from webhook.totals.merged import over_template
from webhook.totals.model import NOTHING, Defaults, Totals
from webhook.totals.parameters import effective_parameters
from webhook.totals.quantities import LARGEST
from webhook.totals.scope import workflow_parameters
from webhook.totals.shape import Name, Spec, named_templates
from webhook.totals.spark import SparkJob, spark_job
from webhook.totals.tags import Bindings, filled
from webhook.totals.unknowns import Unknowns
from webhook.totals.walk import Walk
from webhook.totals.weighing import Largest

# The default limits of the pod in which Argo's agent runs http and plugin templates.
_AGENT = Totals(100, 256 * 10**6)
Library = Mapping[Name, Spec]
"""The specs of the WorkflowTemplates that a Workflow refers to."""


@dataclass(frozen=True)
class Requirements:
    """What a Workflow needs at its peak. `spark` is set if the totals come from Spark parameters.

    `largest` is the largest of what can run only as a whole: where that fits, the Workflow can end, however slowly.
    `notes` are short sentences about what could not be known; `missing` are the WorkflowTemplates that the Workflow
    uses and the library lacks.
    """

    totals: Totals
    notes: tuple[str, ...] = ()
    spark: SparkJob | None = None
    missing: tuple[Name, ...] = ()
    largest: Totals = NOTHING


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
    return Requirements(
        _bounded(found.totals),
        needs.unknowns.notes(),
        found.spark,
        tuple(needs.unknowns.missing),
        _bounded(needs.largest.totals),
    )


@dataclass(frozen=True)
class _Needs:
    library: Library
    defaults: Defaults
    unknowns: Unknowns
    allowance: Allowance
    weigher: type[Walk] | type[Ceiling]
    largest: Largest = field(default_factory=Largest)

    def of(self, spec: Spec, depth: int) -> Requirements:
        """`depth` is how many Workflows deep this one would be created; 0 for the submitted one."""
        template_spec = self._template_spec(spec)
        if template_spec is None:
            return Requirements(NOTHING)
        job = spark_job(effective_parameters(spec, template_spec))
        if job is not None:
            # Nested in another Workflow it is a gang; on its own its pods are what may be asked to run apart.
            self.largest.see(job.totals if depth else job.driver.larger(job.executor))
            return Requirements(job.totals, spark=job)
        whole = over_template(spec, template_spec)
        deadline = bounded_in_time(whole)
        weigher = self.weigher(
            spec=whole,
            lookup=Lookup("", named_templates(whole), self.library),
            defaults=self.defaults,
            unknowns=self.unknowns,
            creates=lambda template, inner: self._created(template, inner, depth + 1, deadline=deadline),
            allowance=self.allowance,
            largest=self.largest,
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
        if agents:
            self.largest.see(_AGENT)
        return _AGENT if agents else NOTHING

    def _created(self, template: Spec, known: Bindings, depth: int, *, deadline: bool) -> Created:
        def needs_of(spec: Spec) -> Totals | None:
            return self.of(spec, depth).totals if depth <= WEIGH_DEEPEST_CREATED else None

        return created_by(template, known, needs_of, self.largest.see, self.defaults, self.unknowns, deadline=deadline)


def _bounded(totals: Totals) -> Totals:
    """Cap at what the ledger can hold, which is far beyond any quota."""
    return Totals(min(totals.cpu_milli, LARGEST["cpu"]), min(totals.memory_bytes, LARGEST["memory"]))
