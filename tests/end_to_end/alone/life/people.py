"""Those who submit while an installation changes, and what becomes of their Workflows."""

import functools
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.end_to_end.objects import ARGO, TARGETS, Object, annotations, connection, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from webhook.model.objects import labels

WITHOUT_PODS: Object = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "restart-"},
    "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": "1"}}]},
}
BREATH = 6
"""Seconds between two Workflows with pods, or two pairs, of which this machine bears only so many."""
_PAUSE = 0.2


def by_argo(workspace: Workspace) -> str | None:
    """What `argo submit` says if it fails."""
    done = workspace.argo("submit", "-o", "name", "-", stdin=json.dumps(WITHOUT_PODS))
    return None if done.code == 0 else done.said


def by_http(workspace: Workspace) -> str | None:
    """What the apiserver answers if it refuses, to a client that takes less time to start."""
    answer = _post(workspace)
    return None if answer.status_code == 201 else answer.text


@contextmanager
def asking(workspace: Workspace) -> Iterator[None]:
    """While the block runs, somebody asks five times a second whether a Workflow would be taken: it always is.

    That goes the way of a submit up to the webhook's answer, and leaves nothing to be run.
    """
    refused: list[str] = []
    stop, asked = Event(), 0

    def ask() -> None:
        nonlocal asked
        while not stop.wait(_PAUSE):
            answer = _post(workspace, "?dryRun=All")
            if answer.status_code != 201 or "placement" not in annotations(answer.json()):
                refused.append(answer.text)
            asked += 1

    with ThreadPoolExecutor(1) as pool:
        asker = pool.submit(ask)
        try:
            yield
        finally:
            stop.set()
        asker.result()
    assert asked and refused == []


def placed_in(workspace: Workspace) -> list[str]:
    """The names of all that Medea has reviewed."""
    found = workflows("front", workspace.name)
    return [one["metadata"]["name"] for one in found if "placement" in annotations(one)]


def check_each_has_run_once(workspace: Workspace, ends: dict[str, str]) -> None:
    """That each of these has one run, which ended like that, as its origin says."""

    def shown() -> dict[str, str]:
        found = {one["metadata"]["name"]: phase_of(one) for one in workflows("front", workspace.name)}
        return {name: found.get(name, "not there") for name in ends}

    eventually(lambda: shown() == ends, lambda: f"each has ended: {Counter(shown().values())}", within=400)
    names = {one["metadata"]["uid"]: one["metadata"]["name"] for one in workflows("front", workspace.name)}
    runs = [(names[labels(run)["medea.dev/origin-uid"]], phase_of(run)) for run in all_runs(workspace)]
    assert sorted(run for run in runs if run[0] in ends) == sorted(ends.items())


def all_runs(workspace: Workspace) -> list[Object]:
    """The runs in a namespace of both targets."""
    return [run for cluster in TARGETS for run in workflows(cluster, workspace.name)]


def phase_of(workflow: Object) -> str:
    """Its phase, or `None` in words."""
    return str(workflow.get("status", {}).get("phase"))


def _post(workspace: Workspace, query: str = "") -> requests.Response:
    session, url = _patient(workspace.name)
    return session.post(url + query, json=WITHOUT_PODS, timeout=30)


@functools.cache
def _patient(namespace: str) -> tuple[requests.Session, str]:
    """A session that comes again when an answer says after how many seconds, as argo and kubectl do, and where."""
    known, server = connection("front")
    session = requests.Session()
    session.trust_env, session.cert, session.verify = False, known.cert, known.verify
    session.mount("https://", HTTPAdapter(max_retries=Retry(10, connect=0, read=0, allowed_methods=["POST"])))
    return session, f"{server}{ARGO}/namespaces/{namespace}/workflows"
