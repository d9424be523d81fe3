"""One scenario a verb: a Workflow to steer, the verb, and what origin and run must show afterwards."""

from collections.abc import Callable
from typing import Any

from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.objects import annotations, origin, runs_of, workflow
from tests.end_to_end.waiting import eventually
from tests.end_to_end.ways import Command, Way

Object = dict[str, Any]
Scenario = Callable[[str, Way, Callable[[Object], str]], None]
"""Called with the namespace, the way to steer, and how to submit. Raises what it finds wrong."""

_FINAL = ("Succeeded", "Failed", "Error")
_LIMITS = {"limits": {"cpu": "50m", "memory": "64Mi"}, "requests": {"cpu": "1m", "memory": "1Mi"}}
_ASK = "displayName=ask"


def _shell(name: str, script: str, *inputs: str) -> Object:
    container = {"image": "localhost/busybox:lab", "command": ["sh", "-c", script], "resources": _LIMITS}
    return {"name": name, "inputs": {"parameters": [{"name": one} for one in inputs]}, "container": container}


def _workflow(prefix: str, steps: list[Object], *templates: Object, code: str = "0") -> Object:
    main = {"name": "main", "steps": [[step] for step in steps]}
    spec = {
        "entrypoint": "main",
        "podSpecPatch": '{"terminationGracePeriodSeconds": 1}',
        "arguments": {"parameters": [{"name": "code", "value": code}]},
        "templates": [main, *templates],
    }
    metadata = {"generateName": f"{prefix}-"}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


SLEEPS = _workflow("sleep", [{"name": "sleep", "template": "sleep"}], _shell("sleep", "sleep 300"))
FAILS = _workflow(
    "fails",
    [{"name": "first", "template": "first"}, {"name": "second", "template": "second"}],
    _shell("first", "true"),
    _shell("second", "exit {{workflow.parameters.code}}"),
    code="3",
)
ASKS = _workflow(
    "asks",
    [
        {"name": "ask", "template": "ask"},
        {
            "name": "say",
            "template": "say",
            "arguments": {"parameters": [{"name": "answer", "value": "{{steps.ask.outputs.parameters.answer}}"}]},
        },
    ],
    {
        "name": "ask",
        "suspend": {},
        "outputs": {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}, "default": "none"}}]},
    },
    _shell("say", "test {{inputs.parameters.answer}} = yes", "answer"),
)


def stop(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """A running Workflow ends as Failed, in Argo's own words."""
    _shut_down("Stop", namespace, way, submit)


def terminate(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """Likewise, without exit handlers."""
    _shut_down("Terminate", namespace, way, submit)


def _shut_down(strategy: str, namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    name = submit(SLEEPS)
    until_node(namespace, name, "sleep", "Running")
    way(namespace, name, Command(strategy.lower(), patch={"spec": {"shutdown": strategy}}))
    until_ended(namespace, name, "Failed")
    assert _run(namespace, name)["spec"]["shutdown"] == strategy
    assert f"'{strategy}'" in origin(namespace, name)["status"]["message"]


def suspend(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """Nothing new starts on the target, and both say that they are suspended."""
    name = submit(ASKS)
    until_node(namespace, name, "ask", "Running")
    way(namespace, name, Command("suspend", patch={"spec": {"suspend": True}}))
    eventually(lambda: _run(namespace, name)["spec"].get("suspend") is True, "the run is suspended")
    assert origin(namespace, name)["spec"]["suspend"] is True
    assert _run(namespace, name)["status"]["phase"] == "Running"


def resume(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """A Workflow that was submitted suspended begins, and runs to its end."""
    suspended = {**FAILS, "spec": {**FAILS["spec"], "suspend": True, "arguments": _code("0")}}
    name = submit(suspended)
    eventually(lambda: _run(namespace, name)["spec"].get("suspend") is True, "the run exists, suspended")
    way(namespace, name, Command("resume", patch={"spec": {"suspend": None}}))
    until_ended(namespace, name, "Succeeded")


def set_and_resume(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """A supplied output reaches the step that reads it, once the node is resumed."""
    name = submit(ASKS)
    until_node(namespace, name, "ask", "Running")
    selector = ("--node-field-selector", _ASK)
    supplied = {"nodeFieldSelector": _ASK, "outputParameters": '{"answer": "yes"}'}
    way(namespace, name, Command("set", (*selector, "-p", "answer=yes"), supplied))
    way(namespace, name, Command("resume", selector, {"nodeFieldSelector": _ASK}))
    until_ended(namespace, name, "Succeeded")


def stop_a_node(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """A node that waits is failed, with the words of whoever did it."""
    name = submit(ASKS)
    until_node(namespace, name, "ask", "Running")
    words = ("--node-field-selector", _ASK, "--message", "no answer")
    way(namespace, name, Command("stop", words, {"nodeFieldSelector": _ASK, "message": "no answer"}))
    until_ended(namespace, name, "Failed")
    assert node_of(origin(namespace, name), "ask")["message"] == "no answer"


def retry(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """What failed runs again on the same target with a changed parameter, and what succeeded does not."""
    name = submit(FAILS)
    until_ended(namespace, name, "Failed")
    before = _run(namespace, name)
    way(namespace, name, Command("retry", ("-p", "code=0"), {"parameters": ["code=0"]}))
    until_ended(namespace, name, "Succeeded")
    after = _run(namespace, name)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert node_of(after, "first") == node_of(before, "first")
    assert node_of(after, "second")["startedAt"] > node_of(before, "second")["startedAt"]


def retry_of_what_succeeded(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """A step that succeeded is run again, because somebody asks for it."""
    name = submit({**FAILS, "spec": {**FAILS["spec"], "arguments": _code("0")}})
    until_ended(namespace, name, "Succeeded")
    before = _run(namespace, name)
    selector = "displayName=second"
    words = ("--restart-successful", "--node-field-selector", selector)
    way(namespace, name, Command("retry", words, {"restartSuccessful": True, "nodeFieldSelector": selector}))
    until_ended(namespace, name, "Succeeded", since=before["status"]["finishedAt"])
    after = _run(namespace, name)
    assert node_of(after, "first") == node_of(before, "first")
    assert node_of(after, "second")["startedAt"] > node_of(before, "second")["startedAt"]


def resubmit(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """A new placement of the original, decided anew."""
    old, new = _resubmitted(namespace, way, submit, Command("resubmit"))
    assert node_of(_run(namespace, new), "first")["type"] == "Pod"
    assert ledger_row(namespace, new)["placement"] != ledger_row(namespace, old)["placement"]


def resubmit_memoized(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """Likewise, and what had succeeded is not run again."""
    _, new = _resubmitted(namespace, way, submit, Command("resubmit", ("--memoized",), {"memoized": True}))
    assert node_of(_run(namespace, new), "first")["type"] == "Skipped"
    assert node_of(origin(namespace, new), "first")["type"] == "Skipped"


def _resubmitted(namespace: str, way: Way, submit: Callable[[Object], str], command: Command) -> tuple[str, str]:
    old = submit(FAILS)
    until_ended(namespace, old, "Failed")
    new = way(namespace, old, command)
    assert new != old
    until_ended(namespace, new, "Failed")
    assert node_of(_run(namespace, new), "second")["type"] == "Pod"
    return old, new


def delete(namespace: str, way: Way, submit: Callable[[Object], str]) -> None:
    """The run goes, and the origin after it."""
    name = submit(SLEEPS)
    until_node(namespace, name, "sleep", "Running")
    placement = ledger_row(namespace, name)["placement"]
    way(namespace, name, Command("delete"))
    eventually(lambda: workflow("front", namespace, name) is None, "the origin is gone")
    assert runs_of(placement) == []


SCENARIOS: dict[str, tuple[Scenario, frozenset[str]]] = {
    "stop": (stop, frozenset()),
    "terminate": (terminate, frozenset()),
    "suspend": (suspend, frozenset()),
    "resume": (resume, frozenset()),
    "set, resume a node": (set_and_resume, frozenset({"kubectl"})),
    "stop a node": (stop_a_node, frozenset({"kubectl"})),
    "retry": (retry, frozenset({"kubectl"})),
    "retry --restart-successful": (retry_of_what_succeeded, frozenset({"kubectl"})),
    "resubmit": (resubmit, frozenset({"kubectl"})),
    "resubmit --memoized": (resubmit_memoized, frozenset({"kubectl"})),
    "delete": (delete, frozenset()),
}
"""The scenario of each verb, and the ways that have no words for it: nobody writes Argo's own arithmetic by hand."""


def _code(code: str) -> Object:
    return {"parameters": [{"name": "code", "value": code}]}


def _run(namespace: str, name: str) -> Object:
    placement = annotations(origin(namespace, name))["placement"]
    [(_, run)] = eventually(lambda: runs_of(placement), f"{name} has a run")
    return run


def _nodes(thing: Object) -> list[Object]:
    return list(((thing.get("status") or {}).get("nodes") or {}).values())


def node_of(thing: Object, name: str) -> Object:
    """The one node of that display name."""
    [node] = [one for one in _nodes(thing) if one["displayName"] == name]
    return node


def until_node(namespace: str, name: str, node: str, phase: str) -> None:
    """Wait until the front door shows a node in that phase."""

    def there() -> bool:
        return any(one["displayName"] == node and one["phase"] == phase for one in _nodes(origin(namespace, name)))

    eventually(there, f"node {node} of {name} is {phase} at the front door")


def until_ended(namespace: str, name: str, phase: str, since: str = "") -> None:
    """Origin and run end alike: phase, message, and the phase of each node."""

    def ended() -> Object | None:
        status = origin(namespace, name).get("status") or {}
        return status if status.get("phase") in _FINAL and status["finishedAt"] > since else None

    # Another version's examples, which nobody remembers yet, may keep both cores busy meanwhile.
    status = eventually(ended, f"{name} ends", within=240)
    assert status is not None
    assert status["phase"] == phase, status.get("message")
    run = _run(namespace, name)
    assert (run["status"]["phase"], run["status"].get("message")) == (phase, status.get("message"))
    at_the_run = {one["displayName"]: one["phase"] for one in _nodes(run) if one.get("boundaryID")}
    shown = {one["displayName"]: one["phase"] for one in _nodes(origin(namespace, name))}
    assert at_the_run.items() <= shown.items()
