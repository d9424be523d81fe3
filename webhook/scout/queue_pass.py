"""One pass over the queue of a namespace, first come, first served. It only decides; callers read and write.

A Workflow that can't be placed claims every target where only room is missing: nobody behind it may have that room. So
within a pass, room only shrinks and claims only grow. A Workflow that waits only for claimed targets needs no decision,
and the pass ends as soon as every usable target is claimed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import structlog

from webhook.ledger.placement import Placement
from webhook.ledger.queueing import Choices
from webhook.model.limits.scout import REASON_LENGTH, REASONS_KEPT
from webhook.scout.decide import waits
from webhook.scout.lacking import lacking
from webhook.scout.model import NOTHING_PROMISED, WAITED_FOR, Decision, Promised, Quotas, Request
from webhook.scout.sharing import Use, Uses, decide_together, ties_of

log = structlog.get_logger(__name__)

Decide = Callable[[Request, Mapping[str, Promised], Collection[str]], Decision]
"""Takes a request, what the live reservations hold by target, and the claimed targets."""

Told = tuple[object, str]
"""A reason that was written: the kind of obstacle on each target, and the text."""


Barred = Callable[[Placement], Mapping[str, str]]
"""Takes a placement; returns the targets that permit its submitter nothing for now, with their words."""


def _not_barred(_: Placement) -> Mapping[str, str]:
    return {}


class QueuePass:
    """The state of a pass. `told` has the reasons that the previous pass wrote, by placement.

    `open_targets` are those where something could be placed if there were room, with their quotas.
    """

    def __init__(
        self,
        decide: Decide,
        *,
        open_targets: Mapping[str, Quotas],
        told: Mapping[str, Told],
        barred: Barred = _not_barred,
    ) -> None:
        self._decide, self._told_before, self._barred = decide, told, barred
        self._claimed: set[str] = set()
        self._open = frozenset(open_targets)
        self.unclaimed = dict(open_targets)
        """Targets that nobody has claimed yet, with their quotas."""
        self.told: dict[str, Told] = {}
        """The reasons of this pass, by placement."""

    @property
    def over(self) -> bool:
        """Whether nobody further back in the queue can be placed."""
        return not self.unclaimed

    def choose(self, reserved: Mapping[str, Promised], batch: Sequence[Placement], uses: Uses) -> Choices:
        """Decide about a batch.

        `reserved` is what the live reservations on each target hold before the batch, `uses` where the names are in use
        that its Workflows share.
        """
        promised, placed, reasons = dict(reserved), dict[str, Decision](), dict[str, str]()
        lacked_by = dict[str, tuple[str, ...]]()
        in_use = dict(uses)
        for row in batch:
            # The head of the queue always gets a reason, even while no target can be used at all.
            if self.over and self.told:
                break
            try:
                decision = self._look_at(row, promised, in_use)
            except Exception:
                # One bad row must not keep the others waiting.
                log.exception("bug", placement=row.placement)
                continue
            if decision is not None and decision.cluster is not None:
                placed[row.placement] = decision
                before = promised.get(decision.cluster, NOTHING_PROMISED)
                takes = request_of_row(row).takes
                promised[decision.cluster] = before.plus(decision.reserved or row.totals, takes)
                in_use |= dict.fromkeys(row.shared, Use(decision.cluster, row.namespace, row.name))
            elif decision is not None:
                if lacking(decision) != row.lacked_by:
                    lacked_by[row.placement] = lacking(decision)
                if len(self.told) < REASONS_KEPT:
                    self._tell(row, decision, reasons)
        return Choices(placed, reasons, lacked_by)

    def _look_at(self, row: Placement, promised: Mapping[str, Promised], uses: Uses) -> Decision | None:
        """The decision; None if none is needed, because it could neither place, claim nor give a reason."""
        request = request_of_row(row, self._barred(row))
        if not self._waits_for_more(request, uses) and len(self.told) >= REASONS_KEPT:
            return None
        decision = waits(decide_together(request, uses, lambda tied: self._decide(tied, promised, self._claimed)))
        if decision.cluster is not None and decision.policy != request.policy:
            log.warning("policy not known", placement=row.placement, policy=request.policy, instead=decision.policy)
        if decision.cluster is None:
            self._claimed |= {verdict.cluster for verdict in decision.verdicts if verdict.obstacle in WAITED_FOR}
            self.unclaimed = {name: one for name, one in self.unclaimed.items() if name not in self._claimed}
        return decision

    def _waits_for_more(self, request: Request, uses: Uses) -> bool:
        """Whether it waits for a target that nobody has claimed yet."""
        ties = ties_of(request.shared, uses, request.namespace)
        held = replace(request, ties=tuple(tie for tie in ties if not tie.lasting or tie.cluster in self._open))
        return any(
            held.may_use(target) and not held.tied_elsewhere(target) and quotas.allow(held)
            for target, quotas in self.unclaimed.items()
        )

    def _tell(self, row: Placement, decision: Decision, reasons: dict[str, str]) -> None:
        """Write a new reason only if the kinds of obstacles have changed: the numbers change with every pass."""
        kind = tuple((verdict.cluster, verdict.obstacle) for verdict in decision.verdicts)
        before = self._told_before.get(row.placement)
        if before is not None and before == (kind, row.reason):
            self.told[row.placement] = before
            return
        words = decision.reason[:REASON_LENGTH]
        self.told[row.placement] = (kind, words)
        if words != row.reason:
            reasons[row.placement] = words


def request_of_row(row: Placement, barred: Mapping[str, str] | None = None) -> Request:
    """The request for a Workflow that waits in the queue."""
    only = None if row.only_clusters is None else frozenset(row.only_clusters)
    return Request(
        row.namespace,
        row.totals,
        row.placement,
        row.policy,
        only,
        row.refused_by,
        barred=barred or {},
        largest_pod=row.largest_pod,
        demands=row.demands,
        refers=row.refers,
        shared=row.shared,
    )
