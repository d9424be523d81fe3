"""One pass over the queue of a namespace, first come, first served. It only decides: others read and write.

Who is passed over claims every target where only room is missing: nobody behind may have that room. So within a pass
room only shrinks and claims only grow. Who waits for claimed targets alone needs no decision, and the pass ends as soon
as every target that can be used is claimed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from webhook.ledger.placement import Placement
from webhook.ledger.queueing import Choices
from webhook.model.limits import REASON_LENGTH, REASONS_KEPT
from webhook.scout.decide import waits
from webhook.scout.model import WAITED_FOR, Decision, Request
from webhook.totals.model import NOTHING, Totals

log = structlog.get_logger(__name__)

Decide = Callable[[Request, Mapping[str, Totals], Collection[str]], Decision]
"""From a request, the sum of the live reservations by target, and the claimed targets."""

Told = tuple[object, str]
"""Of a reason: the kind of obstacle on each target, and the words it was told in."""


class QueuePass:
    """What a pass has promised and kept so far. `told` is what an earlier pass has told those who wait, by placement.

    `open_targets` are those where something could be placed if there were room, with their quotas.
    """

    def __init__(self, decide: Decide, *, open_targets: Mapping[str, Totals], told: Mapping[str, Told]) -> None:
        self._decide, self._told_before = decide, told
        self._claimed: set[str] = set()
        self.unclaimed = dict(open_targets)
        """Targets that nobody passed over waits for, with their quotas."""
        self.told: dict[str, Told] = {}
        """The reasons of those who wait."""

    @property
    def over(self) -> bool:
        """Whether nobody further behind can be placed."""
        return not self.unclaimed

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
            if decision is not None and decision.cluster is not None:
                placed[row.placement] = decision
                promised[decision.cluster] = promised.get(decision.cluster, NOTHING) + row.totals
            elif decision is not None and len(self.told) < REASONS_KEPT:
                self._tell(row, decision, reasons)
        return Choices(placed, reasons)

    def _look_at(self, row: Placement, promised: Mapping[str, Totals]) -> Decision | None:
        """The decision; None where none is needed: nothing can be placed, claimed or told."""
        request = request_of_row(row)
        waits_for_more = any(
            request.may_use(target) and request.totals.fits(hard) for target, hard in self.unclaimed.items()
        )
        if not waits_for_more and len(self.told) >= REASONS_KEPT:
            return None
        decision = waits(self._decide(request, promised, self._claimed))
        if decision.cluster is not None and decision.policy != request.policy:
            log.warning("policy not known", placement=row.placement, policy=request.policy, instead=decision.policy)
        if decision.cluster is None:
            self._claimed |= {verdict.cluster for verdict in decision.verdicts if verdict.obstacle in WAITED_FOR}
            self.unclaimed = {name: hard for name, hard in self.unclaimed.items() if name not in self._claimed}
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
