"""A namespace on all clusters for a test or a module, prepared as an administrator would, and removed afterwards."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.end_to_end import medea
from tests.end_to_end.commands import Ran, argo, kubectl
from tests.end_to_end.objects import CLUSTERS, TARGETS, plugins, runs_in, would_be_on
from tests.end_to_end.waiting import eventually
from tests.lab.layout import CHECKOUT
from tests.lab.medea import consent

EXAMPLES = CHECKOUT / "examples"
TEMPLATE = "hello-world-template"
AMPLE = ("20", "20Gi")
_GIB = 1 << 30


@dataclass(frozen=True)
class Workspace:
    """The namespace, and the commands in it."""

    name: str

    def argo(self, verb: str, *words: str, stdin: str | None = None, timeout: float = 120) -> Ran:
        """`argo VERB -n NAMESPACE …`."""
        return argo(verb, "-n", self.name, *words, stdin=stdin, timeout=timeout)

    def kubectl(self, verb: str, *words: str, cluster: str = "front", stdin: str | None = None) -> Ran:
        """`kubectl VERB -n NAMESPACE …`."""
        return kubectl(cluster, verb, "-n", self.name, *words, stdin=stdin)

    def apply(self, *manifests: Mapping[str, Any], cluster: str = "front") -> None:
        """Make these in the namespace, or outside all, as they are."""
        _apply(cluster, *manifests, within=self.name)

    def submit(self, *parameters: str) -> str:
        """Submit the template with these parameters; returns the Workflow's name."""
        words = [word for parameter in parameters for word in ("-p", parameter)]
        return self.argo("submit", "--from", f"workflowtemplate/{TEMPLATE}", "-o", "name", *words).ok().out.strip()

    def create(self, manifest: Mapping[str, Any]) -> str:
        """Submit a Workflow from a file; returns its name."""
        done = self.argo("submit", "-o", "name", "-", stdin=json.dumps(manifest)).ok()
        return done.out.strip()

    def dry_run(self, manifest: Mapping[str, Any]) -> Ran:
        """What is said now of a Workflow that is not submitted."""
        return self.kubectl("create", "-f", "-", "--dry-run=server", stdin=json.dumps(manifest))

    def until_may(self, user: str, verb: str) -> None:
        """Wait until somebody may do this to Workflows: an apiserver hears of its own bindings by a watch."""
        asked = ("auth", "can-i", verb, "workflows.argoproj.io", f"--as={user}")
        eventually(lambda: self.kubectl(*asked).code == 0, f"{user} may {verb}")

    def wait(self, name: str, *, timeout: float = 240) -> Ran:
        """`argo wait`: it ends when the Workflow has ended."""
        return self.argo("wait", name, timeout=timeout)


WorkspaceMaker = Callable[..., Workspace]


@contextmanager
def new_workspace(
    west: tuple[str, str] = AMPLE,
    east: tuple[str, str] = AMPLE,
    *,
    enabled: bool = True,
    accepted: bool = True,
    hold: str = "plugin",
    cleared_within: int = 300,
) -> Iterator[Workspace]:
    """A fresh namespace; `west` and `east` are the targets' quotas, `(limits.cpu, limits.memory)`.

    It is given out when Medea knows both quotas: until then Workflows would only be queued. Afterwards its Workflows
    are deleted, which may take `cleared_within` seconds.
    """
    workspace = Workspace(f"e2e-{secrets.token_hex(4)}")
    try:
        for cluster, quota in zip(TARGETS, (west, east), strict=True):
            bound = [consent(workspace.name)] if accepted else []
            _apply(cluster, _namespace(workspace.name, {}), _quota(workspace.name, quota), *bound)
        opted_in = {"medea.dev/enabled": "true", "medea.dev/hold": hold}
        _apply("front", _namespace(workspace.name, opted_in if enabled else {}))
        workspace.kubectl("apply", "-f", str(EXAMPLES / f"{TEMPLATE}.yaml")).ok()
        if enabled:
            # Seconds as a rule; kube-state-metrics takes its time to come back after its apiserver was killed.
            eventually(lambda: _known(workspace.name), f"Medea knows the quotas of {workspace.name}")
        if enabled and hold == "plugin":
            # A submit waits for it for some seconds only, and a busy machine may take longer.
            eventually(lambda: bool(plugins(workspace.name)), f"Medea has prepared {workspace.name}")
            if accepted:
                # The webhook is a process of its own, which may learn of the quotas later than the API.
                eventually(lambda: _is_open(workspace.name), f"the webhook places Workflows of {workspace.name}")
        yield workspace
    finally:
        _remove(workspace, cleared_within)


def _remove(workspace: Workspace, within: int) -> None:
    try:
        words = ("delete", "-n", workspace.name, "workflows", "--all", f"--timeout={within}s")
        kubectl("front", *words, timeout=within + 30).ok()
        eventually(lambda: not runs_in(workspace.name), f"the runs in {workspace.name} went with their origins")
    finally:
        for cluster in CLUSTERS:
            kubectl(cluster, "delete", "namespace", workspace.name, "--wait=false", "--ignore-not-found").ok()


def _known(namespace: str) -> bool:
    answer = medea.patient_call("GET", f"/api/v1/targets/{namespace}")
    # Medea refuses as long as it has not heard that the namespace has opted in.
    return answer.status_code == 200 and all(verdict["hard"] for verdict in answer.json()["targets"])


def _is_open(namespace: str) -> bool:
    return all(would_be_on(namespace, _tiny(target)) == target for target in TARGETS)


def _tiny(target: str) -> dict[str, Any]:
    """A Workflow for one target that fits into whatever is free."""
    size = {"limits": {"cpu": "1m", "memory": "1Mi"}}
    container = {"image": "localhost/busybox:lab", "command": ["true"], "resources": size}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "tiny-", "annotations": {"medea.dev/clusters": target}},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": container}]},
    }


def _apply(cluster: str, *manifests: Mapping[str, Any], within: str | None = None) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
    where = ("-n", within) if within else ()
    kubectl(cluster, "apply", *where, "-f", "-", stdin=json.dumps(listed)).ok()


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _quota(namespace: str, quota: tuple[str, str]) -> dict[str, Any]:
    cpu, memory = quota
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "compute", "namespace": namespace},
        "spec": {"hard": {"limits.cpu": cpu, "limits.memory": memory}},
    }
