"""People at the front door: they submit, and do to their Workflows what Argo's CLI would do."""

from collections import defaultdict
from typing import Any

from kubernetes.client import Configuration

from tests.faults.argo import ENDS, FINAL, LASTS
from tests.faults.network import PEOPLE
from tests.support.fake_apiserver import FakeApiserver
from webhook.errors import MedeaError
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS

Object = dict[str, Any]


class Users:
    """What they did is kept by the uid of the Workflow: `stop`, `delete` and so on, where the apiserver agreed."""

    def __init__(self, front: FakeApiserver, namespaces: tuple[str, ...]) -> None:
        self._front, self._namespaces = front, namespaces
        self._door = Cluster("front", Configuration(), http=front.as_user(PEOPLE[0]))
        self.did: dict[str, set[str]] = defaultdict(set)
        self.answers: list[str] = []
        self._stopped: set[str] = set()

    def living(self) -> list[Object]:
        """Their Workflows, in the order in which they were made."""
        found = [one for namespace in self._namespaces for one in self._front.look(WORKFLOWS, namespace)]
        real = [one for one in found if not one["metadata"]["name"].startswith(("medea-probe", "poison"))]
        return sorted(real, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))

    def submit(self, event: Object) -> None:
        """One submission, however the event wants it."""
        body = _workflow(event)
        if event["how"] == "resubmit":
            old = self._chosen(event["which"])
            if old is None:
                return
            body, event = _resubmitted(old), {**event, "namespace": old["metadata"]["namespace"]}
        self._try(lambda: self._door.create(WORKFLOWS, event["namespace"], body, dry_run=event["how"] == "dry"))

    def verb(self, verb: str, which: int) -> None:
        """Do something to one of them."""
        found = self._chosen(which, verb)
        if found is not None:
            self.do(verb, found)

    def do(self, verb: str, found: Object) -> bool:
        """Do something to this one; whether the apiserver agreed."""
        metadata = found["metadata"]
        place = (WORKFLOWS, metadata["namespace"], metadata["name"])
        version = {"resourceVersion": metadata["resourceVersion"]}
        done = False
        match verb:
            case "delete":
                done = self._try(lambda: self._door.delete(*place, uid=metadata["uid"], propagation="Background"))
            case "stop" | "terminate":
                patch: Object = {"metadata": version, "spec": {"shutdown": verb.capitalize()}}
                done = self._try(lambda: self._door.patch(*place, patch, manager="argo"))
            case "suspend" | "resume":
                patch = {"metadata": version, "spec": {"suspend": True if verb == "suspend" else None}}
                done = self._try(lambda: self._door.patch(*place, patch, manager="argo"))
            case "retry":
                again = {"phase": "Running", "finishedAt": None, "message": None}
                labels = {"workflows.argoproj.io/completed": None, "workflows.argoproj.io/phase": "Running"}
                # As Argo's own does, so that it can be stopped once more.
                patch = {"metadata": {**version, "labels": labels}, "spec": {"shutdown": None}, "status": again}
                done = self._try(lambda: self._door.patch(*place, patch, manager="argo"))
        if done:
            self.did[metadata["uid"]].add(verb)
            if verb in ("stop", "terminate"):
                self._stopped.add(metadata["uid"])
            elif verb == "retry":
                self._stopped.discard(metadata["uid"])
        return done

    def stopped(self, workflow: Object) -> bool:
        """Whether they have stopped it, and not begun it anew since."""
        return workflow["metadata"]["uid"] in self._stopped

    def _chosen(self, which: int, verb: str = "resubmit") -> Object | None:
        living = [one for one in self.living() if _makes_sense(verb, one)]
        return living[which % len(living)] if living else None

    def _try(self, action: Any) -> bool:
        try:
            action()
        except MedeaError as error:
            self.answers.append(error.message)
            return False
        return True


def _makes_sense(verb: str, workflow: Object) -> bool:
    """Whether a person would think of doing this to it."""
    phase = (workflow.get("status") or {}).get("phase")
    if verb in ("delete", "resubmit"):
        return True
    return phase in ("Failed", "Error") if verb == "retry" else phase not in FINAL


def _workflow(event: Object) -> Object:
    limits = {"cpu": str(event["cpu"]), "memory": "1Gi"}
    container = {"image": "x", "resources": {"limits": limits}}
    parameters = [{"name": LASTS, "value": str(event["lasts"])}, {"name": ENDS, "value": event["ends"]}]
    named = {"name": f"fixed-{event['which'] % 3}"} if event["how"] == "fixed" else {"generateName": "job-"}
    ttl = {"ttlStrategy": {"secondsAfterCompletion": event["ttl"]}} if "ttl" in event else {}
    mutex = {"name": event.get("lock"), "namespace": "both"}
    lock: Object = {"synchronization": {"mutex": mutex}} if "lock" in event else {}
    return {
        "metadata": named,
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": parameters},
            "templates": [{"name": "main", "container": container}],
            **ttl,
            **lock,
        },
    }


def _resubmitted(old: Object) -> Object:
    """As `argo resubmit` makes it: labels, annotations and the spec are the old one's."""
    metadata = old["metadata"]
    labels = {
        key: value for key, value in (metadata.get("labels") or {}).items() if "workflows.argoproj.io/" not in key
    }
    labels["workflows.argoproj.io/resubmitted-from-workflow"] = metadata["name"]
    spec = {key: value for key, value in old["spec"].items() if key not in ("suspend", "shutdown")}
    annotations = dict(metadata.get("annotations") or {})
    return {
        "metadata": {"generateName": f"{metadata['name'][:30]}-", "labels": labels, "annotations": annotations},
        "spec": spec,
    }
