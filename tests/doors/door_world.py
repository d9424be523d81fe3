"""What the worlds of two doors share: an apiserver in memory, and informers that are turned by hand."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import pytest
from kubernetes.client import Configuration
from prometheus_client import REGISTRY

from tests.support.fake_apiserver import FakeApiserver, Fault
from tests.support.fake_clock import FakeClock
from tests.support.s3_server import S3Server
from webhook.doors.store import Store
from webhook.doors.templates import Templates
from webhook.errors import StoreUnavailable
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.model.contract import FINAL_PHASES
from webhook.model.objects import Object, labels, status_of

NAMESPACE = "ns"


class Opted:
    """All namespaces have opted in, or none has."""

    def __init__(self) -> None:
        self.all = True

    def opted_in(self, *_: Any) -> object:
        return object() if self.all else None


class Dispatches(Protocol):
    """A door's dispatcher, with the watch of its Workflows. `step` is true while there may be more to do."""

    @property
    def watch(self) -> Informer: ...

    def step(self) -> bool: ...


class DoorWorld:
    """The front door of one door. `restart` gives it the templates and the dispatcher."""

    templates: Templates
    dispatcher: Dispatches

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self.clock = FakeClock()
        self.fake = FakeApiserver("front", clock=self.clock)
        self.fake.namespace(NAMESPACE)
        self.fake.tokens = dict(tokens)
        self.front = Cluster("front", Configuration(), http=self.fake)

    def put_template(self, label: str, name: str, template: str) -> None:
        """A WorkflowTemplate with this label, which says what it is for."""
        metadata = {"namespace": NAMESPACE, "name": template, "labels": {label: name}}
        self.fake.put(WORKFLOW_TEMPLATES, {"metadata": metadata, "spec": {}})

    def watch(self) -> None:
        """Let the informers hear what has happened."""
        for _ in range(2):
            self.templates.watch.step()
            self.dispatcher.watch.step()

    def work(self) -> None:
        """Hear of everything, and do all there is to do."""
        self.watch()
        while self.dispatcher.step():
            self.watch()

    def workflows(self) -> list[Object]:
        """What is at the front door, in order of their creation."""
        return sorted(self.fake.all(WORKFLOWS, NAMESPACE), key=lambda one: int(one["metadata"]["resourceVersion"]))

    def living(self, label: str) -> list[str]:
        """The values of this label of all Workflows that have not ended."""
        return [labels(one)[label] for one in self.workflows() if status_of(one).get("phase") not in FINAL_PHASES]

    def deny_deletion(self, name: str) -> None:
        """Somebody has taken its label away, and the front door's policy says what Medea may delete."""
        denied = Fault("status", 403, "Forbidden", "denied by ValidatingAdmissionPolicy medea-workflows")
        self.fake.faults = lambda call: denied if (call.verb, call.name) == ("delete", name) else None

    def end_workflow(self, name: str, phase: str) -> None:
        """It ends so."""
        self.fake.change(WORKFLOWS, NAMESPACE, name, {"status": {"phase": phase, "message": "so"}})


def sweep_while_these_stay(
    sweep: Callable[[], None], s3: S3Server, keys: set[str], metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep while the store's policy keeps these objects: no others are left, and `metric` counts one clean-up."""
    with monkeypatch.context() as meanwhile:
        _refuse_to_remove(meanwhile, keys)
        before = _failures(metric)
        sweep()
        assert (set(s3.keys), _failures(metric) - before) == (keys, 1)


def _refuse_to_remove(monkeypatch: pytest.MonkeyPatch, keys: Collection[str]) -> None:
    remove_one = Store.remove_one

    def remove(self: Store, key: str) -> None:
        if key in keys:
            raise StoreUnavailable("the store refused to delete: 'AccessDenied: Access Denied.'")
        remove_one(self, key)

    monkeypatch.setattr(Store, "remove_one", remove)


def _failures(metric: str) -> float:
    return REGISTRY.get_sample_value(metric, {"part": "clean"}) or 0.0


def bearing(token: str | None) -> dict[str, str]:
    """The header that a caller with this token sends."""
    return {"Authorization": f"Bearer {token}"} if token else {}
