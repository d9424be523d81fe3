"""The sweep of a door: parts that run one after the other, each whether or not the one before has failed."""

import threading
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import Counter

from webhook.errors import MedeaError, NotAllowed, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.kube.threads import start_loop
from webhook.ledger.pool import Pool

log = structlog.get_logger(__name__)
Part = Callable[[], None]


def start_sweep(
    name: str, run: Callable[[], None], pool: Pool, *, interval: float, stop: threading.Event
) -> threading.Thread:
    """Run it every `interval` seconds once the ledger is there, in a thread of its own."""

    def turn() -> None:
        if pool.wait(interval):
            run()
            stop.wait(interval)

    return start_loop(name, turn, stop=stop)


def run_parts(parts: Sequence[Part], failed: Counter) -> None:
    """Run all parts. What fails is counted, by the part's name, and left for the next time."""
    for part in parts:
        try:
            part()
        except MedeaError as error:
            failed.labels(part.__name__).inc()
            log.warning("part of a sweep failed", part=part.__name__, reason=error.message)


def remove_workflow(front: Cluster, namespace: str, name: str, uid: str) -> None:
    """Delete a job's Workflow. One that Medea may not delete stays, and keeps nobody else's job from being removed."""
    try:
        front.delete(WORKFLOWS, namespace, name, uid=uid, propagation="Background")
    except (Rejected, NotAllowed) as error:
        log.warning("a job's Workflow is left", namespace=namespace, workflow=name, reason=error.message)
