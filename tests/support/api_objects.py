"""A front door and an argo-server in memory, for the steps: just enough to act on one Workflow."""

import copy
import datetime
from typing import Any

from webhook.api.rights import Requester, requester_of
from webhook.errors import ArgoServerUnavailable, Clash, NotThere
from webhook.kube.resources import SUBJECT_ACCESS_REVIEWS, WORKFLOWS, Resource

Object = dict[str, Any]
ALLOWED = frozenset({"get", "create", "patch", "update"})


MOMENT = datetime.datetime(2026, 1, 1, 0, 1, tzinfo=datetime.UTC)


def known(workflow: Object) -> Requester:
    """What is known of an asking Workflow a minute after it began."""
    return requester_of(workflow, MOMENT)


def asking(**status: Any) -> Object:
    """The Workflow whose step asks."""
    return {
        "metadata": {"name": "parent", "namespace": "ns", "uid": "u0", "resourceVersion": "1"},
        "spec": {"serviceAccountName": "steps"},
        "status": {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", **status},
    }


def workflow(name: str = "job", *, spec: Object | None = None, **status: Any) -> Object:
    """Another Workflow."""
    metadata = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "resourceVersion": "1"}
    begun = {"phase": "Running", "startedAt": "2026-01-01T00:00:01Z", **status}
    return {"metadata": metadata, "spec": spec or {"entrypoint": "main"}, "status": begun}


def gate(node_id: str, phase: str = "Running") -> Object:
    """A suspended node."""
    return {"id": node_id, "type": "Suspend", "phase": phase}


class Front:
    """Workflows by name. `allowed` are the verbs that the asking account has."""

    def __init__(self, *workflows: Object, allowed: frozenset[str] = ALLOWED) -> None:
        self.workflows = {one["metadata"]["name"]: copy.deepcopy(one) for one in workflows}
        self.allowed = allowed
        self.reviews: list[Object] = []
        self.created: list[Object] = []

    def find(self, _kind: Resource, _namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self.workflows.get(name))

    def create(self, kind: Resource, namespace: str | None, body: Object, **_: Any) -> Object:
        if kind is SUBJECT_ACCESS_REVIEWS:
            self.reviews.append(body["spec"])
            return {"status": {"allowed": body["spec"]["resourceAttributes"]["verb"] in self.allowed}}
        assert kind is WORKFLOWS
        name = body["metadata"]["name"]
        if name in self.workflows:
            raise Clash(f"{name} is there")
        made = copy.deepcopy(body)
        made["metadata"] |= {"namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "1"}
        self.workflows[name] = made
        self.created.append(made)
        return copy.deepcopy(made)

    def delete(self, _kind: Resource, _namespace: str, name: str, *, uid: str) -> None:
        if name in self.workflows and self.workflows[name]["metadata"]["uid"] != uid:
            raise Clash(f"{name} is another one")
        self.workflows.pop(name, None)

    def patch(self, _kind: Resource, _namespace: str, name: str, body: Object, **_: Any) -> Object:
        found = self.workflows.get(name)
        if found is None:
            raise NotThere(f"{name} is not there")
        version = body["metadata"].get("resourceVersion")
        if version not in (None, found["metadata"]["resourceVersion"]):
            raise Clash("it has changed")
        found["metadata"].setdefault("annotations", {}).update(body["metadata"].get("annotations", {}))
        found["metadata"]["resourceVersion"] = str(int(found["metadata"]["resourceVersion"]) + 1)
        return copy.deepcopy(found)


class Argo:
    """Does verbs to the Workflows of a front door, and can lose its answer, or die before it has done anything."""

    def __init__(self, front: Front, *, fails: str = "") -> None:
        self.front, self.fails = front, fails
        self.done: list[str] = []

    def steer(self, _namespace: str, name: str, verb: str, _body: Object, _authorization: str | None = None) -> Object:
        if self.fails == "before":
            raise ArgoServerUnavailable("it is away")
        self.done.append(verb)
        self._act(self.front.workflows[name], verb)
        if self.fails == "after":
            raise ArgoServerUnavailable("its answer was lost")
        return self.front.workflows[name]

    def _act(self, found: Object, verb: str) -> None:
        status, spec = found["status"], found["spec"]
        match verb:
            case "retry":
                status |= {"phase": "Running", "startedAt": "2026-01-01T00:10:00Z", "finishedAt": None}
            case "resume":
                spec.pop("suspend", None)
                for node in status.get("nodes", {}).values():
                    node["phase"] = "Succeeded"
            case "suspend":
                spec["suspend"] = True
            case "stop" | "terminate":
                spec["shutdown"] = verb.capitalize()
