"""Submitting where the hold is none, and finding the run."""

import json

from tests.end_to_end.commands import Ran
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import Object, runs_of
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace

_TINY = inline("exit 0", {**SMALL, "driver_cores_limit": "0.1", "driver_memory_limit": "0.1g"})
SLEEPS, FAILS = inline("sleep 300", SMALL), inline("echo bad luck; exit 3", SMALL)


def submit(workspace: Workspace, manifest: Object, *words: str) -> Ran:
    """May be refused."""
    return workspace.argo("submit", "-o", "name", *words, "-", stdin=json.dumps(manifest))


def accepting(workspace: Workspace) -> Workspace:
    """The workspace, once its probe has been left alone for long enough."""

    def asked() -> Ran:
        return submit(workspace, _TINY, "--server-dry-run")

    eventually(lambda: asked().code == 0, lambda: f"Medea has made sure that no controller works there: {asked().said}")
    return workspace


def run_of(workspace: Workspace, name: str) -> tuple[str, Object]:
    """The one run, with its cluster."""
    [found] = runs_of(ledger_row(workspace.name, name)["placement"])
    return found


def remove_all(workspace: Workspace) -> None:
    """Before the controller is back, which would find pods missing that never were here."""
    workspace.kubectl("delete", "workflows", "--all", "--timeout=90s").ok()
