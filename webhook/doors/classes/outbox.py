"""Publishes jobs that workers run. A job stays due in the ledger until RabbitMQ has confirmed its message.

So a message may be there twice, if what was confirmed could not be written down, and never not at all.
"""

import threading
from collections.abc import Iterable, Sequence

import structlog
from prometheus_client import Counter

from webhook.doors.broker import Broker
from webhook.doors.classes.queue import message_of, queue_of
from webhook.errors import BrokerUnavailable, MedeaError, NoQueue, NotTaken
from webhook.kube.threads import start_loop
from webhook.ledger import class_leases
from webhook.ledger.class_leases import Due
from webhook.ledger.pool import Pool
from webhook.model.limits.classes import OUTBOX_TURN, PUBLISH_AGAIN, TAKE_MOST

log = structlog.get_logger(__name__)
_PUBLISHED = Counter("medea_class_jobs_published_total", "Messages about jobs that RabbitMQ confirmed", ["job_class"])
_FAILED = Counter("medea_class_jobs_unpublished_total", "Times that RabbitMQ did not confirm one", ["job_class"])


class Outbox:
    """Looks for jobs to publish whenever it is told of one, and every second. `classes` are those that are known."""

    def __init__(self, pool: Pool, broker: Broker, namespace: str, classes: Iterable[str] = ()) -> None:
        self._pool, self._broker, self._namespace = pool, broker, namespace
        self._wake, self._stop = threading.Event(), threading.Event()
        for name in classes:
            # Shown as 0 from the beginning, so that the first one counts as an increase.
            _FAILED.labels(name)

    def start(self) -> None:
        """Start, in a thread of its own."""
        self._broker.start()
        start_loop("classes-outbox", self._turn, stop=self._stop)

    def wake(self) -> None:
        """There is something to publish."""
        self._wake.set()

    def publish_due(self) -> None:
        """Publish all that is due, in order of submission. A class whose queue takes nothing keeps no other waiting."""
        refused: set[str] = set()
        while jobs := class_leases.due(self._pool, self._namespace, again=PUBLISH_AGAIN, limit=TAKE_MOST):
            for name in dict.fromkeys(job.name for job in jobs):
                if name in refused:
                    continue
                try:
                    self._publish_all([job for job in jobs if job.name == name])
                except (NoQueue, NotTaken) as error:
                    _FAILED.labels(name).inc()
                    log.warning("jobs of a class wait for its queue", job_class=name, reason=error.message)
                    # They are due again after a while, as whatever is taken and not published.
                    refused.add(name)
                except BrokerUnavailable as error:
                    _FAILED.labels(name).inc()
                    log.warning("jobs wait for RabbitMQ", reason=error.message)
                    class_leases.unpublished(self._pool, jobs, again=OUTBOX_TURN)
                    return

    def _publish_all(self, jobs: Sequence[Due]) -> None:
        for job in jobs:
            self._publish(job)
            class_leases.published(self._pool, job)
            _PUBLISHED.labels(job.name).inc()

    def _publish(self, job: Due) -> None:
        try:
            self._broker.publish(job.name, message_of(job.id))
        except NoQueue:
            # It is made when it is needed first, and again if somebody has deleted it.
            self._broker.declare(queue_of(job.name))
            self._broker.publish(job.name, message_of(job.id))

    def _turn(self) -> None:
        self._wake.wait(OUTBOX_TURN)
        self._wake.clear()
        try:
            if self._pool.wait(OUTBOX_TURN):
                self.publish_due()
        except MedeaError as error:
            log.warning("jobs are published later", reason=error.message)
