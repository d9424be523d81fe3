"""Verbs that are given while a target is away: each is accepted, kept, and done when the target is back."""

import time
from collections.abc import Callable

import pytest
from rich.console import Console

from tests.end_to_end.lab import away
from tests.end_to_end.manifests import only_on
from tests.end_to_end.objects import Object, annotations, origin, workflow
from tests.end_to_end.verb_scenarios import ASKS, FAILS, SLEEPS, node_of, until_ended, until_node
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace

ASK = ("--node-field-selector", "displayName=ask")
# The verbs of each Workflow that is steered, with the node that it has to have reached before.
VERBS: dict[str, tuple[Object, str, tuple[tuple[str, ...], ...]]] = {
    "stop": (SLEEPS, "sleep", (("stop",),)),
    "terminate": (SLEEPS, "sleep", (("terminate",),)),
    "suspend": (ASKS, "ask", (("suspend",),)),
    "set and resume": (ASKS, "ask", (("node", "set", *ASK, "-p", "answer=yes"), ("resume", *ASK))),
    "retry": (FAILS, "second", (("retry", "-p", "code=0"),)),
    "delete": (SLEEPS, "sleep", (("delete",),)),
}


@pytest.mark.timeout(600, func_only=True)
def test_verbs_given_while_the_target_is_away_are_done_when_it_is_back(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {verb: workspace.create(only_on("west", manifest)) for verb, (manifest, _, _) in VERBS.items()}
    for verb, (_, node, _) in VERBS.items():
        until_node(workspace.name, names[verb], node, "Failed" if verb == "retry" else "Running")
    until_ended(workspace.name, names["retry"], "Failed")
    failed = run_of(workspace, names["retry"])
    with away("west"):
        for verb, (_, _, commands) in VERBS.items():
            for command in commands:
                give(workspace, command, names[verb])
        resubmitted = workspace.argo("resubmit", "-o", "name", names["retry"]).ok().out.strip()
    back = time.monotonic()
    done: dict[str, Callable[[], bool]] = {
        "stop": lambda: ended(workspace, names["stop"]),
        "terminate": lambda: ended(workspace, names["terminate"]),
        "suspend": lambda: run_of(workspace, names["suspend"])["spec"].get("suspend") is True,
        "set and resume": lambda: phase_at_the_run(workspace, names["set and resume"], "ask") == "Succeeded",
        "retry": lambda: (
            run_of(workspace, names["retry"])["status"].get("finishedAt") != failed["status"]["finishedAt"]
        ),
        "delete": lambda: workflow("front", workspace.name, names["delete"]) is None,
    }
    took = {}
    for verb, is_done in done.items():
        eventually(is_done, f"{verb} is done")
        took[verb] = time.monotonic() - back
    with capsys.disabled():
        words = ", ".join(f"{verb} {after:.1f}" for verb, after in took.items())
        Console(width=120).print(f"\ndone so many seconds after the target was back: {words}")
    # The same run goes on, and all that was asked for comes about.
    assert run_of(workspace, names["retry"])["metadata"]["uid"] == failed["metadata"]["uid"]
    until_ended(workspace.name, names["retry"], "Succeeded")
    until_ended(workspace.name, names["set and resume"], "Succeeded")
    # The retry has changed the parameter that the resubmission takes along.
    until_ended(workspace.name, resubmitted, "Succeeded")
    for verb in ("stop", "terminate"):
        assert origin(workspace.name, names[verb])["status"]["phase"] == "Failed"
    steered = [names[verb] for verb in ("stop", "suspend", "retry")]
    eventually(
        lambda: all("verbs" not in annotations(origin(workspace.name, name)) for name in steered),
        "what was asked for is noted as done",
    )


def give(workspace: Workspace, command: tuple[str, ...], name: str) -> None:
    """One command of Argo's CLI, which has to be accepted."""
    verb, words = (command[:2], command[2:]) if command[0] == "node" else (command[:1], command[1:])
    workspace.argo(verb[0], *verb[1:], name, *words).ok()


def run_of(workspace: Workspace, name: str) -> Object:
    """Its run, on west."""
    found = workflow("west", workspace.name, name)
    assert found is not None
    return found


def phase_at_the_run(workspace: Workspace, name: str, node: str) -> str:
    """The phase of a node of the run."""
    return str(node_of(run_of(workspace, name), node)["phase"])


def ended(workspace: Workspace, name: str) -> bool:
    """Whether the front door shows the end."""
    return origin(workspace.name, name)["status"]["phase"] in ("Succeeded", "Failed", "Error")
