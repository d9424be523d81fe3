"""One pass over the queue of a namespace, first come, first served. It only decides: others read and write.

Who is passed over claims every target where only room is missing: nobody behind may have that room. So within a pass
room only shrinks and claims only grow. What needs the same as somebody passed over is passed over without being
decided again, and the pass ends as soon as every target that can be used is claimed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from webhook.ledger.placement import Placement
from webhook.ledger.queueing import Choices
from webhook.model.limits import REASON_LENGTH, REASONS_KEPT
from webhook.scout.decide import waits
from webhook.scout.model import WAITED_FOR, Decision, Outcome, Request
from webhook.totals.model import NOTHING, Totals

log = structlog.get_logger(__name__)

Decide = Callable[[Request, Mapping[str, Totals], Collection[str]], Decision]
"""From a request, the sum of the live reservations by target, and the claimed targets."""

Told = tuple[object, str]
"""Of a reason: the kind of obstacle on each target, and the words it was told in."""


class QueuePass:
    """What a pass has promised and kept so far. `told` is what an earlier pass has told those who wait, by placement.

    `open_targets` are those where something could be placed if there were room.
    """

    def __init__(self, decide: Decide, *, open_targets: Collection[str], told: Mapping[str, Told]) -> None:
        self._decide, self._told_before = decide, told
        self._unclaimed = set(open_targets)
        self._claimed: set[str] = set()
        self._blocked: dict[object, Decision] = {}
        self.told: dict[str, Told] = {}

    @property
    def over(self) -> bool:
        """Whether nobody further behind can be placed."""
        return not self._unclaimed

    def choose(self, reserved: Mapping[str, Totals], batch: Sequence[Placement]) -> Choices:
        """Decide about a batch; `reserved` is the sum of the live reservations on each target before it."""
        promised, placed, reasons = dict(reserved), dict[str, Decision](), dict[str, str]()
        for row in batch:
            # The first of the queue is always told what it waits for, even while no target can be used at all.
            if self.over and self.told:
                break
            try:
                decision = self._look_at(row, promised)
            except Exception:
                # One row that Medea can't make sense of must not keep the others waiting.
                log.exception("bug", placement=row.placement)
                continue
            if decision.cluster is not None:
                placed[row.placement] = decision
                promised[decision.cluster] = promised.get(decision.cluster, NOTHING) + row.totals
            elif len(self.told) < REASONS_KEPT:
                self._tell(row, decision, reasons)
        return Choices(placed, reasons)

    def _look_at(self, row: Placement, promised: Mapping[str, Totals]) -> Decision:
        request = request_of_row(row)
        need = (request.totals, request.only, frozenset(request.refused_by.items()), request.policy)
        if need in self._blocked:
            return self._blocked[need]
        decision = waits(self._decide(request, promised, self._claimed))
        if decision.policy != request.policy:
            log.warning("policy not known", placement=row.placement, policy=request.policy, instead=decision.policy)
        if decision.outcome is Outcome.QUEUED:
            self._blocked[need] = decision
            waited_for = {verdict.cluster for verdict in decision.verdicts if verdict.obstacle in WAITED_FOR}
            self._claimed |= waited_for
            self._unclaimed -= waited_for
        return decision

    def _tell(self, row: Placement, decision: Decision, reasons: dict[str, str]) -> None:
        """Give a reason anew only when it is of another kind: its numbers change with every pass."""
        kind = tuple((verdict.cluster, verdict.obstacle) for verdict in decision.verdicts)
        before = self._told_before.get(row.placement)
        if before is not None and before == (kind, row.reason):
            self.told[row.placement] = before
            return
        words = decision.reason[:REASON_LENGTH]
        self.told[row.placement] = (kind, words)
        if words != row.reason:
            reasons[row.placement] = words


def request_of_row(row: Placement) -> Request:
    """The question for a Workflow that waits in the queue."""
    only = None if row.only_clusters is None else frozenset(row.only_clusters)
    return Request(row.namespace, row.totals, row.placement, row.policy, only, row.refused_by)
