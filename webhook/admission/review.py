"""The review of a submission, a straight sequence: read, restore, gather, refer, weigh, reserve, preflight, answer."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Histogram

from webhook.admission.answer import accepted, left_alone
from webhook.admission.candidate import Candidate, candidate
from webhook.admission.changes import Changes
from webhook.admission.gather import Gathered, gather, gather_more
from webhook.admission.name import check_free
from webhook.admission.nodes import wants_nodes, with_nodes
from webhook.admission.preflight import preflight
from webhook.admission.refer import NOTHING_REFERRED, Referred, Referring
from webhook.admission.reserve import released_unless_answered, reserve
from webhook.admission.restore import restore
from webhook.admission.split import split_of
from webhook.admission.stub import AgentPods
from webhook.admission.submission import Submission, read_submission
from webhook.admission.weigh import ConfigsOf, Scales, Weighed, what_targets_add
from webhook.admission.wire import Review, allow, deny
from webhook.errors import Busy, LedgerBusy, LedgerUnavailable, MedeaError, Refused, Unavailable, quoted, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import CLUSTERS, Hold, State
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import LEDGER_BACK_NEEDS, LEDGER_TRIES
from webhook.model.objects import Object
from webhook.model.submitter import Submitter, account_of
from webhook.namespaces.hold import Holds, OptedIn
from webhook.namespaces.prepared import Prepared
from webhook.references.presence import Presence
from webhook.references.sources import Values
from webhook.scout.placer import Placer

log = structlog.get_logger(__name__)
_REVIEWS = Counter(
    "medea_reviews_total", "Reviews answered; denied: for what the Workflow is, failed: for what is away", ["outcome"]
)
# Shown as 0 from the beginning, so that the first one counts as an increase.
_REVIEWS.labels("failed")
_SECONDS = Histogram(
    "medea_review_seconds",
    "Time to answer a review",
    buckets=(0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
)


@dataclass
class Admission:
    """Answers reviews. `is_own` tells whether a user name at the front door is one of Medea's own."""

    front: Cluster
    registry: Registry
    pool: Pool
    placer: Placer
    is_own: Callable[[str], bool]
    prepared: Prepared
    holds: Holds
    agents: AgentPods
    presence: Presence
    argo_configs: ConfigsOf

    def __post_init__(self) -> None:
        self._referring = Referring(self.front, self.registry, self.presence)
        self._changes = Changes(self.registry, self.pool, self.is_own)
        self._scales = Scales()

    def review(self, review: Review, deadline: Deadline) -> Object:
        """The AdmissionReview to answer with. Errors become answers that deny the request."""
        with _SECONDS.time():
            try:
                return self._answer_with_ledger(review, deadline)
            except MedeaError as error:
                _REVIEWS.labels("denied" if error.status < 500 else "failed").inc()
                log.info("denied", namespace=review.namespace, user=review.user, reason=error.message)
                return deny(review.uid, error, again=self._passes(error))

    def _passes(self, error: MedeaError) -> bool:
        """Whether the same request may be accepted soon."""
        gone = isinstance(error, LedgerUnavailable) and self.pool.given_up
        return isinstance(error, Unavailable) and not gone

    def _answer_with_ledger(self, review: Review, deadline: Deadline) -> Object:
        """The answer. A Postgres that comes back in time, as from a restart, costs its user seconds and no error.

        The review is begun anew then. A placement of the first try that was committed after all has no origin, and
        expires.
        """
        for _ in range(LEDGER_TRIES - 1):
            try:
                return self._answer(review, deadline)
            except LedgerBusy:
                raise
            except LedgerUnavailable:
                if not self.pool.back_within(deadline.left - LEDGER_BACK_NEEDS):
                    raise
        return self._answer(review, deadline)

    def _answer(self, review: Review, deadline: Deadline) -> Object:
        if review.operation == "UPDATE" and review.kind == "Workflow":
            return self._changes.answer(review, deadline)
        if review.operation != "CREATE" or review.kind != "Workflow":
            return _untouched(allow(review))
        submission = read_submission(review.object)
        if submission.skipped or (submission.is_run and self.is_own(review.user)):
            return _untouched(allow(review))
        space = self.holds.opted_in(review.namespace, deadline)
        if space is None:
            # An apiserver asks only where the label is: either it is news, or this is no apiserver. If it were allowed,
            # it might run at the front door, where nobody meant it to.
            raise Busy(f"namespace {review.namespace} is not known to have opted in; if it has, try again in a second")
        return self._submitted(review, submission, space, deadline)

    def _submitted(self, review: Review, submission: Submission, space: OptedIn, deadline: Deadline) -> Object:
        check_free(self.front, space.name, submission, deadline)
        workflow = restore(self.pool, space.name, submission, deadline)
        whole = self._whole(review, submission)
        if whole is None:
            self._check_registered(submission.only_clusters)
        hold = self.holds.choose(space, workflow, deadline)
        split, spec = split_of(submission, workflow["spec"])
        caller, who = self._who(review, submission, whole)
        found = gather(self.front, space.name, spec, deadline)
        referred = self._referred(spec, found, space, submission, who, deadline)
        weighed = self._weighed(spec, found, space.name, submission.only_clusters, deadline, referred.values)
        step = weighed.found.front_door_step
        if step is not None:
            _check_steps_run(step, hold, split=split is not None)
            return _untouched(left_alone(review, step))
        if weighed.found is not found:
            # Templates whose names come from parameters refer to things too.
            referred = self._referred(spec, weighed.found, space, submission, who, deadline)
        wanted = candidate(
            review,
            submission,
            workflow,
            weighed,
            referred,
            hold=hold,
            caller=caller,
            submitter=who,
            agents=self.agents,
            node_placement=wants_nodes(space.object),
            split=split,
            part=whole is not None,
        )
        if not review.dry_run and hold is Hold.PLUGIN:
            self.prepared.wait_for(space, deadline)
        return self._decided(review, wanted, deadline)

    def _referred(
        self,
        spec: Object,
        found: Gathered,
        space: OptedIn,
        submission: Submission,
        who: Submitter,
        deadline: Deadline,
    ) -> Referred:
        if found.front_door_step is not None:
            # It stays at the front door, where it finds what it needs.
            return NOTHING_REFERRED
        return self._referring.look(
            spec, found, space, makes=submission.makes, only=submission.only_clusters, who=who, latest=deadline
        )

    def _weighed(
        self,
        spec: Object,
        found: Gathered,
        namespace: str,
        only: tuple[str, ...] | None,
        deadline: Deadline,
        values: Values,
    ) -> Weighed:
        more = functools.partial(gather_more, self.front, namespace)
        added = what_targets_add(self.placer.defaults(namespace, only), self.argo_configs)
        return self._scales.weigh(spec, found, more, added, deadline, values)

    def _decided(self, review: Review, wanted: Candidate, deadline: Deadline) -> Object:
        decision = reserve(self.placer, wanted, deadline, dry_run=review.dry_run)
        with released_unless_answered(self.pool, wanted):
            if not review.dry_run:
                decision = preflight(self.placer, self.registry, wanted, decision, deadline)
            answer = accepted(review, wanted, with_nodes(self.registry, wanted, decision))
        _REVIEWS.labels(decision.outcome).inc()
        return answer

    def _caller(self, review: Review, submission: Submission) -> str | None:
        """On whose behalf Medea's own API submits; None for everybody else, who may not name a caller."""
        return submission.identity if submission.identity and self.is_own(review.user) else None

    def _whole(self, review: Review, submission: Submission) -> Placement | None:
        """What it is a chunk of; None if it is none."""
        if not submission.part_of or not self.is_own(review.user):
            return None
        whole = placements.get(self.pool, submission.part_of)
        if whole is None or whole.namespace != review.namespace or whole.state is not State.SPLIT:
            raise Refused(f"there is nothing split that {quoted(submission.name)} could be a chunk of")
        return whole

    def _who(self, review: Review, submission: Submission, whole: Placement | None) -> tuple[str | None, Submitter]:
        """On whose behalf it is submitted, and whose rights count on a target: for a chunk those of the whole."""
        if whole is not None:
            return whole.identity, whole.submitter or submitter(review, whole.identity)
        caller = self._caller(review, submission)
        return caller, submitter(review, caller)

    def _check_registered(self, clusters: tuple[str, ...] | None) -> None:
        if not clusters:
            return
        if not self.registry.wait(0):
            raise Unavailable("the targets are not known yet; try again")
        there = self.registry.names()
        for cluster in clusters:
            if cluster not in there:
                expected = f"the targets are {', '.join(sorted(there)) or 'none at all'}"
                raise wrong_field(Refused, f"annotation {CLUSTERS}", cluster, expected)


def submitter(review: Review, caller: str | None) -> Submitter:
    """Whose rights count on a target: those of who submits, or of the account for which a step of Medea's does.

    An open API believes any `caller`, so one who is not an account of that very namespace is none.
    """
    account = account_of(caller or "")
    if caller and account and account[0] == review.namespace:
        return Submitter(caller)
    return Submitter(review.user, review.groups)


def _untouched(answer: Object) -> Object:
    _REVIEWS.labels("untouched").inc()
    return answer


def _check_steps_run(step: str, hold: Hold, *, split: bool) -> None:
    if split:
        raise Refused(
            f"template {quoted(step)} is a step of Medea's own, and runs at the front door: it can't be split"
        )
    if hold is Hold.NONE:
        raise Refused(f"template {quoted(step)} is a step of Medea's own, which needs a namespace with hold plugin")
