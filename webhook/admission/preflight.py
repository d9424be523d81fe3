"""Asks the chosen target by a dry run whether it would take the run; if not, the next one is chosen and asked.

It must also have the templates that can't be copied for the run, because only an expression names them.
"""

from webhook.admission.candidate import Candidate
from webhook.errors import AlreadyExists, MedeaError, NamespaceGoes, NodesUnknown, NotAllowed, QuotaExceeded, Rejected
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import CONFIG_MAPS
from webhook.kube.templates import check_own_names
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import PREFLIGHT_BUDGET, PREFLIGHT_NEEDS, PREFLIGHT_TIMEOUT
from webhook.model.run import run_object
from webhook.model.template_versions import specs_of
from webhook.references.taken import with_copies
from webhook.scout.model import Decision
from webhook.scout.placer import Placer
from webhook.targets.acceptance import not_accepted, not_taken
from webhook.targets.creator import creator
from webhook.targets.node_pools import on_nodes

_NO_TIME = "there was no time left to ask it"


def preflight(
    placer: Placer, registry: Registry, candidate: Candidate, decision: Decision, latest: Deadline
) -> Decision:
    """The final decision: the first target that would take the run, or none.

    Raises Unavailable if it is too late to answer.
    """
    deadline = latest.within(PREFLIGHT_BUDGET)
    refused_by: dict[str, str] = {}
    away: dict[str, str] = {}
    while decision.cluster is not None:
        latest.check("to answer")
        try:
            timeout = deadline.timeout(PREFLIGHT_TIMEOUT, "to ask it", least=PREFLIGHT_NEEDS)
            _ask(registry, decision.cluster, candidate, timeout)
            break
        except (QuotaExceeded, NodesUnknown, NamespaceGoes) as error:
            # The target's object quota is full now, or the note of its nodes is wrong, or the namespace is made anew
            # there: that's not about the Workflow.
            away[decision.cluster] = error.message
        except Rejected as error:
            # Among them that the target does not permit it to who submits: to others it may.
            refused_by[decision.cluster] = error.message
        except NotAllowed:
            away[decision.cluster] = not_accepted(candidate.new.namespace, decision.cluster)
        except MedeaError as error:
            away[decision.cluster] = error.message
        if deadline.left <= PREFLIGHT_NEEDS:
            # For none of the others either, and each costs a transaction in the ledger.
            away = {**dict.fromkeys(registry.names(), _NO_TIME), **away}
        decision = placer.again(candidate.new, refused_by=refused_by, away=away)
    latest.check("to answer")
    return decision


def _check_taken(target: Cluster, candidate: Candidate, timeout: float) -> None:
    """Raises Rejected unless the target lets a ConfigMap that goes along be made."""
    namespace = candidate.new.namespace
    for one in with_copies(candidate.new.original)[1][:1]:
        try:
            target.create(CONFIG_MAPS, namespace, one, dry_run=True, read_timeout=timeout)
        except AlreadyExists:
            continue
        except NotAllowed as error:
            raise Rejected(not_taken(namespace, target.name), cluster=target.name) from error


def _ask(registry: Registry, cluster: str, candidate: Candidate, timeout: float) -> None:
    placed, _ = on_nodes(registry, cluster, candidate.new.original)
    run = run_object(
        placed["workflow"],
        placement=candidate.new.placement,
        name="",
        origin_name="preflight",
        origin_uid="preflight",
    )
    # A generated name: whether the real one is free only matters when the run is created.
    run["metadata"] |= {"generateName": "medea-preflight-"}
    del run["metadata"]["name"]
    new = candidate.new
    submits = creator(registry, cluster, new.namespace, new.submitter)
    target = submits.target
    specs = specs_of(new.original["templates"])
    check_own_names(target, new.namespace, candidate.workflow["spec"], specs, read_timeout=timeout)
    _check_taken(target, candidate, timeout)
    submits.create(new.namespace, run, dry_run=True, read_timeout=timeout)
