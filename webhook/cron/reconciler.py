"""Submits what CronWorkflows schedule, and writes their status: one CronWorkflow at a time.

A tick is submitted at most once: its Workflow's name follows from it, and `status.lastScheduledTime` is read from the
front door itself just before. Whoever died in between leaves a Workflow from which the next leader learns of the tick,
or at least a placement: the ledger keeps it when that Workflow is gone.
Every write names the version that it was made from, so of two leaders one begins anew.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog
from prometheus_client import Counter

from webhook.cron import acts
from webhook.cron.child import Child
from webhook.cron.children import Children
from webhook.cron.decide import Handled, Verdict, began, due, ends, next_tick, surplus, verdict
from webhook.cron.spec import REPLACE, CronSpec, read_cron
from webhook.cron.status import SPEC_ERROR, STOPPED, SUBMISSION_ERROR, Status, read_status
from webhook.cron.workflow import name_of
from webhook.errors import MedeaError, QuotaExceeded, Refused, Rejected, Unavailable
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import CRON_WORKFLOWS, WORKFLOWS
from webhook.model.contract import Hold
from webhook.model.deadline import Now, utc_now
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.moments import seconds_of
from webhook.model.objects import Object
from webhook.namespaces.hold import hold_of

log = structlog.get_logger(__name__)
_TICKS = Counter("medea_cron_ticks_total", "Ticks of CronWorkflows in namespaces with hold none", ["outcome"])
_REFUSED = "refused"
# Shown as 0 from the beginning, so that the first one counts as an increase.
_TICKS.labels(_REFUSED)
_NOT_SUBMITTED = "Failed to submit Workflow: "
"""Argo's words."""


@dataclass(frozen=True)
class _Seen:
    """A CronWorkflow, what it asks for, and its status and its Workflows with all that is known now."""

    cron: Object
    spec: CronSpec
    status: Status
    children: list[Child]

    @property
    def uid(self) -> str:
        return str(self.cron["metadata"]["uid"])

    @property
    def created(self) -> int:
        return seconds_of(self.cron["metadata"].get("creationTimestamp")) or 0


@dataclass
class CronReconciler:
    """Used only by the controller that leads. `default` is the hold of namespaces without a label for it.

    `ran` tells whether a Workflow of a namespace and name was ever there, which may be gone by now; it may raise.
    """

    front: Cluster
    crons: Informer
    namespaces: Informer
    children: Children
    ran: Callable[[str, str], bool]
    default: Hold
    now: Now = utc_now
    _handled: dict[str, Handled] = field(default_factory=dict)
    _replaced: dict[str, set[str]] = field(default_factory=dict)
    """By key: the versions that writes of this controller have replaced, while the watch may still show them."""

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Do what is due. Returns after how many seconds to look again, if there is a reason to.

        Raises any error of the front door; then the same is tried again.
        """
        key, cron = f"{namespace}/{name}", self.crons.get(namespace, name)
        if cron is None or is_deletion_ongoing(cron) or not self._is_ours(namespace):
            self._handled.pop(key, None)
            self._replaced.pop(key, None)
            return None
        if cron["metadata"]["resourceVersion"] in self._replaced.get(key, ()):
            # The watch will tell of what was written.
            return None
        self._replaced.pop(key, None)
        seen = self._settled(key, cron)
        if seen is None:
            # Once it makes sense, it has missed nothing.
            uid = str(cron["metadata"]["uid"])
            self._handled[key] = Handled(uid, "", math.floor(self._time), made=self._made(key, uid))
            return None
        handled = began(seen.uid, seen.spec, seen.status, seen.created, self._time, self._handled.get(key))
        self._handled[key] = handled
        self._remove_old(seen)
        tick = due(seen.spec, seen.status, handled, seen.created, self._time)
        if handled.trying is not None and handled.trying[0] != tick:
            self._refuse(key, seen, *handled.trying)
            return 0.0
        if tick is None:
            self._handled[key] = replace(handled, until=math.floor(self._time))
        fresh = tick is not None and tick > handled.until
        if tick is not None and (fresh or self._would_run(seen)):
            self._handle(key, tick)
        if fresh:
            return 0.0
        coming = next_tick(seen.spec, seen.status, seen.created, self._time)
        return None if coming is None else max(0.0, coming - self._time)

    @property
    def _time(self) -> float:
        return self.now().timestamp()

    def _is_ours(self, namespace: str) -> bool:
        """Whether no Argo controller runs CronWorkflows there: it opted in, with hold none."""
        found = self.namespaces.get("", namespace)
        if found is None or is_deletion_ongoing(found):
            return False
        try:
            return hold_of(found, self.default) is Hold.NONE
        except Refused:
            return False

    def _settled(self, key: str, cron: Object) -> _Seen | None:
        """Write what its Workflows show. None if what it asks for makes no sense, which its status says then."""
        before = read_status(cron)
        made, children = self._made(key, str(cron["metadata"]["uid"])), self._children_of(cron)
        status = before.absorbed(children, self._time, made)
        try:
            spec = read_cron(cron)
            over = ends(cron, spec, status, self._time)
        except Refused as error:
            self._write(key, cron, status.with_error(SPEC_ERROR, error.message))
            return None
        status = status.without_error(SPEC_ERROR)
        if over:
            status = replace(status, phase=STOPPED, completed=True)
        return _Seen(self._write(key, cron, status), spec, status, children)

    def _made(self, key: str, uid: str) -> int | None:
        handled = self._handled.get(key)
        return handled.made if handled is not None and handled.uid == uid else None

    def _write(self, key: str, cron: Object, status: Status) -> Object:
        written, version = acts.write(self.front, cron, status), cron["metadata"]["resourceVersion"]
        if written["metadata"]["resourceVersion"] != version:
            self._replaced.setdefault(key, set()).add(version)
        return written

    def _remove_old(self, seen: _Seen) -> None:
        """What fails is for the next sweep: no tick waits for it."""
        for child in surplus(seen.spec, seen.children):
            try:
                acts.remove(self.front, child)
            except MedeaError as error:
                log.warning("not removed", namespace=child.namespace, workflow=child.name, reason=error.message)
                return

    def _children_of(self, cron: Object) -> list[Child]:
        # Owners are of the same namespace: in others, people may name any.
        namespace = cron["metadata"]["namespace"]
        known = [child for child in self.children.of(str(cron["metadata"]["uid"])) if child.namespace == namespace]
        return [*known, *acts.unheard(self.front, cron, known)]

    def _would_run(self, seen: _Seen) -> bool:
        try:
            return verdict(seen.cron, seen.spec, seen.status, self._time) is Verdict.RUN
        except Refused:
            return False

    def _handle(self, key: str, tick: int) -> None:
        """Let a tick run, or not, by what the front door itself shows of its CronWorkflow now."""
        handled = self._handled[key]
        namespace, _, name = key.partition("/")
        fresh = self.front.find(CRON_WORKFLOWS, namespace, name)
        seen = self._settled(key, fresh) if fresh is not None and fresh["metadata"]["uid"] == handled.uid else None
        # Of what has just been changed the watch will tell.
        if seen is not None and seen.spec.written == handled.written and (seen.status.last or 0) < tick:
            self._decide(key, seen, tick)
        self._handled[key] = replace(self._handled[key], until=max(handled.until, tick), trying=None)

    def _decide(self, key: str, seen: _Seen, tick: int) -> None:
        try:
            told = verdict(seen.cron, seen.spec, seen.status, self._time)
        except Refused as error:
            self._refuse(key, seen, tick, f"run policy error: {error.message}")
            return
        if told is Verdict.RUN:
            self._submit(key, seen, tick)
        else:
            self._write(key, seen.cron, replace(seen.status, schedule=seen.spec.written))
            _TICKS.labels(told).inc()

    def _submit(self, key: str, seen: _Seen, tick: int) -> None:
        try:
            if self._is_over(key, tick):
                self._write(key, seen.cron, replace(seen.status, last=tick, schedule=seen.spec.written))
                return
            if seen.spec.concurrency == REPLACE:
                acts.terminate(self.front, seen.status, seen.children)
            child = acts.submit(self.front, seen.cron, seen.spec, tick)
        except (Unavailable, QuotaExceeded) as error:
            self._handled[key] = replace(self._handled[key], trying=(tick, _NOT_SUBMITTED + error.message))
            raise
        except Rejected as error:
            self._refuse(key, seen, tick, _NOT_SUBMITTED + error.message)
            return
        self._handled[key] = replace(self._handled[key], made=tick)
        self.children.expect(seen.uid, child)
        self._write(key, seen.cron, replace(seen.status.submitted(child, tick), schedule=seen.spec.written))
        _TICKS.labels(Verdict.RUN).inc()

    def _is_over(self, key: str, tick: int) -> bool:
        """Whether its Workflow was made, by a leader that died before it could say so, and is gone."""
        namespace, _, cron = key.partition("/")
        name = name_of(cron, tick)
        return self.ran(namespace, name) and self.front.find(WORKFLOWS, namespace, name) is None

    def _refuse(self, key: str, seen: _Seen, tick: int, words: str) -> None:
        """Show that a tick came to nothing; it is not tried again."""
        log.warning("tick refused", cron=key, tick=tick, reason=words)
        status = seen.status.with_error(SUBMISSION_ERROR, words)
        self._write(key, seen.cron, replace(status, schedule=seen.spec.written))
        until = max(self._handled[key].until, tick)
        self._handled[key] = replace(self._handled[key], refused=tick, trying=None, until=until)
        _TICKS.labels(_REFUSED).inc()
