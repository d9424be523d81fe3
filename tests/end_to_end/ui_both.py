"""The same visit to Argo's UI twice: at the front door, and on a cluster without Medea, perhaps in an earlier run."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.end_to_end.argo_examples_room import apply, direct_room, furnish, furniture, remove_workflows
from tests.end_to_end.artifact_store import store
from tests.end_to_end.memory import Memory, key
from tests.end_to_end.ui_answers import Names, differences
from tests.end_to_end.ui_browser import Browser
from tests.end_to_end.ui_visit import STEPS
from tests.end_to_end.ui_visitor import Visit
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, TEMPLATE, Workspace
from tests.lab import argo, supervisor
from tests.lab.layout import ARGO_SERVER_URL, LOGS, WEST
from tests.lab.versions import version
from tests.support.ports import free_port

AMPLE, NOTHING = ("20", "20Gi"), ("1m", "1Mi")
"""Quotas with which all runs go to the target that the plain Workflows run on: nodes of both have one host."""
_MEMORY = Memory("argo-ui")


@dataclass(frozen=True)
class Both:
    """What each step has shown on both sides, or how it failed there."""

    stub: bool
    here: dict[str, Any]
    there: dict[str, Any]
    asked: set[str]

    @property
    def agree(self) -> bool:
        """Whether all of it was seen, and the same on both sides."""
        return all(step in self.here and not self.differences(step) for step in STEPS)

    def differences(self, step: str) -> list[str]:
        """Where the front door's answers differ, but for what is meant to."""
        assert step in self.there, f"on the plain cluster the visit ended before: {self.there['ended']}"
        assert step in self.here, f"at the front door the visit ended before: {self.here['ended']}"
        return differences(self.here[step], self.there[step], stub=self.stub)


def visit_both(workspace: Workspace, *, stub: bool) -> Both:
    """The whole visit. Where a step fails it ends, and the steps before it can still be compared.

    To a plain cluster only where it is not known what is shown there, or where that differs.
    """
    browser = Browser(ARGO_SERVER_URL, workspace.name)
    here: dict[str, Any] = {}
    with store() as url:
        furnish(workspace.name, url)
        access = [one for one in furniture(url, workspace.name) if one["metadata"]["name"] == "store"]
        apply("front", workspace.name, access)
        known: dict[str, Any] = _MEMORY.known().get(_key(), {})
        with ThreadPoolExecutor(2) as people:
            plain = None if known else people.submit(_visit_plain, url)
            people.submit(_walk, browser, here, stub=stub).result()
        both = Both(stub, here, plain.result() if plain else known, browser.asked)
        if known and not both.agree:
            both = Both(stub, here, _visit_plain(url), browser.asked)
    return both


def _visit_plain(url: str) -> dict[str, Any]:
    """What each step shows on a cluster that has nothing of Medea's; kept if the visit was whole."""
    there: dict[str, Any] = {}
    with direct_room(url) as plain, _argo_server_of_west() as server:
        apply("west", plain, [yaml.safe_load((EXAMPLES / f"{TEMPLATE}.yaml").read_text())])
        _walk(Browser(server, plain), there, stub=False)
        remove_workflows(plain)
    if there.keys() == STEPS.keys():
        _MEMORY.keep({_key(): there})
    return there


def _key() -> str:
    visit = sorted(Path(__file__).parent.glob("ui_*.py"))
    return key(version("ARGO"), version("KUBERNETES"), *(file.read_text() for file in visit))


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
