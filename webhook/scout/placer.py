"""Placing: makes the scout's decision from samples and registry, and writes it to the ledger.

The webhook, the queue and the scout's HTTP API all decide through here, so there is one way to choose a target.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from webhook.errors import Refused, SamplesUnavailable, wrong_field
from webhook.kube.registry import Registry
from webhook.ledger import line, queueing, reserving
from webhook.ledger.placement import NewPlacement, Placement
from webhook.ledger.pool import Pool
from webhook.ledger.queueing import Served
from webhook.ledger.reserving import Held
from webhook.model.limits.controller import CLOSED_PAUSE, NO_ROOM_PAUSE
from webhook.model.limits.scout import QUEUE_LOOK_AGAIN, QUEUE_TELL_EVERY, UNBOUND_RESERVATIONS
from webhook.model.submitter import Submitter
from webhook.scout.decide import waits
from webhook.scout.eye import Eye
from webhook.scout.lacking import NOTHING_KNOWN, Presence
from webhook.scout.model import Decision, Obstacle, Outcome, Request, Verdict
from webhook.scout.policies import POLICIES
from webhook.scout.queue_pass import Barred, QueuePass, Told
from webhook.scout.sharing import decide_together
from webhook.scout.steady import steady_time
from webhook.scout.turns import Turns
from webhook.scout.view import Closed, View, Views
from webhook.totals.model import NOTHING, Defaults

Left = Callable[[Placement, Decision], None]
"""Called for each placement that has left the queue."""


def _nobody(_: Placement, __: Decision) -> None:
    """For callers that don't need to know."""


@dataclass(frozen=True)
class Pause:
    """Why a target is left out for a while, and for how many seconds."""

    reason: str
    seconds: float


FULL = Pause("its quota of objects was full a moment ago", NO_ROOM_PAUSE)
UNREAD = Pause("what is noted of its node pools could not be read a moment ago", NO_ROOM_PAUSE)
CLOSED = Pause("it did not allow Medea to run anything in this namespace a moment ago", CLOSED_PAUSE)


@dataclass(frozen=True)
class _Idle:
    """A pass in which nothing left the queue: the facts it was based on, and until when they are trusted."""

    facts: object
    until: float


class Placer:
    """Decides about requests. A sample that is too old, in any case after `max_age` seconds, excludes its target."""

    def __init__(
        self,
        *,
        pool: Pool,
        sampler: Eye,
        registry: Registry,
        max_age: float,
        closed: Closed = lambda _namespace, _target: None,
        presence: Presence = NOTHING_KNOWN,
        clock: Callable[[], float] = steady_time,
    ) -> None:
        self._pool, self._sampler, self._registry, self._clock = pool, sampler, registry, clock
        self._views = Views(
            pool=pool,
            sampler=sampler,
            registry=registry,
            closed=closed,
            max_age=max_age,
            clock=clock,
            presence=presence,
        )
        self._turns = Turns()
        self._idle: dict[str, _Idle] = {}
        self._told: dict[str, Mapping[str, Told]] = {}
        self._told_all: dict[str, float] = {}
        self._pauses: dict[tuple[str, str], tuple[float, Pause]] = {}
        self._barred: dict[tuple[str, str, Submitter | None], tuple[float, str]] = {}

    def admit(self, new: NewPlacement) -> Decision:
        """Decide about a new Workflow and write its placement, unless it is refused.

        Raises Unavailable while the targets are not known yet, and Busy if too many come at once.
        """
        request = request_of(new)
        with self._turns.of(new.namespace):
            view = self._views.of(new.namespace)
            return reserving.admit(
                self._pool,
                new,
                lambda held: settled(new, _bounded(_choose(request, view, held), held)),
                view.limited,
            )

    def peek(self, request: Request, *, patience: float = 0.0) -> Decision:
        """What would be decided now; writes nothing.

        A namespace that is asked about for the first time is read soon: `patience` is for how many seconds to wait for
        that. Raises SamplesUnavailable after it.
        """
        if not self._sampler.wait_for(request.namespace, patience):
            raise SamplesUnavailable(f"the quotas of namespace {request.namespace} are still being read; ask again")
        view = self._views.of(request.namespace)
        return reserving.peek(
            self._pool, request.namespace, lambda held: _choose(request, view, held), view.limited, request.shared
        )

    def again(self, new: NewPlacement, *, refused_by: Mapping[str, str], away: Mapping[str, str]) -> Decision:
        """Decide again about a Workflow just admitted, after some targets refused its dry run or did not answer."""
        request = request_of(new, refused_by)
        with self._turns.of(new.namespace):
            view = self._views.of(new.namespace, away)
            return reserving.preflight_refused(
                self._pool, new, refused_by, lambda held: _choose(request, view, held), view.limited
            )

    def overview(self, namespace: str) -> tuple[Verdict, ...]:
        """Every target's numbers for a namespace, from the decision about a request for nothing.

        After them the Secrets that register no target although they should.
        """
        request, view = Request(namespace, NOTHING, seed="overview"), self._views.of(namespace)

        def with_all_claims(held: Held) -> Decision:
            return view.decide(request, held.reserved, held.claimed(view.open_targets()))

        verdicts = reserving.peek(self._pool, namespace, with_all_claims, view.limited).verdicts
        duplicates = sorted(self._registry.duplicates().items())
        return (*verdicts, *(Verdict(name, why, Obstacle.UNUSABLE) for name, why in duplicates))

    def defaults(self, namespace: str, only_clusters: Collection[str] | None) -> dict[str, Defaults]:
        """The default limits of containers without any, by target: of those allowed whose quotas are known."""
        return {
            cluster: snapshot.defaults
            for cluster, snapshot in self._sampler.of_namespace(namespace).items()
            if only_clusters is None or cluster in only_clusters
        }

    def place_queue(self, namespace: str, left: Left = _nobody) -> list[tuple[Placement, Decision]]:
        """Give free room to those who wait in the queue; returns the placements that left it.

        `left` is called for each of them as soon as it is committed. Does nothing if nothing relevant has changed since
        a pass in which nothing left the queue.
        """
        view = self._views.of(namespace, self._paused(namespace))
        reserved, waiting = queueing.glance(self._pool, namespace, view.limited)
        facts, idle = (view.facts(reserved), waiting), self._idle.get(namespace)
        if idle is not None and idle.facts == facts and self._clock() < idle.until:
            return []
        run = QueuePass(
            view.decide, open_targets=view.open_targets(), told=self._told.get(namespace, {}), barred=self._bars()
        )
        moved, undisturbed = list[tuple[Placement, Decision]](), True
        for served in self._batches(namespace, run, view.limited):
            for placement, decision in served.left:
                left(placement, decision)
            moved += served.left
            undisturbed = undisturbed and served.reserved == reserved
        self._told[namespace] = run.told
        self._tell_the_rest(namespace, len(run.told))
        if undisturbed and not moved:
            self._idle[namespace] = _Idle(facts, self._clock() + QUEUE_LOOK_AGAIN)
        return moved

    def pause(self, namespace: str, target: str, pause: Pause) -> None:
        """Leave out a target for a while when serving this namespace's queue, since it took nothing a moment ago."""
        self._pauses[namespace, target] = self._clock() + pause.seconds, pause

    def bar(self, placement: Placement, target: str, words: str) -> None:
        """Leave out a target for a while for this submitter in this namespace, since it permitted them nothing."""
        self._barred[placement.namespace, target, placement.submitter] = self._clock() + CLOSED_PAUSE, words

    def _bars(self) -> Barred:
        now = self._clock()
        self._barred = {key: bar for key, bar in self._barred.items() if now < bar[0]}
        bars = list(self._barred.items())

        def barred(row: Placement) -> dict[str, str]:
            return {
                target: words
                for (namespace, target, submitter), (_, words) in bars
                if (namespace, submitter) == (row.namespace, row.submitter)
            }

        return barred

    def _paused(self, namespace: str) -> dict[str, str]:
        now = self._clock()
        return {
            target: pause.reason
            for (where, target), (until, pause) in list(self._pauses.items())
            if where == namespace and now < until
        }

    def _tell_the_rest(self, namespace: str, told: int) -> None:
        if self._clock() - self._told_all.get(namespace, -QUEUE_TELL_EVERY) >= QUEUE_TELL_EVERY:
            self._told_all[namespace] = self._clock()
            line.tell_the_rest(self._pool, namespace, told)

    def _batches(self, namespace: str, run: QueuePass, limited: bool) -> Iterator[Served]:
        """Serve the queue in batches. Between two of them, others that wait for a turn get it."""
        with self._turns.of(namespace):
            served = queueing.serve(self._pool, namespace, run.choose, with_demands=limited)
        yield served
        while served.next_after is not None and not run.over:
            with self._turns.of(namespace):
                served = queueing.serve(
                    self._pool,
                    namespace,
                    run.choose,
                    after=served.next_after,
                    waiting_for=run.unclaimed,
                    with_demands=limited,
                )
            yield served


def _choose(request: Request, view: View, held: Held) -> Decision:
    """The decision about a new Workflow.

    It first asks whether anybody in the queue waits for the chosen target, and only then about all others that fit:
    with a long queue, each target that nobody waits for costs a search through all of it.
    """
    decision = _together(request, view, held, ())
    fitting = {one.cluster: view.quotas(one.cluster) for one in decision.verdicts if one.removed_by is None}
    if decision.cluster is None or not held.claimed({decision.cluster: fitting[decision.cluster]}):
        return decision
    return _together(request, view, held, held.claimed(fitting))


def _together(request: Request, view: View, held: Held, claimed: Collection[str]) -> Decision:
    return decide_together(request, held.uses, lambda tied: view.decide(tied, held.reserved, claimed))


def _bounded(decision: Decision, held: Held) -> Decision:
    """`decision`, but queued if too many of the namespace's reservations have no origin at the front door yet."""
    if decision.outcome is not Outcome.PLACED or held.unbound < UNBOUND_RESERVATIONS:
        return decision
    reason = f"{held.unbound} Workflows of this namespace hold room that have not been seen at the front door yet"
    return replace(decision, outcome=Outcome.QUEUED, reason=reason, cluster=None)


def settled(new: NewPlacement, decision: Decision) -> Decision:
    """The decision, but a Workflow that is split holds no room itself, and a part of one is never refused. Pure."""
    if new.part:
        return waits(decision)
    if new.split is None or decision.outcome is Outcome.REFUSED:
        return decision
    return replace(decision, outcome=Outcome.SPLIT, reason=new.split.words, cluster=None, reserved=None)


def request_of(new: NewPlacement, refused_by: Mapping[str, str] | None = None) -> Request:
    """The request for a Workflow that is being admitted."""
    only = None if new.only_clusters is None else frozenset(new.only_clusters)
    return Request(
        new.namespace,
        new.totals,
        new.placement,
        new.policy,
        only,
        refused_by or {},
        new.notes,
        largest_pod=new.largest_pod,
        demands=new.demands,
        refers=new.refers,
        shared=new.shared.names,
    )


def known_policy(value: str) -> str:
    """`value` if it is the name of a policy. Otherwise raises Refused with the names there are."""
    if value not in POLICIES:
        raise wrong_field(Refused, "annotation medea.dev/policy", value, f"it must be one of {', '.join(POLICIES)}")
    return value
