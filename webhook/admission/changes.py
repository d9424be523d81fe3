"""The review of a change to an origin: turns what a person did into a verb for the run."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from webhook.admission.submission import read_submission
from webhook.admission.verb_detect import spec_after, verb_between
from webhook.admission.wire import Review, allow
from webhook.errors import ClusterUnavailable, Missing, NotThere, Refused
from webhook.kube.client import MANAGER
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements, splits
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import GRAFTED, ORIGIN_UID, PLACEMENT, SPLIT_OF, VERBS, WRITTEN, Hold, State
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import RETRY_TIMEOUT
from webhook.model.nodes import offloaded
from webhook.model.objects import Object, annotations, labels
from webhook.model.subworkflows import ended
from webhook.model.verbs import Verb, pending, written

log = structlog.get_logger(__name__)
_LIVING = frozenset({State.QUEUED, State.RESERVED, State.RUNNING, State.SPLIT})

_VERBS = Counter("medea_verbs_total", "Verbs that people gave", ["verb"])


@dataclass
class Changes:
    """Answers reviews of changes. `is_own` tells whether a user name at the front door is one of Medea's own."""

    registry: Registry
    pool: Pool
    is_own: Callable[[str], bool]

    def answer(self, review: Review, deadline: Deadline) -> Object:
        """The AdmissionReview to answer with. Raises Refused for a verb that is not possible."""
        old, new = review.old, review.object
        for thing in (old, new):
            # Not the status: it may contain anything that a pod has printed, and is not stored from here.
            read_submission({key: thing.get(key) for key in ("metadata", "spec")})
        if not self._concerns(review):
            return allow(review)
        deadline.check("to look for its placement")
        row = placements.get(self.pool, annotations(old)[PLACEMENT])
        if row is None or row.origin_uid not in (None, old["metadata"].get("uid")):
            return allow(review)
        self._check_end(row, old, new)
        plugin = row.hold is Hold.PLUGIN
        of_run = _is_grafted if plugin else _any_node
        verb = verb_between(old, new, user=review.user, of_run=of_run)
        if verb.retry:
            self._check_retry(row, old, deadline)
        spec, lost = spec_after(old, new, verb, shows_shutdown=not plugin)
        patch = [{"op": "add", "path": "/metadata/annotations", "value": _annotations(old, new, verb)}]
        if spec != new.get("spec"):
            patch.append({"op": "add", "path": "/spec", "value": spec})
        if verb:
            _VERBS.labels(verb.word).inc()
            log.info("verb", verb=verb.word, user=review.user, placement=row.placement, workflow=row.name)
        return allow(review, patch=patch, warnings=_warnings(row, verb, lost))

    def _concerns(self, review: Review) -> bool:
        """Whether a person changed an origin that is not being deleted. Medea's own writes show its field manager."""
        own = review.field_manager == MANAGER and self.is_own(review.user)
        old = review.old
        is_origin = PLACEMENT in annotations(old) and ORIGIN_UID not in labels(old)
        return is_origin and not own and "deletionTimestamp" not in (review.object.get("metadata") or {})

    def _check_end(self, row: Placement, old: Object, new: Object) -> None:
        """An end that was shown never changes, so nobody but Medea shows one while the run may live."""
        if row.state in _LIVING and not ended(old) and ended(new):
            where = f"its run on {row.cluster}" if row.cluster else "what waits for a cluster"
            raise Refused(
                f"Workflow {row.name} ends when {where} has ended; argo stop and argo terminate end it",
                field="status.phase",
                expected="no end",
            )

    def _check_retry(self, row: Placement, old: Object, deadline: Deadline) -> None:
        if SPLIT_OF in labels(old) and splits.is_moved(self.pool, str(row.name), str(row.origin_uid)):
            raise Refused(
                "what was left of this chunk went elsewhere, so it would run twice; see the Workflow it is of"
            )
        if row.cluster is None or row.run_name is None:
            raise Refused(
                "there is no run to retry, since it never got to a target, or was split into chunks; use argo resubmit"
            )
        locked = placements.locked_elsewhere(self.pool, row.placement)
        if locked:
            raise Refused(f"{locked}, and the run to retry is on {row.cluster}; retry it when that has ended")
        try:
            target = self.registry.get(row.cluster)
            timeout = deadline.timeout(RETRY_TIMEOUT, "to look for the run")
            run = target.get(WORKFLOWS, row.namespace, row.run_name, read_timeout=timeout)
        except ClusterUnavailable:
            # The target is away; the verb waits until it is back.
            return
        except (NotThere, Missing):
            run = None
        if run is None or run["metadata"]["uid"] != row.run_uid:
            raise Refused(f"the run is gone from {row.cluster}, so it can't be retried; use argo resubmit")
        if offloaded(run):
            raise Refused(f"the nodes of the run are offloaded on {row.cluster} and can't be retried from here")


def _is_grafted(node_id: str) -> bool:
    return node_id.startswith(GRAFTED)


def _any_node(_: str) -> bool:
    return True


def _annotations(old: Object, new: Object, verb: Verb) -> dict[str, str]:
    """The new annotations, but with those that only Medea writes taken from the old object, and the verb added."""
    kept = {key: text for key, text in annotations(new).items() if key not in WRITTEN}
    ours = {key: text for key, text in annotations(old).items() if key in WRITTEN}
    if verb:
        ours[VERBS] = written([*pending(old), verb])
    return {**kept, **ours}


def _warnings(row: Placement, verb: Verb, lost: list[str]) -> list[str]:
    """The lines that Argo's CLI and kubectl print."""
    lines = []
    if verb:
        where = f"on {row.cluster}" if row.cluster else "before it is placed"
        lines.append(f"medea: {verb.word} is carried out {where}")
    if lost:
        fields = ", ".join(f"spec.{key}" for key in lost)
        lines.append(
            f"medea: {fields} stays as it was: a placed Workflow's run has its own; submit it anew to change it"
        )
    return lines
