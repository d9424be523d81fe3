"""The ways to steer a Workflow at the front door: what people have in their hands, unchanged."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.end_to_end.commands import argo, kubectl
from tests.end_to_end.medea import administrator
from tests.lab.layout import ARGO_SERVER_URL

_SERVER = (f"--argo-server={ARGO_SERVER_URL.partition('//')[2]}", "--secure=false", "--argo-http1")
_TIMEOUT = 60


@dataclass(frozen=True)
class Command:
    """A verb of Argo's, in the words of its CLI and of its server's REST API. `patch` is all that kubectl needs."""

    verb: str
    words: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    patch: Mapping[str, Any] | None = None


Way = Callable[[str, str, Command], str]
"""Gives a verb to a Workflow, by namespace and name; returns the name that the verb speaks of."""


def by_argo(namespace: str, name: str, command: Command) -> str:
    """`argo VERB`, which talks to the apiserver."""
    return _argo(namespace, name, command)


def by_argo_server(namespace: str, name: str, command: Command) -> str:
    """`argo VERB`, which talks to argo-server."""
    # The server would do without a token, but its client does not, and one that is shown has to be real.
    return _argo(namespace, name, command, *_SERVER, f"--token={administrator()}")


def by_rest(namespace: str, name: str, command: Command) -> str:
    """argo-server's REST API, as Argo's UI calls it."""
    url = f"{ARGO_SERVER_URL}/api/v1/workflows/{namespace}/{name}"
    if command.verb == "delete":
        answer = requests.delete(url, timeout=_TIMEOUT)
    else:
        body = {"namespace": namespace, "name": name, **command.body}
        answer = requests.put(f"{url}/{command.verb}", json=body, timeout=_TIMEOUT)
    assert answer.status_code == 200, answer.text
    return str(answer.json().get("metadata", {}).get("name", name))


def by_kubectl(namespace: str, name: str, command: Command) -> str:
    """`kubectl patch`, or `kubectl delete`."""
    if command.verb == "delete":
        kubectl("front", "delete", "workflow", "-n", namespace, name, "--timeout=90s").ok()
    else:
        patch = ("--type=merge", "-p", json.dumps(command.patch))
        kubectl("front", "patch", "workflow", "-n", namespace, name, *patch).ok()
    return name


WAYS: dict[str, Way] = {"argo": by_argo, "argo-server": by_argo_server, "REST": by_rest, "kubectl": by_kubectl}


def _argo(namespace: str, name: str, command: Command, *server: str) -> str:
    verb = ("node", "set") if command.verb == "set" else (command.verb,)
    naming = ("-o", "name") if command.verb == "resubmit" else ()
    said = argo(*verb, "-n", namespace, name, *command.words, *naming, *server).ok()
    return said.out.strip() if command.verb == "resubmit" else name
