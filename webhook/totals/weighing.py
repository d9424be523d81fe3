"""What is known of a Workflow that is being weighed, whichever way that is done."""

from collections.abc import Callable
from dataclasses import dataclass, field

from webhook.totals.budget import Allowance
from webhook.totals.lookup import Lookup
from webhook.totals.model import Defaults
from webhook.totals.need import Need
from webhook.totals.pods import PodNeed, Unknowns, pod_need
from webhook.totals.shape import Spec, text
from webhook.totals.tags import Bindings

Creates = Callable[[Spec, Bindings], Need]
"""Returns what the Workflows need that a resource template creates."""


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
        """What one pod of a template needs; `exiting` is whether an exit handler runs it."""
        patches = self.patches(template)
        return pod_need(template, patches, known, self.defaults, self.unknowns, spec=self.spec, exiting=exiting)
