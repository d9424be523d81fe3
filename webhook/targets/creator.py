"""Creates Workflows on a target: as whoever has submitted them, where the target lets Medea act as others.

It then decides by its own RBAC, and its own policies see, who does it. Elsewhere Medea creates them itself, in the
namespaces where its role is bound.
"""

from dataclasses import dataclass

from webhook.errors import NotAllowed, NotPermitted, quoted
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS
from webhook.model.limits.kube import READ_TIMEOUT
from webhook.model.objects import Object
from webhook.model.submitter import Submitter, is_own_group

_WHAT = f"create {WORKFLOWS.plural}.{WORKFLOWS.group}"


@dataclass(frozen=True)
class Creator:
    """Creates Workflows on one target: as `who`, or as Medea itself if that is None. `refusal` is why none is."""

    target: Cluster
    who: Submitter | None = None
    refusal: str | None = None

    def create(
        self, namespace: str, workflow: Object, *, dry_run: bool = False, read_timeout: float = READ_TIMEOUT
    ) -> Object:
        """Create a Workflow. Raises NotPermitted if `who` may not, and whatever else the target answers."""
        target, who = self.target, self.who
        if self.refusal:
            raise NotPermitted(self.refusal, cluster=target.name)
        if who is None:
            return target.create(WORKFLOWS, namespace, workflow, dry_run=dry_run, read_timeout=read_timeout)
        try:
            acting = target.acting_as(who.user, who.groups)
            return acting.create(WORKFLOWS, namespace, workflow, dry_run=dry_run, read_timeout=read_timeout)
        except NotAllowed as error:
            words = f"{who.user} may not {_WHAT} in namespace {namespace} on {target.name}"
            if error.details.get("verb") == "impersonate":
                words += f": {target.name} does not let Medea act as {_named(who)}"
            raise NotPermitted(words, cluster=target.name) from error


def creator(registry: Registry, target: str, namespace: str, submitter: Submitter | None) -> Creator:
    """What creates Workflows of this submitter on a target. Raises Missing for one that is not registered.

    Nobody acts as one of Kubernetes' own users, and the ledger does not know who submitted what an older Medea took.
    """
    cluster, groups = registry.get(target), registry.impersonated_groups(target)
    if groups is None:
        return Creator(cluster)
    refused = f"Medea may {_WHAT} in namespace {namespace} on {target} only as who has submitted them"
    if submitter is None:
        return Creator(cluster, refusal=f"{refused}, and who that was is not known: submit it again")
    if not submitter.has_a_name_to_act_under:
        return Creator(cluster, refusal=f"{refused}, and does not act as {quoted(submitter.user)}")
    # An apiserver puts a ServiceAccount into its groups itself.
    own = () if submitter.account else tuple(one for one in submitter.groups if one in groups and is_own_group(one))
    return Creator(cluster, Submitter(submitter.user, own))


def _named(who: Submitter) -> str:
    return f"{who.user} in {', '.join(who.groups)}" if who.groups else who.user
