"""`python -m tests.argo_words.record`: records what the running laboratory's argo changes, in recorded/VERSION.json.

On a target and past Medea: a Workflow before each verb of Argo's command line and right after it, while its controller
is stopped, so that nobody else's change is between the two.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.end_to_end.objects import workflow
from tests.end_to_end.verb_scenarios import ASKS, FAILS
from tests.end_to_end.waiting import eventually
from tests.lab import argo, supervisor
from tests.lab.binaries import binary
from tests.lab.lab import Lab
from tests.lab.layout import WEST
from tests.lab.versions import version

Object = dict[str, Any]
RECORDED = Path(__file__).parent / "recorded"
_NAMESPACE = "argo-words"
_ASK = ("--node-field-selector", "displayName=ask")
VERBS: dict[str, tuple[Object, tuple[str, ...]]] = {
    "suspend": (ASKS, ("suspend", "NAME")),
    "stop": (ASKS, ("stop", "NAME")),
    "terminate": (ASKS, ("terminate", "NAME")),
    "stop a node": (ASKS, ("stop", "NAME", *_ASK, "--message", "no answer")),
    "resume a node": (ASKS, ("resume", "NAME", *_ASK)),
    "set": (ASKS, ("node", "set", "NAME", *_ASK, "-p", "answer=yes")),
    "resume": ({**ASKS, "spec": {**ASKS["spec"], "suspend": True}}, ("resume", "NAME")),
    "retry": (FAILS, ("retry", "NAME", "-p", "code=0")),
}
"""By name: the Workflow that a verb is tried on, and the words after `argo`."""
_SETTLED: dict[str, Callable[[Object], bool]] = {
    "resume": lambda status: status.get("phase") == "Running",
    "retry": lambda status: status.get("phase") == "Failed",
}


def main() -> None:
    """Record all verbs of the version that runs."""
    lab = Lab()
    lab.kubectl(WEST.name, "create", "namespace", _NAMESPACE)
    try:
        seen = {name: _recorded(lab, name) for name in VERBS}
    finally:
        lab.kubectl(WEST.name, "delete", "namespace", _NAMESPACE, "--wait=false")
    text = json.dumps(seen, indent=1, sort_keys=True)
    (RECORDED / f"{version('ARGO')}.json").write_text(text + "\n")


def _recorded(lab: Lab, verb: str) -> Object:
    manifest, words = VERBS[verb]
    made = lab.kubectl(WEST.name, "-n", _NAMESPACE, "create", "-o", "name", "-f", "-", input=json.dumps(manifest))
    name = made.strip().rpartition("/")[2]
    settled = _SETTLED.get(verb, _asks)
    eventually(lambda: settled(_workflow(name)["status"]), f"{name} is ready to {verb}", within=60)
    with _frozen():
        before = _workflow(name)
        told = [name if word == "NAME" else word for word in words]
        environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig(WEST.name))}
        subprocess.run(
            [binary("argo"), "-n", _NAMESPACE, *told], env=environment, check=True, timeout=60, capture_output=True
        )
        after = _workflow(name)
    return {"before": _plain(before, name), "after": _plain(after, name)}


def _workflow(name: str) -> Object:
    found = workflow(WEST.name, _NAMESPACE, name)
    assert found is not None
    return {"status": {}, **found}


def _asks(status: Object) -> bool:
    return any(node["displayName"] == "ask" and node["phase"] == "Running" for node in status.get("nodes", {}).values())


@contextmanager
def _frozen() -> Iterator[None]:
    pid = supervisor.pid_of(argo.workflow_controller(WEST).name)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _plain(found: Object, name: str) -> Object:
    """Without what differs from one time to the next and says nothing."""
    kept = {key: found["metadata"].get(key) for key in ("labels", "annotations") if key in found["metadata"]}
    text = json.dumps({"metadata": {"name": name, **kept}, "spec": found["spec"], "status": found["status"]})
    # Node ids are made of the Workflow's name and a number.
    plain: Object = json.loads(re.sub(rf"{name}(-\d+)?", lambda at: f"job{at[1] or ''}", text))
    return plain


if __name__ == "__main__":
    main()
