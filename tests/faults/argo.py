"""Argo's controllers, as far as Medea can tell them from real ones: they run Workflows, and obey."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from tests.faults.network import ARGO
from tests.support.fake_apiserver import FakeApiserver
from webhook.kube.resources import WORKFLOWS

Object = dict[str, Any]
FINAL = ("Succeeded", "Failed", "Error")
LASTS, ENDS = "test/lasts", "test/ends"
"""Parameters of a test's Workflow: for how many seconds it runs, and how it ends."""
_FIRST = "test/first-started"
_COMPLETED, _PHASE = "workflows.argoproj.io/completed", "workflows.argoproj.io/phase"


@dataclass
class TargetArgo:
    """The controller of a target."""

    fake: FakeApiserver
    _begun: dict[tuple[str, str], float] = field(default_factory=dict)

    def turn(self) -> None:
        """Reconcile every Workflow once."""
        for workflow in self.fake.look(WORKFLOWS):
            if not workflow["metadata"]["name"].startswith("poison"):
                self._reconcile(workflow, workflow.get("status") or {})

    def _reconcile(self, workflow: Object, status: Object) -> None:
        phase = status.get("phase")
        if phase in FINAL:
            self._delete_old(workflow, status)
        elif "deletionTimestamp" in workflow["metadata"]:
            return
        elif not phase:
            self._write(workflow, _begun(workflow, self.fake.clock.stamp()))
        elif shutdown := (workflow["spec"].get("shutdown")):
            self._end(workflow, "Failed", f"Stopped with strategy '{shutdown}'")
        elif not workflow["spec"].get("suspend") and self._age(workflow) >= float(parameter(workflow, LASTS, "5")):
            ends = "Succeeded" if _retried(workflow) else parameter(workflow, ENDS, "Succeeded")
            self._end(workflow, ends, None if ends == "Succeeded" else "the test says so")

    def _age(self, workflow: Object) -> float:
        """Seconds since it began, or was begun anew: whoever did that may have had another clock."""
        key, now = (workflow["metadata"]["uid"], workflow["status"]["startedAt"]), self.fake.clock.true_time()
        return now - self._begun.setdefault(key, now)

    def _end(self, workflow: Object, phase: str, message: str | None) -> None:
        name, now = workflow["metadata"]["name"], self.fake.clock.stamp()
        nodes = {name: {"phase": phase, "finishedAt": now}}
        status: Object = {"phase": phase, "finishedAt": now, "message": message, "progress": "1/1", "nodes": nodes}
        status["conditions"] = [{"type": "Completed", "status": "True"}]
        self._write(workflow, {"metadata": {"labels": {_COMPLETED: "true", _PHASE: phase}}, "status": status})

    def _delete_old(self, workflow: Object, status: Object) -> None:
        seconds = (workflow["spec"].get("ttlStrategy") or {}).get("secondsAfterCompletion")
        if seconds is None or "deletionTimestamp" in workflow["metadata"]:
            return
        ended = [one for one in self.fake.history if one.object["metadata"]["uid"] == workflow["metadata"]["uid"]]
        finals = [
            one.time for one in ended if (one.object.get("status") or {}).get("finishedAt") == status["finishedAt"]
        ]
        if finals and self.fake.clock.true_time() - finals[0] >= seconds:
            metadata = workflow["metadata"]
            self.fake.remove(WORKFLOWS, metadata["namespace"], metadata["name"], user=ARGO)

    def _write(self, workflow: Object, patch: Object) -> None:
        metadata = workflow["metadata"]
        self.fake.change(WORKFLOWS, metadata["namespace"], metadata["name"], patch, user=ARGO)


@dataclass
class FrontArgo:
    """The front door's controller: it begins the stubs of one namespace, and never touches what is completed."""

    fake: FakeApiserver
    namespace: str

    def turn(self) -> None:
        """Reconcile every Workflow of the namespace once."""
        for workflow in self.fake.look(WORKFLOWS, self.namespace):
            metadata, status = workflow["metadata"], workflow.get("status")
            if not isinstance(status, dict | None) or "deletionTimestamp" in metadata:
                continue
            status = status or {}
            if (metadata.get("labels") or {}).get(_COMPLETED) == "true":
                self._delete_old(workflow, status)
            elif not status.get("phase"):
                patch = _begun(workflow, self.fake.clock.stamp())
                task = f"{metadata['name']}.placement"
                patch["status"]["nodes"][task] = {"id": task, "name": task, "type": "Plugin", "phase": "Running"}
                self.fake.change(WORKFLOWS, self.namespace, metadata["name"], patch, user=ARGO)

    def _delete_old(self, workflow: Object, status: Object) -> None:
        seconds = ((workflow.get("spec") or {}).get("ttlStrategy") or {}).get("secondsAfterCompletion")
        finished = status.get("finishedAt")
        if seconds is not None and isinstance(finished, str) and finished <= _before(self.fake, seconds):
            self.fake.remove(WORKFLOWS, self.namespace, workflow["metadata"]["name"], user=ARGO)


def parameter(workflow: Object, name: str, default: str) -> str:
    """A parameter's value."""
    listed = ((workflow.get("spec") or {}).get("arguments") or {}).get("parameters") or []
    return next((str(one["value"]) for one in listed if one.get("name") == name), default)


def _begun(workflow: Object, now: str) -> Object:
    """What it writes of one that has no phase: a new one, or one that was begun anew, which keeps its times."""
    name, before = workflow["metadata"]["name"], workflow.get("status") or {}
    times = {"startedAt": before.get("startedAt") or now, _FIRST: before.get(_FIRST) or now}
    root = {"id": name, "name": name, "displayName": name, "type": "Pod", "templateName": "main", "phase": "Running"}
    status = {"phase": "Running", "progress": "0/1", "nodes": {name: {**root, "startedAt": now}}}
    return {"metadata": {"labels": {_PHASE: "Running"}}, "status": {**status, **times}}


def _retried(workflow: Object) -> bool:
    """Whether somebody has begun it anew after its end: then it succeeds."""
    return bool(workflow["status"].get(_FIRST) != workflow["status"]["startedAt"])


def _before(fake: FakeApiserver, seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(fake.clock.true_time() - seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
