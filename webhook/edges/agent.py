"""Stands for Argo on each edge: takes Workflows forward by power and time, and obeys."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from webhook.edges.power import Work, nodes_of_work, served_between, work_of
from webhook.edges.rest import Edge, now_text
from webhook.edges.store import Key
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import ARGO_COMPLETED, ARGO_PHASE, FINAL_PHASES, SHUTDOWNS
from webhook.model.deadline import Clock
from webhook.model.objects import Object, labels, spec_of, status_of

log = structlog.get_logger(__name__)
_TURN = 0.5
"""Seconds between two looks at the Workflows."""


@dataclass
class Agent:
    """Works for some edges, `speed` times as fast as their power is. `clock` is in seconds since the epoch."""

    edges: Sequence[Edge]
    speed: float
    clock: Clock = time.time

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop. For the time in which nobody worked nothing was served."""
        last = self.clock()
        while not stop.wait(_TURN):
            now = self.clock()
            self.turn(last, now)
            last = now

    def turn(self, begin: float, end: float) -> None:
        """Take everything forward by what was served from `begin` to `end`."""
        for edge in self.edges:
            served = served_between(edge.name, begin, end, self.speed)
            for workflow in edge.store.all(edge.name, WORKFLOWS.plural):
                self._take_forward(edge, workflow, served)

    def _take_forward(self, edge: Edge, seen: Object, served: float) -> None:
        metadata = seen["metadata"]
        key = Key(edge.name, WORKFLOWS.plural, metadata["namespace"], metadata["name"])
        with edge.store.change():
            workflow = edge.store.get(key)
            if workflow is None or "deletionTimestamp" in workflow["metadata"]:
                return
            status, spec = status_of(workflow), spec_of(workflow)
            if status.get("phase") in FINAL_PHASES:
                return
            work, uid = work_of(workflow), workflow["metadata"]["uid"]
            before = edge.store.served(edge.name, uid)
            if spec.get("shutdown") in SHUTDOWNS:
                self._stop(edge, key, workflow, work, work.done(before))
            elif not status.get("phase"):
                self._show(edge, key, workflow, work, 0)
            elif not spec.get("suspend"):
                self._serve(edge, key, workflow, work, before, before + served)

    def _serve(self, edge: Edge, key: Key, workflow: Object, work: Work, before: float, after: float) -> None:
        """Items are carried out, and noted so, in the very transaction that shows it."""
        edge.store.serve(edge.name, workflow["metadata"]["uid"], after)
        first, done = work.done(before), work.done(after)
        for item, _ in work.items[first:done]:
            edge.store.carry_out(edge.name, workflow["metadata"]["name"], item)
        if done != first or done == len(work.items):
            self._show(edge, key, workflow, work, done)

    def _stop(self, edge: Edge, key: Key, workflow: Object, work: Work, done: int) -> None:
        how = spec_of(workflow)["shutdown"]
        since = status_of(workflow).get("startedAt") or now_text()
        words = f"workflow shutdown with strategy:  {how}"
        nodes = nodes_of_work(key.name, work, done, since=since, now=now_text(), stopped=words)
        self._write(edge, key, workflow, "Failed", f"Stopped with strategy '{how}'", since, nodes, done, work)

    def _show(self, edge: Edge, key: Key, workflow: Object, work: Work, done: int) -> None:
        since = status_of(workflow).get("startedAt") or now_text()
        nodes = nodes_of_work(key.name, work, done, since=since, now=now_text())
        phase = "Succeeded" if done == len(work.items) and status_of(workflow).get("phase") else "Running"
        self._write(edge, key, workflow, phase, None, since, nodes, done, work)

    def _write(
        self,
        edge: Edge,
        key: Key,
        workflow: Object,
        phase: str,
        message: str | None,
        since: str,
        nodes: Object,
        done: int,
        work: Work,
    ) -> None:
        over = phase in FINAL_PHASES
        marks = {**labels(workflow), ARGO_PHASE: phase, **({ARGO_COMPLETED: "true"} if over else {})}
        status: Object = {
            "phase": phase,
            "startedAt": since,
            "progress": f"{done}/{len(work.items)}",
            "nodes": nodes,
            **({"message": message} if message else {}),
            **({"finishedAt": now_text()} if over else {}),
            "conditions": [{"type": "Completed", "status": "True"}] if over else [],
        }
        metadata = {**workflow["metadata"], "labels": marks}
        edge.store.put(key, {**workflow, "metadata": metadata, "status": status})
