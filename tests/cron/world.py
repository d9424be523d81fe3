"""A front door in memory with one namespace of hold none, and controllers that look at its CronWorkflows."""

from typing import Any

from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from tests.support.fake_clock import FakeClock
from webhook.cron.children import Children
from webhook.cron.reconciler import CronReconciler
from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import CRON_WORKFLOWS, NAMESPACES, WORKFLOWS
from webhook.model.contract import OPTED_IN, Hold
from webhook.model.moments import stamp

Object = dict[str, Any]
JOB: Object = {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "job"}}]}


def names_made(front: FakeApiserver) -> list[str]:
    """Of all Workflows that were ever there, in the order of their creation."""
    changes = [one for one in front.history if one.resource == WORKFLOWS.plural and one.before is None]
    return [one.object["metadata"]["name"] for one in changes]


class Leader:
    """A controller that has just begun to lead."""

    def __init__(self, front: FakeApiserver, clock: FakeClock) -> None:
        cluster = Cluster("front", Configuration(), http=front, clock=clock)
        self.children = Children(lambda _namespace, _name: None, clock=clock)
        self.namespaces = Informer(cluster, NAMESPACES, lambda _one, _gone: None, selector=OPTED_IN)
        self.crons = Informer(cluster, CRON_WORKFLOWS, lambda _one, _gone: None)
        self.workflows = Informer(cluster, WORKFLOWS, self.children.note)
        self.reconciler = CronReconciler(
            front=cluster,
            crons=self.crons,
            namespaces=self.namespaces,
            children=self.children,
            ran=lambda _namespace, name: name in names_made(front),
            default=Hold.PLUGIN,
            now=clock.now,
        )

    def hear(self) -> None:
        """Every watch is told what is new."""
        for informer in (self.namespaces, self.crons, self.workflows):
            informer.step()
            informer.step()

    def look(self, name: str = "cron") -> float | None:
        """Look until nothing more is to be done now. Errors are for the next look, as the work queue has it."""
        for _ in range(20):
            self.hear()
            again = self.look_unheard(name)
            if again != 0.0:
                return again
        raise AssertionError("it goes round in circles")

    def look_unheard(self, name: str = "cron") -> float | None:
        """Look once, while no watch tells anything."""
        try:
            return self.reconciler.reconcile("ns", name)
        except MedeaError:
            return 1.0


class CronWorld:
    """Time passes in `wait` only; the clock begins at midnight of the first of January 2026."""

    def __init__(self, **labels: str) -> None:
        self.clock = FakeClock()
        self.front = FakeApiserver("front", clock=self.clock)
        self.front.namespace("ns", {"medea.dev/enabled": "true", "medea.dev/hold": "none", **labels})
        self.leader = self.new_leader()

    def new_leader(self) -> Leader:
        """Another controller; the one before is not asked any more, unless a test does."""
        self.leader = Leader(self.front, self.clock)
        return self.leader

    def apply(self, *schedules: str, name: str = "cron", metadata: Object | None = None, **spec: Any) -> None:
        """Somebody makes a CronWorkflow, or changes its spec."""
        body = {"schedules": list(schedules), "workflowSpec": JOB, **spec}
        if self.front.get(CRON_WORKFLOWS, "ns", name):
            self.front.change(CRON_WORKFLOWS, "ns", name, {"spec": body})
            return
        self.front.put(
            CRON_WORKFLOWS, {"metadata": {"name": name, "namespace": "ns", **(metadata or {})}, "spec": body}
        )

    def wait(self, seconds: float, name: str = "cron", *, sweep: float = 120.0) -> None:
        """So much time passes; the controller looks when it wants to, and in each sweep."""
        until = self.clock() + seconds
        while True:
            again = self.leader.look(name)
            left = until - self.clock()
            if left <= 0:
                return
            self.clock.advance(min(left, sweep if again is None else max(again, 0.01), sweep))

    def pass_away(self, seconds: float) -> None:
        """So much time passes while no controller leads."""
        self.clock.advance(seconds)
        self.new_leader()

    def end(self, workflow: str, phase: str = "Succeeded") -> None:
        """A Workflow ends."""
        status = {"phase": phase, "finishedAt": self.clock.stamp()}
        self.front.change(WORKFLOWS, "ns", workflow, {"status": status})

    def end_all(self, phase: str = "Succeeded") -> None:
        """All that run end."""
        for one in self.front.all(WORKFLOWS, "ns"):
            if "phase" not in one.get("status", {}):
                self.end(one["metadata"]["name"], phase)

    @property
    def status(self) -> Object:
        """What the CronWorkflow shows."""
        found = self.front.get(CRON_WORKFLOWS, "ns", "cron")
        assert found is not None
        status: Object = found.get("status", {})
        return status

    @property
    def condition(self) -> tuple[str, str] | None:
        """Type and message of its one condition."""
        found = self.status.get("conditions") or []
        assert len(found) <= 1
        return (found[0]["type"], found[0]["message"]) if found else None

    def made(self) -> list[str]:
        """The times of all ticks that were ever submitted, in the order of their Workflows' creation."""
        return [stamp(int(name.rpartition("-")[2]))[5:-1].replace("T", " ") for name in names_made(self.front)]
