"""Whatever is sent, the answer is clear and quick: a refusal, never a failure, and never silence."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.end_to_end.garbage import NO_JSON, OTHERS, TEXTS, VALUES, WHOLE, Path, places, with_value, without
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.medea import BALANCER, PATIENCE, PLUGIN, SCOUT, WEBHOOK, call, error_of
from tests.end_to_end.workspace import Workspace, WorkspaceMaker

pytestmark = pytest.mark.timeout(480, func_only=True)
_TRIES = 3


@pytest.fixture(scope="module")
def vast(make_workspace: WorkspaceMaker) -> Workspace:
    """So much room that every review that passes goes all the way to the target's dry run."""
    return make_workspace(("100000", "100000Gi"), ("100000", "100000Gi"))


def _bodies(namespace: str) -> dict[str, dict[str, Any]]:
    """A good body for every route that takes one. The template is absent, so that nothing is ever submitted."""
    options = {"name": "a", "labels": "a=b", "annotations": "a=b", "parameters": ["executor_num=1"], "priority": 1}
    return {
        "/mutate": _review(namespace),
        "/api/request": {"namespace": namespace, "cpu": 1, "ram": 1},
        f"/api/v1/workflows/{namespace}/submit": {
            "namespace": namespace,
            "resourceKind": "WorkflowTemplate",
            "resourceName": "absent",
            "submitOptions": {**options, "entryPoint": "a", "serviceAccount": "a", "generateName": "a-"},
        },
        "/api/v1/plugin": {
            "workflow": {"name": "a", "namespace": namespace, "uid": "b"},
            "call": {"get": {"name": "c"}},
        },
    }


def _review(namespace: str) -> dict[str, Any]:
    return {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": str(uuid.uuid4()),
            "operation": "CREATE",
            "kind": {"group": "argoproj.io", "version": "v1alpha1", "kind": "Workflow"},
            "namespace": namespace,
            "dryRun": False,
            "userInfo": {"username": "garbage"},
            "object": inline("true", SMALL, {"medea.dev/policy": "random", "medea.dev/clusters": "west"}),
        },
    }


@dataclass
class Answers:
    """Sends, and collects what was not as it should be: hundreds of bodies make one test, and one report."""

    path: str
    base: str
    wrong: list[str] = field(default_factory=list)

    def send(self, what: str, data: bytes, *, refused: bool) -> None:
        """POST a body; `refused`: it must not be taken for a good one.

        What is slow because of what is in it is so each time; a busy machine is slow once.
        """
        for _ in range(_TRIES):
            fault, took = self._sent(data, refused=refused)
            if took <= PATIENCE:
                break
        if fault is None and took > PATIENCE:
            fault = f"took {took:.1f} s"
        if fault:
            self.wrong.append(f"{what}: {fault}")

    def _sent(self, data: bytes, *, refused: bool) -> tuple[str | None, float]:
        """What was wrong with the answer, and how many seconds it took."""
        began = time.monotonic()
        try:
            # A connection each: after a body that was not read to its end, one can't be used again.
            headers = {"Connection": "close"}
            answer = call("POST", self.path, base=self.base, data=data, headers=headers)
            fault = _fault(answer, refused)
        except requests.RequestException as error:
            fault = f"no answer: {error}"
        return fault, time.monotonic() - began

    def check(self) -> None:
        """Fail with everything that was wrong."""
        assert self.wrong == [], f"{len(self.wrong)} bad answers of {self.path}:\n" + "\n".join(self.wrong[:40])


def _fault(answer: requests.Response, refused: bool) -> str | None:
    if answer.status_code != 200:
        try:
            error_of(answer)
        except (AssertionError, ValueError, KeyError) as error:
            return str(error)[:300]
        return None
    allowed = answer.json().get("response", {}).get("allowed", True)
    return f"taken for good: {answer.text[:200]}" if refused and allowed else None


@pytest.fixture(params=["/mutate", "/api/request", "submit", "/api/v1/plugin"])
def route(request: pytest.FixtureRequest, vast: Workspace) -> tuple[Answers, Any]:
    [(path, body)] = [one for one in _bodies(vast.name).items() if one[0].endswith(request.param)]
    doors = {"/mutate": WEBHOOK, "/api/request": SCOUT, "/api/v1/plugin": PLUGIN}
    return Answers(path, base=doors.get(path, BALANCER)), body


def test_bodies_that_are_wrong_as_a_whole(route: tuple[Answers, Any]) -> None:
    answers, _ = route
    for what, data in WHOLE.items():
        answers.send(what, data, refused=True)
    answers.check()


def test_bodies_that_are_no_json_somewhere(route: tuple[Answers, Any]) -> None:
    answers, body = route
    for place in places(body):
        for what, text in NO_JSON.items():
            answers.send(f"{what} at {place}", with_value(body, place, text), refused=True)
    answers.check()


def test_bodies_with_any_field_missing_or_of_another_kind(route: tuple[Answers, Any]) -> None:
    answers, body = route
    for place in places(body):
        answers.send(f"{place} is missing", without(body, place), refused=_needed(place))
        for what in (*TEXTS, *OTHERS):
            answers.send(f"{what} at {place}", with_value(body, place, VALUES[what]), refused=_nonsense(place, what))
    answers.check()


TEXT_PLACES: set[Path] = {
    ("request", "uid"),
    ("request", "operation"),
    ("request", "namespace"),
    ("request", "kind", "kind"),
    ("request", "userInfo", "username"),
    ("kind",),
    ("apiVersion",),
}
OBJECT_PLACES: set[Path] = {
    ("request",),
    ("request", "kind"),
    ("request", "userInfo"),
    ("request", "object"),
    ("request", "object", "metadata"),
    ("request", "object", "spec"),
}
NEEDED = ("cpu", "ram", "resourceKind", "resourceName", "workflow", "call")


def _needed(place: Path) -> bool:
    return place in TEXT_PLACES | OBJECT_PLACES or place[0] in NEEDED or "parameters" in place[-2:-1]


def _nonsense(place: Path, what: str) -> bool:
    if place in TEXT_PLACES:
        return what in OTHERS
    if place in OBJECT_PLACES:
        return what not in ("an object", "a nested object")
    return False
