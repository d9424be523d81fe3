"""The chosen target is asked whether it would take the run; when it doesn't want it, the next one is."""

import time

from webhook.admission.candidate import Candidate
from webhook.errors import ClusterUnavailable, MedeaError, Rejected
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS
from webhook.model.run import run_object
from webhook.scout.model import Decision
from webhook.scout.placer import Placer

# A target gets this long for its dry run. No more targets are asked once the budget is spent, or the review has taken
# so long that another one could be too much: the apiserver waits ten seconds for the whole of it.
_TIMEOUT = 2.0
_BUDGET = 4.0


def preflight(placer: Placer, registry: Registry, candidate: Candidate, decision: Decision, latest: float) -> Decision:
    """The decision that holds in the end: the first target that would take it, or none."""
    until = min(time.monotonic() + _BUDGET, latest)
    refused_by: dict[str, str] = {}
    away: dict[str, str] = {}
    while decision.cluster is not None:
        try:
            if time.monotonic() > until:
                raise ClusterUnavailable("there was no time left to ask it")
            _ask(registry, decision.cluster, candidate)
            return decision
        except Rejected as error:
            refused_by[decision.cluster] = error.message
        except MedeaError as error:
            away[decision.cluster] = error.message
        decision = placer.again(candidate.new, refused_by=refused_by, away=away)
    return decision


def _ask(registry: Registry, cluster: str, candidate: Candidate) -> None:
    run = run_object(
        candidate.workflow,
        placement=candidate.new.placement,
        name="",
        origin_name="preflight",
        origin_uid="preflight",
    )
    # A made-up name: whether the real one is free is only known, and only matters, when the run is created.
    run["metadata"] |= {"generateName": "medea-preflight-"}
    del run["metadata"]["name"]
    registry.get(cluster).create(WORKFLOWS, candidate.new.namespace, run, dry_run=True, read_timeout=_TIMEOUT)
