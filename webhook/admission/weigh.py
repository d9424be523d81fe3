"""What a submitted Workflow needs. Templates that only its parameters name are gathered on the way."""

from dataclasses import dataclass

from webhook.admission.gather import Gathered, gather_more
from webhook.kube.client import Cluster
from webhook.totals.model import Defaults
from webhook.totals.requirements import Requirements, requirements_of
from webhook.totals.shape import Name, Spec


@dataclass(frozen=True)
class Weighed:
    """The need, and all templates that it was found with."""

    need: Requirements
    found: Gathered


def weigh(front: Cluster, namespace: str, spec: Spec, found: Gathered, defaults: Defaults) -> Weighed:
    """The need of a spec. Raises Refused for a Spark parameter or a limit that can't be read."""
    looked_for: set[Name] = set()
    while True:
        need = requirements_of(spec, found.library, defaults)
        more = set(need.missing) - looked_for
        if not more:
            return Weighed(need, found)
        looked_for |= more
        found = gather_more(front, namespace, found, more)
