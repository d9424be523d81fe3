"""The answer to a submission: the patch that makes it a held origin, and the lines its user reads. Pure."""

from webhook.admission.candidate import Candidate
from webhook.admission.stub import hold_patch
from webhook.admission.wire import Review, allow
from webhook.errors import Refused, quoted
from webhook.model.contract import CLUSTER, DECISION, IDENTITY, LARGEST_POD, PLACEMENT, REASON, STATE, TOTALS, State
from webhook.model.limits.admission import LONGEST_DECISION
from webhook.model.objects import Object
from webhook.scout.model import Decision, Outcome
from webhook.totals.model import Totals
from webhook.totals.spark import SparkJob


def accepted(review: Review, candidate: Candidate, decision: Decision) -> Object:
    """The answer for a Workflow that is placed or queued. Raises Refused if no target can ever take it."""
    if decision.outcome is Outcome.REFUSED:
        hint = _spark_hint(candidate.spark, decision) if candidate.spark else ""
        raise Refused("; ".join([decision.reason + hint, *candidate.hints]))
    marks = _marks(candidate, decision)
    patch = hold_patch(review.object, spec=candidate.held_spec, annotations=marks)
    return allow(review, patch=patch, warnings=_warnings(candidate, decision, review.dry_run))


def left_alone(review: Review, step: str) -> Object:
    """The answer for a Workflow with a step of Medea's own: it stays at the front door."""
    why = f"template {quoted(step)} is a step of Medea's own, and its plugin exists only there"
    return allow(review, warnings=[f"medea: left at the front door: {why}"])


def _marks(candidate: Candidate, decision: Decision) -> dict[str, str]:
    new = candidate.new
    marks = {
        PLACEMENT: new.placement,
        TOTALS: str(new.totals),
        DECISION: "; ".join((decision.reason, *new.notes, *new.shared.notes))[:LONGEST_DECISION],
    }
    if new.largest_pod is not None:
        marks[LARGEST_POD] = str(new.largest_pod)
    if candidate.caller:
        marks[IDENTITY] = candidate.caller
    if decision.outcome is Outcome.SPLIT:
        return {**marks, STATE: State.SPLIT}
    if decision.cluster is None:
        return {**marks, STATE: State.QUEUED, REASON: decision.shown[:LONGEST_DECISION]}
    return {**marks, STATE: "placed", CLUSTER: decision.cluster}


def _warnings(candidate: Candidate, decision: Decision, dry_run: bool) -> list[str]:
    """The lines that `argo submit` and kubectl print: the decision, and what the totals leave out."""
    new = candidate.new
    would = "would be " if dry_run else ""
    verb = {Outcome.PLACED: "placed on", Outcome.SPLIT: "split:"}.get(decision.outcome, "queued")
    who = "an item needs" if decision.outcome is Outcome.SPLIT else "needs"
    why = "; ".join(filter(None, (decision.place, decision.reason)))
    lines = [f"medea: {would}{verb} {why} ({who} {new.totals})"]
    if narrow := _narrow(decision):
        lines.append(f"medea: it runs a few pods at a time: {'; '.join(narrow)}")
    if new.notes:
        lines.append(f"medea: what it needs is not fully known: {'; '.join(new.notes)}")
    if new.shared.notes:
        lines.append(f"medea: what it shares by name: {'; '.join(new.shared.notes)}")
    return [*lines, *(f"medea: {hint}" for hint in candidate.hints)]


def _narrow(decision: Decision) -> list[str]:
    """Of what the target's quotas allow less than the Workflow needs at its peak."""
    held = [] if decision.reserved is None else [f"at its peak it would need more than {decision.reserved}"]
    chosen = (one for one in decision.verdicts if one.cluster == decision.cluster)
    return held + [limit.a_part for one in chosen for limit in one.limits if limit.narrow]


def _spark_hint(job: SparkJob, decision: Decision) -> str:
    """How many executors would fit into the largest quota, if that is fewer than asked for."""
    rooms: list[Totals] = [verdict.hard for verdict in decision.verdicts if verdict.hard is not None]
    most = max((job.most_executors(room) or 0 for room in rooms), default=0)
    if not most or most >= job.executor_num:
        return ""
    return f"; executor_num={most} would fit"
