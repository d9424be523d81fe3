"""Somebody who has Argo's UI open, and knows what they have submitted."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.end_to_end.objects import Object
from tests.end_to_end.ui_answers import Names
from tests.end_to_end.ui_browser import Answer, Browser
from tests.end_to_end.ui_workflows import MANIFESTS, edited

FINAL = ("Succeeded", "Failed", "Error")


@dataclass
class Visit:
    """A browser, and what its person knows of what it has submitted."""

    browser: Browser
    names: Names
    stub: bool
    watched: list[Any] = field(default_factory=list)
    """What the list's page was told meanwhile."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set when nobody looks at the list any more."""
    called: dict[str, str] = field(default_factory=dict)

    def ask(self, what: str, ours: str = "", **place: Any) -> Answer:
        """Ask, of the Workflow that we call so."""
        return self.browser.ask(what, **({"name": self.called[ours]} if ours else {}), **place)

    def submitted(self, answer: Answer, ours: str) -> Any:
        """Call what was submitted so. What argo-server writes into a status before there is one, no page shows."""
        made = {key: one for key, one in answer.ok().items() if key != "status"}
        self.called[ours] = self.names.call(made["metadata"]["name"], ours)
        return self.names.words(made)

    def create(self, which: str, ours: str) -> Any:
        """Submit what stands in the editor."""
        workflow = edited(MANIFESTS[which], self.browser.namespace)
        return self.submitted(self.ask("submit: an edited Workflow", workflow=workflow), ours)

    def until(self, ours: str, wanted: Callable[[Object], bool]) -> Object:
        """Watch the Workflow on its page until it is as wanted."""
        events = self.browser.until("Workflow: watch it", lambda event: wanted(event["object"]), name=self.called[ours])
        shown: Object = events[-1]["object"]
        return shown

    def ended(self, ours: str, *, since: str | None = None) -> Any:
        """Watch it to its end, and open it."""
        self.until(ours, lambda shown: phase(shown) in FINAL and shown["status"].get("finishedAt") != since)
        return self.names.workflow(self.opened(ours))

    def opened(self, ours: str) -> Object:
        """The Workflow, as it came."""
        shown: Object = self.ask("open a Workflow", ours).ok()
        return shown

    def went(self, answer: Answer) -> Any:
        """Of a verb's answer the UI takes the name only, to go to that page."""
        metadata = answer.ok().get("metadata", {})
        return self.names.words({key: metadata.get(key) for key in ("name", "namespace")})


def phase(shown: Object) -> str:
    """The phase that a Workflow shows, if it has one yet."""
    return str((shown.get("status") or {}).get("phase") or "")


def node_is(shown: Object, name: str, wanted: str) -> bool:
    """Whether a node of that display name is in that phase."""
    nodes = ((shown.get("status") or {}).get("nodes") or {}).values()
    return any(one["displayName"] == name and one["phase"] == wanted for one in nodes)


def while_it_runs(node: Object) -> Object:
    """What the tree shows of a node that may not have ended; all else of it comes at one moment or another."""
    since = "startedAt of what runs" if node["phase"] == "Running" and node["type"] == "Pod" else "startedAt"
    shown = {key: node.get(key) for key in ("displayName", "type", "phase", "boundaryID", "templateName", "template")}
    return {**shown, since: node.get("startedAt")}
