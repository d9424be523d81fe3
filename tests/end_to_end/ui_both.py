"""The same visit to Argo's UI twice, side by side: at the front door, and on a cluster that has nothing of Medea's."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import yaml

from tests.end_to_end.argo_examples_room import apply, direct_room, furnish, furniture, remove_workflows
from tests.end_to_end.artifact_store import store
from tests.end_to_end.ui_answers import Names, differences
from tests.end_to_end.ui_browser import Browser
from tests.end_to_end.ui_visit import STEPS
from tests.end_to_end.ui_visitor import Visit
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, TEMPLATE, Workspace
from tests.lab import argo, supervisor
from tests.lab.layout import ARGO_SERVER_URL, LOGS, WEST
from tests.support.ports import free_port

AMPLE, NOTHING = ("20", "20Gi"), ("1m", "1Mi")
"""Quotas with which all runs go to the target that the plain Workflows run on: nodes of both have one host."""


@dataclass(frozen=True)
class Both:
    """What each step has shown on both sides, or how it failed there."""

    stub: bool
    here: dict[str, Any] = field(default_factory=dict)
    there: dict[str, Any] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def differences(self, step: str) -> list[str]:
        """Where the front door's answers differ, but for what is meant to."""
        assert step in self.there, f"on the plain cluster the visit ended before: {self.there['ended']}"
        assert step in self.here, f"at the front door the visit ended before: {self.here['ended']}"
        return differences(self.here[step], self.there[step], stub=self.stub)


def visit_both(workspace: Workspace, *, stub: bool) -> Both:
    """The whole visit. Where a step fails it ends, and the steps before it can still be compared."""
    both = Both(stub)
    with store() as url, direct_room(url) as plain, _argo_server_of_west() as server:
        furnish(workspace.name, url)
        access = [one for one in furniture(url, workspace.name) if one["metadata"]["name"] == "store"]
        apply("front", workspace.name, access)
        apply("west", plain, [yaml.safe_load((EXAMPLES / f"{TEMPLATE}.yaml").read_text())])
        browser = Browser(ARGO_SERVER_URL, workspace.name)
        with ThreadPoolExecutor(2) as people:
            done = [
                people.submit(_walk, browser, both.here, stub=stub),
                people.submit(_walk, Browser(server, plain), both.there, stub=False),
            ]
        for one in done:
            one.result()
        both.asked.update(browser.asked)
        remove_workflows(plain)
    return both


def _walk(browser: Browser, shown: dict[str, Any], *, stub: bool) -> None:
    visit = Visit(browser, Names(browser.namespace, stub=stub), stub)
    for name, step in STEPS.items():
        try:
            shown[name] = step(visit)
        except Exception as error:  # noqa: BLE001 what was seen before is to be compared all the same
            shown["ended"] = f"{name}: {type(error).__name__}: {error}"
            break
    visit.left.set()


@contextmanager
def _argo_server_of_west() -> Iterator[str]:
    """The URL of an argo-server for the target, while the block runs."""
    url = f"http://127.0.0.1:{free_port()}"
    declared = argo.argo_server(WEST, url)
    name = f"argo-server-{WEST.name}"
    environment = supervisor.environment(name, declared.env)
    with (
        (LOGS / f"{name}.log").open("wb") as log,
        subprocess.Popen(declared.argv, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            # It tells its version before it has listed what it answers from.
            eventually(lambda: declared.ready() and _lists(url), "the target's argo-server is ready")
            yield url
        finally:
            process.kill()


def _lists(url: str) -> bool:
    return requests.get(f"{url}/api/v1/workflows/argo", timeout=60).status_code == 200
