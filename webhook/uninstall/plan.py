"""What becomes of each Workflow when Medea goes. Pure.

Runs are let go and run on where they are, since whoever uninstalls Medea rarely means to stop people's work; only those
that their people have deleted go with their origins. An origin that has not ended would show "Running" for ever, so it
ends as an Error that names its run.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from webhook.model.contract import (
    ARGO_COMPLETED,
    ARGO_PHASE,
    CLUSTER,
    FINAL_NODE_PHASES,
    ORIGIN_UID,
    REASON,
    STATE,
)
from webhook.model.finalizers import allow_deletion, is_deletion_ongoing
from webhook.model.moments import written
from webhook.model.objects import Object, annotations, labels, mapping, status_of
from webhook.model.run import origin_placement, run_placement
from webhook.model.subworkflows import ended

RunsByPlacement = Mapping[str, tuple[str, Object]]
"""The run and its target, by placement."""


@dataclass(frozen=True)
class Owned:
    """What belongs to this front door: its Workflows, by uid, and the placements that its ledger knows."""

    workflows: Mapping[str, Object]
    placements: Collection[str]

    def owns(self, run: Object) -> bool:
        """Whether a run is this front door's: another one may use the same target."""
        return labels(run).get(ORIGIN_UID) in self.workflows or run_placement(run) in self.placements

    def is_doomed(self, run: Object) -> bool:
        """Whether its people have deleted its origin, which waits for the run to go."""
        origin = self.workflows.get(labels(run).get(ORIGIN_UID, ""))
        return origin is not None and is_deletion_ongoing(origin)


def not_runs(workflows: Iterable[Object]) -> list[Object]:
    """The Workflows at the front door without the runs, which are there too if it is a target itself."""
    return [one for one in workflows if ORIGIN_UID not in labels(one)]


def uid_of(workflow: Object) -> str:
    """A Workflow's uid."""
    return str(workflow["metadata"]["uid"])


def is_live(workflow: Object) -> bool:
    """Whether it has not ended, and nobody has deleted it."""
    return ended(workflow) is None and not is_deletion_ongoing(workflow)


def last_patch(origin: Object, *, runs: RunsByPlacement, delete_runs: bool, now: datetime.datetime) -> Object:
    """The merge patch with which Medea lets an origin go: its end if it has none, and without the finalizer."""
    patch = allow_deletion(origin)
    if not is_live(origin):
        return patch
    message, moment = _last_words(origin, runs, delete_runs), written(now)
    end = {"phase": "Error", "finishedAt": moment, "message": message}
    status = status_of(origin)
    nodes = {key: end for key, node in mapping(status.get("nodes")).items() if _goes_on(node)}
    metadata = {
        **patch["metadata"],
        "labels": {ARGO_COMPLETED: "true", ARGO_PHASE: "Error"},
        "annotations": {STATE: "error", REASON: message},
    }
    conditions = [{"type": "PodRunning", "status": "False"}, {"type": "Completed", "status": "True"}]
    started = {} if status.get("startedAt") else {"startedAt": moment}
    ending = {**end, **started, "conditions": conditions, **({"nodes": nodes} if nodes else {})}
    return {"metadata": metadata, "status": ending}


def _last_words(origin: Object, runs: RunsByPlacement, delete_runs: bool) -> str:
    """What an origin says for ever about why it ended."""
    cluster, run = runs.get(origin_placement(origin) or "", (annotations(origin).get(CLUSTER), None))
    if run is None and cluster is None:
        return "Medea was uninstalled before this was placed; it has not run"
    if run is None:
        return f"Medea was uninstalled; if it runs on {cluster}, it goes on there"
    name, phase = run["metadata"]["name"], ended(run)
    became = f"ended as {phase}" if phase else "was deleted with it" if delete_runs else "goes on there"
    return f"Medea was uninstalled; the run {name} on {cluster} {became}"


def copies_in_use(copies: Iterable[Object], runs: Iterable[Object]) -> list[Object]:
    """The copied templates that runs which go on may still use: those of their namespaces."""
    living = {run["metadata"]["namespace"] for run in runs if is_live(run)}
    return [one for one in copies if one["metadata"]["namespace"] in living]


def _goes_on(node: object) -> bool:
    return isinstance(node, dict) and node.get("phase") not in FINAL_NODE_PHASES
