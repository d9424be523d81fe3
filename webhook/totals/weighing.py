"""What is known of a Workflow that is being weighed, whichever way that is done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce

from webhook.model.limits.admission import WEIGH_MOST_ATTEMPTS
from webhook.model.objects import mapping
from webhook.totals.budget import Allowance
from webhook.totals.created import Created
from webhook.totals.lookup import Lookup
from webhook.totals.model import Defaults
from webhook.totals.pods import PodNeed, pod_need
from webhook.totals.scope import value_of
from webhook.totals.shape import Spec, text
from webhook.totals.tags import Bindings
from webhook.totals.unknowns import Unknowns

Creates = Callable[[Spec, Bindings], Created]
"""Returns what the objects need that a resource template creates."""


@dataclass
class Weighing:
    """One Workflow. `spec` is its own, merged with that of its WorkflowTemplate.

    `agents` collects the templates that Argo's agent runs: the first name of each type.
    """

    spec: Spec
    lookup: Lookup
    defaults: Defaults
    unknowns: Unknowns
    creates: Creates
    allowance: Allowance
    agents: dict[str, str] = field(default_factory=dict)

    def patches(self, template: Spec) -> list[str]:
        """The changes to a template's pod, in the order in which Argo makes them."""
        return [patch for one in (self.spec, template) if (patch := text(one.get("podSpecPatch")))]

    def pod(self, template: Spec, known: Bindings, *, exiting: bool = False) -> PodNeed:
        """What the template's pod needs; the largest one if its patch depends on how often it was retried.

        `exiting` is whether an exit handler runs it.
        """
        patches = self.patches(template)
        told: list[Bindings] = [known]
        if any("retries" in patch for patch in patches):
            told = [{**known, "retries": str(attempt)} for attempt in self._attempts(template, known)] or told
        pods = (
            pod_need(template, patches, one, self.defaults, self.unknowns, spec=self.spec, exiting=exiting)
            for one in told
        )
        return reduce(PodNeed.larger, pods)

    def _attempts(self, template: Spec, known: Bindings) -> range:
        """The numbers of its attempts; none if they are not known, or too many to look at."""
        limit = mapping(template.get("retryStrategy") or self.spec.get("retryStrategy")).get("limit")
        most = value_of(limit, known)
        return range(int(most) + 1) if most and most.isdecimal() and int(most) < WEIGH_MOST_ATTEMPTS else range(0)
