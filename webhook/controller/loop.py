"""The loop: threads that handle the keys in the work queue, and wake placements that wait for a target."""

import threading

import structlog
from prometheus_client import Counter, Gauge

from webhook.controller.reconciler import Reconciler
from webhook.controller.resting import Resting, Wait
from webhook.controller.subworkflows import CHILD, Subworkflows
from webhook.controller.targets import Targets
from webhook.controller.watches import CRON, CRON_LANE, NAMESPACE, Watches
from webhook.cron.reconciler import CronReconciler
from webhook.errors import Blocked, Clash, MedeaError, Missing
from webhook.kube.threads import start
from webhook.kube.workqueue import WorkQueue
from webhook.model.limits.controller import WORKERS
from webhook.model.limits.kube import RETRY_LONGEST, RETRY_LONGEST_BLOCKED
from webhook.namespaces.reconciler import NamespaceReconciler

log = structlog.get_logger(__name__)
_RESULTS = Counter("medea_reconciles_total", "Placements looked at", ["result"])
_RESULTS.labels("bug")
_DEPTH = Gauge("medea_work_queue_depth", "Placements that wait to be looked at")


class Loop:
    """Owns the workers, which repeat `turn`; the controller's own thread repeats `wake`."""

    def __init__(
        self,
        *,
        work: WorkQueue,
        reconciler: Reconciler,
        children: Subworkflows,
        namespaces: NamespaceReconciler,
        crons: CronReconciler,
        watches: Watches,
        targets: Targets,
        resting: Resting,
    ) -> None:
        self._work, self._reconciler, self._children, self._namespaces = work, reconciler, children, namespaces
        self._crons, self._watches, self._targets, self._resting = crons, watches, targets, resting

    def start(self) -> list[threading.Thread]:
        """Start the workers. When the work queue is shut down, each ends after its current key."""
        return [start(f"worker-{number}", self._work_off) for number in range(WORKERS)]

    def turn(self, *, wait: bool = True) -> bool:
        """Handle one key. False if there is none: the queue is shut down or, without `wait`, nothing is ready."""
        key = self._work.get(wait=wait)
        if key is None:
            return False
        _DEPTH.set(len(self._work))
        try:
            self._look_at(key)
        except (Clash, Missing) as error:
            self._failed(key, "again", error)
        except Blocked as error:
            self._failed(key, "blocked", error, longest=RETRY_LONGEST_BLOCKED)
        except MedeaError as error:
            self._failed(key, "unavailable", error)
        except Exception:
            # One bad placement must not stop the others.
            log.exception("bug", placement=key)
            _RESULTS.labels("bug").inc()
            self._work.add_rate_limited(key)
        else:
            _RESULTS.labels("ok").inc()
            self._work.forget(key)
        finally:
            self._work.done(key)
        return True

    def wake(self) -> None:
        """Queue the placements on targets that have been away for long now, or are back."""
        for target, away in self._targets.turned().items():
            index = self._watches.runs.get(target) if away else None
            waiting = self._resting.waiting_for(target)
            concerned = waiting.keys() | (index.placements() if index else set())
            log.info("target turned", cluster=target, away=away.words if away else None, placements=len(concerned))
            for placement in concerned:
                self._work.add(placement, lane=target, share=waiting.get(placement), sweep=True)

    def _work_off(self) -> None:
        while self.turn():
            pass

    def _look_at(self, key: str) -> None:
        if key.startswith(CHILD):
            self._children.look_at(key, self._watches.origins.informer)
        elif key.startswith(NAMESPACE):
            namespace = self._watches.namespaces.get("", key.removeprefix(NAMESPACE))
            again = self._namespaces.reconcile(namespace) if namespace else None
            if again is not None:
                self._work.add_after(key, again)
        elif key.startswith(CRON):
            namespace_name, _, name = key.removeprefix(CRON).partition("/")
            again = self._crons.reconcile(namespace_name, name)
            if again is not None:
                self._work.add_after(key, again, lane=CRON_LANE)
        else:
            self._resting.take(key)
            rest = self._reconciler.reconcile(key)
            self._resting.leave(key, rest)
            if rest.waits_for and self._has_turned(rest.waits_for):
                self._work.add(key, lane=None)
            if rest.again is not None:
                self._work.add_after(key, rest.again, lane=None)

    def _has_turned(self, wait: Wait) -> bool:
        """Whether the target is back, or away for long by now. If that was told before the wait was noted, nobody tells
        it again.
        """
        away = self._targets.away(wait.target)
        return away is None or away.long != wait.long

    def _failed(self, key: str, result: str, error: MedeaError, longest: float = RETRY_LONGEST) -> None:
        log.info("trying again", placement=key, result=result, reason=error.message)
        _RESULTS.labels(result).inc()
        self._work.add_rate_limited(key, longest=longest)
