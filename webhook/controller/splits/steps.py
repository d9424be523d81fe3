"""The step of the controller for a Workflow that is split: cut, submit, follow, gather, show."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from webhook.controller.patch import patch_origin
from webhook.controller.plan import Away, Facts, Step, Then
from webhook.controller.splits.chunks import Chunks
from webhook.controller.splits.ends import whole_message, whole_phase
from webhook.controller.splits.known import Known, Reader
from webhook.controller.splits.shown import outcome_of, running_patch
from webhook.errors import Clash, LedgerUnavailable, MedeaError, NotThere, Refused, Rejected
from webhook.kube.client import Cluster
from webhook.kube.event_recorder import EventRecorder
from webhook.ledger import splits
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.splits import Chunk
from webhook.model.contract import CHUNKS
from webhook.model.deadline import Now, utc_now
from webhook.model.limits.splitting import AHEAD, AT_ONCE
from webhook.model.objects import Object, labels
from webhook.scout.model import Verdict
from webhook.splitting.cut import next_sizes, room_of
from webhook.splitting.moving import Pace, Policy, policy_of, to_move
from webhook.splitting.nodes import End

log = structlog.get_logger(__name__)


@dataclass
class SplitSteps:
    """`overview` returns every target's numbers for a namespace, `away` whether a target can't be used.

    `namespace` returns a namespace that opted in; `again` has a placement looked at once more.
    """

    front: Cluster
    pool: Pool
    recorder: EventRecorder
    reader: Reader
    chunks: Chunks
    overview: Callable[[str], tuple[Verdict, ...]]
    away: Callable[[str | None], Away | None]
    namespace: Callable[[str], Object | None]
    again: Callable[[str], None]
    remove: Callable[[Facts], Then]
    """Removes the run of one that is being deleted, and then lets its origin go."""
    now: Now = utc_now

    def acts(self) -> dict[Step, Callable[[Facts], Then]]:
        """The function for each step."""
        return {Step.SPLIT: self._split, Step.REMOVE: self._remove}

    def _remove(self, facts: Facts) -> Then:
        """One that never had a run may have chunks, and is kept until they are gone: then nothing of it runs."""
        row = facts.row
        assert row is not None
        if row.run_name is None and not self.chunks.remove(row):
            return Then.WAIT
        self.chunks.forget(row.placement)
        return self.remove(facts)

    def _split(self, facts: Facts) -> Then:
        row = facts.row
        assert row is not None
        known = self._read(facts)
        if known is None:
            return Then.GO_ON
        policy = self._policy(known)
        trouble = self._tend(known, known.chunks, policy)
        known, worse = (self._again(facts), None) if trouble else self._cut(facts, policy)
        if policy is Policy.MOVE:
            self._move(known)
        if known.over:
            self._finish(known)
            return Then.GO_ON
        self._show(known)
        if late := trouble or worse:
            raise late
        return Then.WAIT

    def _tend(self, known: Known, chunks: Iterable[Chunk], policy: Policy) -> MedeaError | None:
        """Take the next step for each. What goes wrong with one keeps no other back; the first such is returned."""
        trouble = None
        for chunk in chunks:
            try:
                if chunk.phase is None:
                    self.chunks.tend(known, chunk, policy)
            except LedgerUnavailable:
                raise
            except MedeaError as error:
                trouble = trouble or error
        return trouble

    def _read(self, facts: Facts) -> Known | None:
        """What is known; None if that has ended it, since nobody knows any more what was to run."""
        assert facts.row is not None
        try:
            known, why = self.reader.read(facts), "Lost: only the ledger knew what was to run. Submit it again."
        except Refused as error:
            known, why = None, error.message
        if known is None:
            log.error("can't be split", placement=facts.row.placement, reason=why)
            splits.finish(self.pool, facts.row.placement, phase="Error", message=why, outcome={})
        return known

    def _again(self, facts: Facts) -> Known:
        known = self.reader.read(facts)
        assert known is not None
        return known

    def _cut(self, facts: Facts, policy: Policy) -> tuple[Known, MedeaError | None]:
        """Cut and submit chunks until enough wait for room, or one can't be submitted.

        What is not cut yet may go to targets that join.
        """
        known = self._again(facts)
        for _ in range(AT_ONCE):
            if known.suspended or known.waiting >= AHEAD:
                return known, None
            sizes = self._sizes(known)
            if not sizes or not splits.cut(
                self.pool, known.row.placement, sizes, at=known.split.cut, origin=known.name
            ):
                return known, None
            numbers = {one.number for one in known.chunks}
            known = self._again(facts)
            trouble = self._tend(known, [one for one in known.chunks if one.number not in numbers], policy)
            known = self._again(facts)
            if trouble:
                return known, trouble
        self.again(known.row.placement)
        return known, None

    def _sizes(self, known: Known) -> list[int]:
        split = known.split
        rooms: Mapping[str, int | None] = {}
        if split.asked.chunks is None and split.cut < split.items:
            rooms = _rooms(self.overview(known.row.namespace), known.row)
        return next_sizes(split.asked, items=split.items, cut=split.cut, rooms=rooms)

    def _move(self, known: Known) -> None:
        live = [one for one in known.chunks if not one.moving and one.cluster]
        away = {str(one.cluster) for one in live if (gone := self.away(one.cluster)) is not None and gone.long}
        wanted = set(to_move([pace for one in live if (pace := _pace(one)) is not None], away))
        for chunk in live:
            if chunk.number in wanted:
                self.chunks.take_away(known, chunk)
                words = f"{chunk.name} is taken from {chunk.cluster}: lost, or far slower than the others"
                self.recorder.record(known.origin, "ChunkMoves", words, warning=True)
        if wanted:
            self.again(known.row.placement)

    def _policy(self, known: Known) -> Policy:
        try:
            return policy_of(labels(self.namespace(known.row.namespace) or {}).get(CHUNKS))
        except Refused as error:
            log.warning("chunks stay where they are", namespace=known.row.namespace, reason=error.message)
            return Policy.STAY

    def _finish(self, known: Known) -> None:
        phase, message = whole_phase(known.chunks), whole_message(known.chunks, known.split.items)
        left = None
        if phase == "Succeeded":
            found = splits.results(self.pool, known.row.placement)
            left = [found[position] for position in sorted(found)]
            if len(left) < known.split.items:
                message += f"; what {known.split.items - len(left)} items left is not known, so nothing is gathered"
                left, phase = None, "Error" if known.fanout.outputs else phase
        end = End(phase, message, self.now(), left)
        outcome = outcome_of(known, end)
        if splits.finish(self.pool, known.row.placement, phase=phase, message=message, outcome=outcome):
            self.chunks.forget(known.row.placement)
            log.info("all chunks have ended", placement=known.row.placement, phase=phase, chunks=len(known.chunks))

    def _show(self, known: Known) -> None:
        patch = running_patch(known)
        if not patch:
            return
        try:
            patch_origin(self.front, known.origin, patch)
        except (Clash, NotThere):
            raise
        except Rejected as error:
            # The chunks themselves can be seen.
            log.warning("chunks are not shown", placement=known.row.placement, reason=error.message)


def _rooms(verdicts: tuple[Verdict, ...], row: Placement) -> Mapping[str, int | None]:
    """How many items fit into each target now, of those that it may go to and that can be used."""
    allowed = None if row.only_clusters is None else set(row.only_clusters)
    usable = [one for one in verdicts if one.free is not None and (allowed is None or one.cluster in allowed)]
    return {
        one.cluster: 0 if one.removed_by else room_of(one.free, row.totals) for one in usable if one.free is not None
    }


def _pace(chunk: Chunk) -> Pace | None:
    if chunk.seconds is None or chunk.cluster is None or not chunk.size or chunk.phase not in (None, "Succeeded"):
        return None
    return Pace(chunk.number, chunk.cluster, chunk.size, chunk.seconds, chunk.phase is not None, chunk.moves)
