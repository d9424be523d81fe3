"""Chunks at the front door: submitting, following, steering and ending them. Everything may be repeated."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter

from webhook.controller.splits.ends import Seen, chunk_end
from webhook.controller.splits.known import Known
from webhook.errors import AlreadyExists, BadRequest, Busy, Clash, NotThere, QuotaExceeded, Rejected
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements, splits
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.splits import Chunk
from webhook.model.contract import CLUSTER, PLACEMENT, SPLIT_OF, STOPPED, SUSPENDED
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.limits.api import SUBMIT_TIMEOUT
from webhook.model.limits.splitting import MOST_FOLLOWED
from webhook.model.nodes import nodes_of
from webhook.model.objects import Object, annotations, labels, spec_of
from webhook.model.submitted_once import Become, Fate, Past, become
from webhook.model.subworkflows import ended, shutdown_of
from webhook.splitting.chunk import Whole, chunk_workflow
from webhook.splitting.gather import done_items
from webhook.splitting.moving import Policy

log = structlog.get_logger(__name__)
_ENDED = Counter("medea_chunks_ended_total", "Chunks of split Workflows that have ended", ["phase"])
_SUBMITTED = Counter("medea_chunks_submitted_total", "Chunks of split Workflows that were submitted")
_MOVED = Counter("medea_chunks_moved_total", "Chunks that were taken from a target that was lost or slow")
for _phase in ("Succeeded", "Failed", "Error"):
    _ENDED.labels(_phase)

_MANAGER = "medea-steps"
"""Field manager for steering. Not Medea's usual one, so that the webhook passes the change on to the run as a verb."""


@dataclass
class Chunks:
    """Acts on the chunks of all splits. `names` returns the names of all targets."""

    front: Cluster
    pool: Pool
    origins: Informer
    opted_in: Callable[[str], bool]
    names: Callable[[], frozenset[str]]
    _versions: dict[str, dict[int, str]] = field(default_factory=dict)

    def tend(self, known: Known, chunk: Chunk, policy: Policy) -> None:
        """Take the next step for one chunk that has not ended. Raises errors of the front door and of the ledger."""
        child, past = self._look(known, chunk)
        is_it = child is not None and _is_of(child, chunk.uid, known.row.placement)
        now = become(chunk.name, chunk.uid, child, past, is_it=is_it)
        if now.fate is Fate.ABSENT:
            self._submit(known, chunk)
        elif now.fate is Fate.ALIVE:
            assert child is not None
            self._follow(known, chunk, child)
        else:
            self._end(known, chunk, now, child, policy, lost=past is not None and past.lost)

    def take_away(self, known: Known, chunk: Chunk) -> None:
        """Have what is left of it go elsewhere once it has stopped."""
        splits.move(self.pool, known.row.placement, chunk.number)
        _MOVED.inc()
        log.info("taken from its target", chunk=chunk.name, cluster=chunk.cluster, done=chunk.done)

    def remove(self, row: Placement) -> bool:
        """Delete all chunks of one that is being deleted; whether they are gone, and their runs with them."""
        gone = True
        for chunk in splits.chunks(self.pool, row.placement):
            child = self.front.find(WORKFLOWS, row.namespace, chunk.name)
            if child is None or not _is_of(child, chunk.uid, row.placement):
                continue
            gone = False
            if not is_deletion_ongoing(child):
                uid = child["metadata"]["uid"]
                self.front.delete(WORKFLOWS, row.namespace, chunk.name, uid=uid, propagation="Background")
        return gone

    def forget(self, placement: str) -> None:
        """It is over."""
        self._versions.pop(placement, None)

    def _look(self, known: Known, chunk: Chunk) -> tuple[Object | None, Past | None]:
        """The chunk's Workflow at the front door; or else what the ledger remembers of it."""
        namespace = known.row.namespace
        child = self.origins.get(namespace, chunk.name)
        if child is not None and ended(child) is None and chunk.uid == child["metadata"]["uid"]:
            return child, None
        child = self.front.find(WORKFLOWS, namespace, chunk.name)
        past = placements.past(self.pool, namespace, chunk.name)
        if child is None and past is not None:
            # What is remembered may have come after that look.
            child = self.front.find(WORKFLOWS, namespace, chunk.name)
        return child, past

    def _submit(self, known: Known, chunk: Chunk) -> None:
        """A chunk waits while the whole is suspended, or the namespace has left: then it would not be placed."""
        namespace = known.row.namespace
        if known.suspended or not self.opted_in(namespace):
            return
        try:
            made = self.front.create(WORKFLOWS, namespace, self._workflow(known, chunk), read_timeout=SUBMIT_TIMEOUT)
        except AlreadyExists as error:
            raise Clash(f"{chunk.name} has just been created", namespace=namespace) from error
        except (QuotaExceeded, Clash):
            raise
        except (Rejected, BadRequest) as error:
            refused = Become(Fate.SPOILED, "Error", f"it was refused: {error.message}")
            self._end(known, chunk, refused, None, Policy.STAY, lost=False)
            return
        if PLACEMENT not in annotations(made):
            self.front.delete(WORKFLOWS, namespace, chunk.name, uid=made["metadata"]["uid"])
            raise Busy(f"{chunk.name} was not reviewed by Medea's webhook, so it would have run at the front door")
        _SUBMITTED.inc()
        self._follow(known, chunk, made)

    def _workflow(self, known: Known, chunk: Chunk) -> Object:
        metadata = known.origin["metadata"]
        return chunk_workflow(
            known.original,
            known.fanout,
            list(chunk.spans),
            name=chunk.name,
            number=chunk.number,
            whole=Whole(known.row.placement, metadata["name"], metadata["uid"]),
            only=self._only(known.row, chunk),
        )

    def _only(self, row: Placement, chunk: Chunk) -> frozenset[str] | None:
        """Where it may go: not back to where its items were taken from, unless there is nothing else."""
        wanted = None if row.only_clusters is None else frozenset(row.only_clusters)
        rest = (self.names() if wanted is None else wanted) - set(chunk.avoid)
        return rest if chunk.avoid and rest else wanted

    def _follow(self, known: Known, chunk: Chunk, child: Object) -> None:
        placement, metadata = known.row.placement, child["metadata"]
        if chunk.uid is None:
            splits.exists(self.pool, placement, chunk.number, metadata["uid"])
        self._steer(known, chunk, child)
        seen, version = self._versions.get(placement, {}), str(metadata.get("resourceVersion"))
        if seen.get(chunk.number) == version:
            return
        done = len(done_items(nodes_of(child), known.fanout, chunk.name))
        runs = (child.get("status") or {}).get("phase") == "Running" and CLUSTER in annotations(child)
        splits.follow(
            self.pool,
            placement,
            chunk.number,
            cluster=annotations(child).get(CLUSTER),
            done=done,
            runs=runs,
            suspended=bool(spec_of(child).get("suspend")),
        )
        if placement not in self._versions and len(self._versions) >= MOST_FOLLOWED:
            self._versions.clear()
        self._versions.setdefault(placement, {})[chunk.number] = version

    def _steer(self, known: Known, chunk: Chunk, child: Object) -> None:
        """Pass on what people do to the whole. That it is stopped or deleted, sub-Workflows hear by themselves."""
        suspends = bool(spec_of(child).get("suspend"))
        if chunk.moving and shutdown_of(child) is None and STOPPED not in annotations(child):
            self._patch(child, {STOPPED: "Stop"}, {"shutdown": "Stop"})
        elif known.suspended and not suspends:
            self._patch(child, {SUSPENDED: "true"}, {"suspend": True})
        elif not known.suspended and SUSPENDED in annotations(child):
            self._patch(child, {SUSPENDED: None}, {"suspend": None})

    def _patch(self, child: Object, notes: Object, spec: Object) -> None:
        metadata = child["metadata"]
        marks = {"uid": metadata["uid"], "annotations": notes}
        try:
            self.front.patch(
                WORKFLOWS, metadata["namespace"], metadata["name"], {"metadata": marks, "spec": spec}, manager=_MANAGER
            )
        except NotThere:
            return

    def _end(
        self, known: Known, chunk: Chunk, said: Become, child: Object | None, policy: Policy, *, lost: bool
    ) -> None:
        row = placements.by_origin(self.pool, known.row.namespace, chunk.name)
        kept = placements.outcome(self.pool, row.placement) if row else {}
        nodes = nodes_of({"status": kept}) or (nodes_of(child) if child else {})
        cluster = (row.cluster if row else None) or chunk.cluster
        # Of one that was deleted before its end nobody knows whether it still runs.
        known_end = row is not None and row.phase is not None
        movable = known_end and (chunk.moving or (lost and policy is Policy.MOVE))
        end = chunk_end(chunk, said, Seen(nodes, cluster, movable), known.fanout)
        if splits.end(self.pool, known.row.placement, chunk, end, origin=known.name):
            _ENDED.labels(end.phase).inc()
            log.info("chunk ended", chunk=chunk.name, phase=end.phase, cluster=cluster, message=end.message)


def _is_of(child: Object, uid: str | None, of: str) -> bool:
    """Whether a Workflow is that chunk of `of`: by its `uid` once that is known, since people can take labels off."""
    return labels(child).get(SPLIT_OF) == of if uid is None else child["metadata"]["uid"] == uid
