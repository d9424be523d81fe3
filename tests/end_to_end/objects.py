"""Kubernetes objects of any cluster, without the time a program takes to start: waiting may take a hundred looks."""

import atexit
import base64
import functools
import tempfile
import time
from typing import Any

import requests
import yaml
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from tests.end_to_end.waiting import eventually
from tests.lab.layout import BY_NAME

Object = dict[str, Any]

CLUSTERS = ("front", "west", "east")
TARGETS = ("west", "east")
ARGO = "/apis/argoproj.io/v1alpha1"
MIRRORED = "medea.dev/mirrored"
AGENT = "workflows.argoproj.io/component=agent"
"""The selector of Argo's agents."""
_TRIES = 10
# What a busy apiserver answers in passing says nothing of what it has. Only reading is asked again, and what never got
# there.
_READ_AGAIN = Retry(
    3, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=["GET"], raise_on_status=False
)


def workflow(cluster: str, namespace: str, name: str) -> Object | None:
    """A Workflow, or None when it is not there."""
    return _get(cluster, f"{ARGO}/namespaces/{namespace}/workflows/{name}")


def origin(namespace: str, name: str) -> Object:
    """A Workflow at the front door that has to be there."""
    found = workflow("front", namespace, name)
    assert found is not None, f"there is no Workflow {namespace}/{name} at the front door"
    return found


def cluster_of(namespace: str, name: str) -> str:
    """The target that a Workflow is placed on: at once, unless no target answered just then, and it is queued first."""
    return eventually(lambda: annotations(origin(namespace, name)).get("cluster", ""), f"{name} is placed")


def would_be_on(namespace: str, manifest: Object) -> str:
    """Where the webhook would place a Workflow now, as a dry run says; empty if nowhere."""
    session, server = connection("front")
    answer = session.post(f"{server}{ARGO}/namespaces/{namespace}/workflows?dryRun=All", json=manifest, timeout=60)
    return annotations(answer.json()).get("cluster", "") if answer.status_code == 201 else ""


def workflows(cluster: str, namespace: str) -> list[Object]:
    """All Workflows of a namespace."""
    return _list(cluster, f"{ARGO}/namespaces/{namespace}/workflows")


def pods(cluster: str, namespace: str) -> list[Object]:
    """All pods of a namespace."""
    return _list(cluster, f"/api/v1/namespaces/{namespace}/pods")


def pods_with(cluster: str, namespace: str, *labels: str) -> list[Object]:
    """Those that have all of these labels, each written as a selector: `name=value`."""
    wanted = {tuple(one.split("=")) for one in labels}
    return [pod for pod in pods(cluster, namespace) if wanted <= set(pod["metadata"].get("labels", {}).items())]


def mirrored(namespace: str) -> list[Object]:
    """The pods at the front door that stand for others."""
    return [pod for pod in pods("front", namespace) if MIRRORED in pod["metadata"]["labels"]]


def plugins(namespace: str) -> list[Object]:
    """The ConfigMaps at the front door that tell Argo of plugins."""
    selector = "workflows.argoproj.io/configmap-type%3DExecutorPlugin"
    return _list("front", f"/api/v1/namespaces/{namespace}/configmaps?labelSelector={selector}")


def agents_are_given(namespace: str, text: str) -> bool:
    """Whether Argo was told to give its agents there a plugin with this text in its container."""
    return any(text in one["data"]["sidecar.container"] for one in plugins(namespace))


def argos_events(cluster: str, workflow: Object) -> set[tuple[Any, ...]]:
    """Type, reason, message and count of what Argo's controller said of a Workflow."""
    metadata = workflow["metadata"]
    selector = f"involvedObject.uid%3D{metadata['uid']},source%3Dworkflow-controller"
    found = _list(cluster, f"/api/v1/namespaces/{metadata['namespace']}/events?fieldSelector={selector}")
    return {tuple(one[key] for key in ("type", "reason", "message", "count")) for one in found}


def runs_of(placement: str) -> list[tuple[str, Object]]:
    """The runs of a placement with their clusters, wherever they are: in any namespace of any cluster."""
    selector = f"{ARGO}/workflows?labelSelector=medea.dev/placement%3D{placement}"
    return [(cluster, run) for cluster in CLUSTERS for run in _list(cluster, selector)]


def runs_in(namespace: str) -> list[tuple[str, str]]:
    """Cluster and name of every Workflow on the targets, in one namespace."""
    return [(cluster, run["metadata"]["name"]) for cluster in TARGETS for run in workflows(cluster, namespace)]


def create(cluster: str, namespace: str, manifest: Object) -> requests.Response:
    """Create a Workflow. It is sent again if the answer says after how many seconds, as argo and kubectl do."""
    session, server = connection(cluster)
    for _ in range(_TRIES):
        answer = session.post(f"{server}{ARGO}/namespaces/{namespace}/workflows", json=manifest, timeout=60)
        if "Retry-After" not in answer.headers:
            break
        time.sleep(float(answer.headers["Retry-After"]))
    return answer


def create_and_delete(namespace: str, manifest: Object) -> None:
    """Create a Workflow at the front door and delete it in the very next request."""
    create("front", namespace, manifest).raise_for_status()
    session, server = connection("front")
    one = f"{server}{ARGO}/namespaces/{namespace}/workflows/{manifest['metadata']['name']}"
    session.delete(one, timeout=60).raise_for_status()


def annotations(thing: Object) -> dict[str, str]:
    """Medea's annotations of an object, without their prefix."""
    found = thing["metadata"].get("annotations") or {}
    return {key.removeprefix("medea.dev/"): text for key, text in found.items() if key.startswith("medea.dev/")}


def _list(cluster: str, path: str) -> list[Object]:
    found = _get(cluster, path)
    return found["items"] if found else []


def _get(cluster: str, path: str) -> Object | None:
    session, server = connection(cluster)
    answer = session.get(server + path, timeout=30)
    if answer.status_code == 404:
        return None
    answer.raise_for_status()
    found: Object = answer.json()
    return found


@functools.cache
def connection(cluster: str) -> tuple[requests.Session, str]:
    """A session as a cluster's administrator, and the apiserver's URL."""
    config = yaml.safe_load(BY_NAME[cluster].kubeconfig.read_text())
    about, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    session = requests.Session()
    session.trust_env = False
    session.cert = (_file(user["client-certificate-data"]), _file(user["client-key-data"]))
    session.verify = _file(about["certificate-authority-data"])
    session.mount("https://", HTTPAdapter(max_retries=_READ_AGAIN))
    return session, about["server"]


def _file(encoded: str) -> str:
    # requests reads certificates from files only, and at each new connection.
    with tempfile.NamedTemporaryFile(delete=False, dir=_folder()) as file:
        file.write(base64.b64decode(encoded))
    return file.name


@functools.cache
def _folder() -> str:
    """A folder that goes with this process."""
    folder = tempfile.TemporaryDirectory(prefix="medea-end-to-end-")
    atexit.register(folder.cleanup)
    return folder.name
