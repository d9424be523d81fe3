"""The review of one submission: gather, decide, answer."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Histogram

from webhook.admission.changes import Changes
from webhook.admission.memoized import memoized_nodes, own_memoized_nodes, with_status
from webhook.admission.stub import arguments_again, hold_patch, stub_placement, stub_spec
from webhook.admission.submission import Submission, read_submission
from webhook.admission.templates import gather, weigh
from webhook.admission.wire import Review, allow, deny
from webhook.errors import ClusterUnavailable, MedeaError, Refused, Rejected, quoted, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.ledger import placements
from webhook.ledger.placement import NewPlacement
from webhook.ledger.pool import Pool
from webhook.model.contract import CLUSTER, CLUSTERS, DECISION, IDENTITY, PLACEMENT, REASON, STATE, TOTALS, Hold, State
from webhook.model.nodes import nodes_of
from webhook.model.objects import Object
from webhook.model.run import Original, run_object
from webhook.namespaces.hold import Holds
from webhook.namespaces.prepare import Prepared
from webhook.scout.model import Decision, Outcome
from webhook.scout.placer import Placer, known_policy, request_of
from webhook.totals.model import Totals
from webhook.totals.requirements import Requirements
from webhook.totals.shape import Name
from webhook.totals.spark import SparkJob

log = structlog.get_logger(__name__)
_REVIEWS = Counter("medea_reviews_total", "Reviews answered", ["outcome"])
_SECONDS = Histogram(
    "medea_review_seconds",
    "Time to answer a review",
    buckets=(0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
)


# A target gets this long for its dry run. No more targets are asked once the budget is spent, or the review has taken
# so long that another one could be too much: the apiserver waits ten seconds for the whole of it.
_PREFLIGHT_TIMEOUT = 2.0
_PREFLIGHT_BUDGET = 4.0
_LATEST_PREFLIGHT = 7.0
_LONGEST_DECISION = 1000


@dataclass
class Admission:
    """Answers reviews. `own_user` tells the name under which Medea itself talks to the front door."""

    front: Cluster
    registry: Registry
    pool: Pool
    placer: Placer
    own_user: Callable[[], str]
    prepared: Prepared
    holds: Holds

    def __post_init__(self) -> None:
        self._changes = Changes(self.registry, self.pool, self.own_user)

    def review(self, review: Review) -> Object:
        """The AdmissionReview to answer with. Refusals are answers; nothing is raised for them."""
        with _SECONDS.time():
            try:
                return self._answer(review)
            except MedeaError as error:
                _REVIEWS.labels("denied").inc()
                log.info("denied", namespace=review.namespace, user=review.user, reason=error.message)
                return deny(review.uid, error)

    def _answer(self, review: Review) -> Object:
        latest = time.monotonic() + _LATEST_PREFLIGHT
        if review.operation == "UPDATE" and review.kind == "Workflow":
            return self._changes.answer(review)
        if review.operation != "CREATE" or review.kind != "Workflow":
            return self._untouched(review)
        submission = read_submission(review.object)
        if submission.skipped or (submission.is_run and review.user == self.own_user()):
            return self._untouched(review)
        work = self._gather(review, submission)
        if isinstance(work, _Stays):
            return self._untouched(review, work.warning)
        if not review.dry_run and work.new.hold is Hold.PLUGIN:
            self.prepared.see_to(work.new.namespace)
        decision = self.placer.peek(request_of(work.new)) if review.dry_run else self._settle(work, latest)
        if decision.outcome is Outcome.REFUSED:
            hint = _spark_hint(work.need.spark, decision) if work.need.spark else ""
            raise Refused(decision.reason + hint)
        _REVIEWS.labels(decision.outcome).inc()
        marks = _marks(work.new, decision, self._caller(review, submission))
        patch = hold_patch(review.object, spec=work.held_spec, annotations=marks)
        return allow(review, patch=patch, warnings=_warnings(work.new, decision, review.dry_run))

    def _untouched(self, review: Review, *warnings: str) -> Object:
        _REVIEWS.labels("untouched").inc()
        return allow(review, warnings=warnings)

    def _gather(self, review: Review, submission: Submission) -> "_Work | _Stays":
        """Everything known of the Workflow, or why it stays at the front door."""
        workflow = self._restored(review.namespace, submission)
        spec = workflow["spec"]
        reference = read_submission(workflow).template_reference
        only = self._registered(submission.only_clusters)
        found = gather(self.front, review.namespace, spec)
        need = weigh(self.front, review.namespace, spec, found, self.placer.defaults(review.namespace, only))
        step = found.front_door_step
        hold = self.holds.choose(review.namespace, workflow)
        if step is not None and hold is Hold.NONE:
            raise Refused(f"template {quoted(step)} is a step of Medea's own, which needs a namespace with hold plugin")
        if step is not None:
            return _Stays(step)
        template_spec = found.library.get(Name(*reference), {}) if reference else {}
        placement = uuid.uuid4().hex
        original: Original = {"workflow": workflow, "templates": found.originals}
        new = NewPlacement(
            placement=placement,
            namespace=checked_name("request.namespace", review.namespace),
            name=submission.name,
            generate_name=submission.generate_name,
            template=reference[0] if reference else None,
            totals=need.totals,
            policy=known_policy(submission.policy),
            only_clusters=only,
            identity=self._caller(review, submission) or review.user,
            original=original,
            notes=tuple(found.notes) if need.spark else need.notes,
            hold=hold,
        )
        # A copied stub becomes what it stands for where no stubs are.
        own_spec = None if spec is submission.spec else spec
        held_spec = stub_spec(spec, template_spec, placement) if hold is Hold.PLUGIN else own_spec
        return _Work(new, need, workflow, held_spec)

    def _restored(self, namespace: str, submission: Submission) -> Object:
        """The Workflow to place: of a copied stub, the original that it stands for."""
        copied = stub_placement(submission.spec)
        if copied is None:
            return with_status(submission.workflow, own_memoized_nodes(submission.workflow))
        row = placements.get(self.pool, copied)
        original = placements.original(self.pool, copied)
        if row is None or original is None or row.namespace != namespace:
            raise Refused(
                f"it is a copy of placement {quoted(copied)}, which this front door does not know; submit the original"
            )
        own = original["workflow"]["spec"]
        arguments = arguments_again(own.get("arguments"), submission.spec.get("arguments"))
        spec = {**own, "arguments": arguments}
        done = memoized_nodes(nodes_of(submission.workflow), name=submission.name or "", cluster=row.cluster or "")
        return with_status({**submission.workflow, "spec": spec}, done)

    def _caller(self, review: Review, submission: Submission) -> str | None:
        """For whom Medea's own API submits; nobody else may speak for another."""
        return submission.identity if submission.identity and review.user == self.own_user() else None

    def _registered(self, clusters: tuple[str, ...] | None) -> tuple[str, ...] | None:
        there = self.registry.names()
        for cluster in clusters or ():
            if cluster not in there:
                expected = f"the targets are {', '.join(sorted(there)) or 'none at all'}"
                raise wrong_field(Refused, f"annotation {CLUSTERS}", cluster, expected)
        return clusters

    def _settle(self, work: "_Work", latest: float) -> Decision:
        """Reserve room, then ask the chosen target whether it would take the run; on a refusal, the next one.

        The room is reserved before the target is asked, so that the lock on the reservations is never held while a
        cluster is slow. A process that dies in between leaves a placement without an origin, which expires.
        """
        decision = self.placer.admit(work.new)
        until = min(time.monotonic() + _PREFLIGHT_BUDGET, latest)
        refused_by: dict[str, str] = {}
        away: dict[str, str] = {}
        while decision.cluster is not None:
            try:
                if time.monotonic() > until:
                    raise ClusterUnavailable("there was no time left to ask it")
                self._preflight(decision.cluster, work)
                return decision
            except Rejected as error:
                refused_by[decision.cluster] = error.message
            except MedeaError as error:
                away[decision.cluster] = error.message
            decision = self.placer.again(work.new, refused_by=refused_by, away=away)
        return decision

    def _preflight(self, cluster: str, work: "_Work") -> None:
        run = run_object(
            work.workflow, placement=work.new.placement, name="", origin_name="preflight", origin_uid="preflight"
        )
        # A made-up name: whether the real one is free is only known, and only matters, when the run is created.
        run["metadata"] |= {"generateName": "medea-preflight-"}
        del run["metadata"]["name"]
        target = self.registry.get(cluster)
        target.create(WORKFLOWS, work.new.namespace, run, dry_run=True, read_timeout=_PREFLIGHT_TIMEOUT)


@dataclass(frozen=True)
class _Stays:
    step: str

    @property
    def warning(self) -> str:
        why = f"template {quoted(self.step)} is a step of Medea's own, and its plugin exists only there"
        return f"medea: left at the front door: {why}"


@dataclass(frozen=True)
class _Work:
    new: NewPlacement
    need: Requirements
    workflow: Object
    held_spec: Object | None = field(repr=False)


def _marks(new: NewPlacement, decision: Decision, caller: str | None) -> dict[str, str]:
    marks = {
        PLACEMENT: new.placement,
        TOTALS: str(new.totals),
        DECISION: "; ".join((decision.reason, *new.notes))[:_LONGEST_DECISION],
    }
    if caller:
        marks[IDENTITY] = caller
    if decision.cluster is None:
        return {**marks, STATE: State.QUEUED, REASON: decision.reason}
    return {**marks, STATE: "placed", CLUSTER: decision.cluster}


def _warnings(new: NewPlacement, decision: Decision, dry_run: bool) -> list[str]:
    """The lines that `argo submit` and kubectl print: the decision, and what the totals leave out."""
    would = "would be " if dry_run else ""
    verb = "queued" if decision.cluster is None else "placed on"
    lines = [f"medea: {would}{verb} {decision.reason} (needs {new.totals})"]
    if new.notes:
        lines.append(f"medea: what it needs is not fully known: {'; '.join(new.notes)}")
    return lines


def _spark_hint(job: SparkJob, decision: Decision) -> str:
    """How many executors would have fitted into the largest quota that was looked at."""
    rooms: list[Totals] = [verdict.hard for verdict in decision.verdicts if verdict.hard is not None]
    most = max((job.most_executors(room) or 0 for room in rooms), default=0)
    if not most or most >= job.executor_num:
        return ""
    return f"; executor_num={most} would fit"
