"""The four ways in which people hand a Workflow to the front door. Each returns its name and what was said."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import requests

from tests.end_to_end.manifests import from_template
from tests.end_to_end.workspace import TEMPLATE, Workspace
from tests.lab.layout import ARGO_SERVER_URL

PARAMETERS = {"executor_num": "1", "seconds": "1"}
TOTALS = "cpu=2, ram=0.5Gi"

Way = Callable[[Workspace], tuple[str, str]]


def argo_from(workspace: Workspace) -> tuple[str, str]:
    """`argo submit --from workflowtemplate/…`."""
    words = [word for name, value in PARAMETERS.items() for word in ("-p", f"{name}={value}")]
    done = workspace.argo("submit", "--from", f"workflowtemplate/{TEMPLATE}", "-o", "name", *words).ok()
    return done.out.strip(), done.err


def argo_file(workspace: Workspace) -> tuple[str, str]:
    """`argo submit FILE`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workflow.yaml"
        file.write_text(json.dumps(from_template(PARAMETERS)))
        done = workspace.argo("submit", "-o", "name", str(file)).ok()
    return done.out.strip(), done.err


def argo_server(workspace: Workspace) -> tuple[str, str]:
    """What Argo's UI sends; a warning has no place in its answer."""
    manifest = from_template(PARAMETERS)
    manifest["metadata"]["namespace"] = workspace.name
    url = f"{ARGO_SERVER_URL}/api/v1/workflows/{workspace.name}"
    answer = requests.post(url, json={"namespace": workspace.name, "workflow": manifest}, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["metadata"]["name"]), ""


def kubectl_create(workspace: Workspace) -> tuple[str, str]:
    """`kubectl create -f`."""
    manifest = json.dumps(from_template(PARAMETERS))
    done = workspace.kubectl("create", "-f", "-", "-o", "jsonpath={.metadata.name}", stdin=manifest).ok()
    return done.out.strip(), done.err


WAYS: dict[str, Way] = {
    "argo submit --from": argo_from,
    "argo submit FILE": argo_file,
    "argo-server": argo_server,
    "kubectl create": kubectl_create,
}
