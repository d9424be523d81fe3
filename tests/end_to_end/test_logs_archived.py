"""Logs that Argo archives outlive their pods: argo-server reads them from the run's store, and with it the UI."""

from collections.abc import Iterator

import pytest
import requests

from tests.end_to_end.argo_examples_room import apply, furnish, furniture
from tests.end_to_end.artifact_store import store
from tests.end_to_end.manifests import SMALL, inline, only_on
from tests.end_to_end.objects import Object, origin, pods
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace
from tests.lab.layout import ARGO_SERVER_URL


@pytest.fixture
def archiving(workspace: Workspace) -> Iterator[Workspace]:
    """A namespace whose runs keep their logs in a store; its credentials are at the front door as well."""
    with store() as url:
        furnish(workspace.name, url)
        access = [one for one in furniture(url, workspace.name) if one["metadata"]["name"] == "store"]
        apply("front", workspace.name, access)
        yield workspace


def test_an_archived_log_is_read_at_the_front_door_when_its_pod_is_gone(archiving: Workspace) -> None:
    # A step that Argo sees only ended may show no artifact: this is a guess, from failures whose reason nobody saw.
    manifest = only_on("west", inline("echo kept for later; sleep 5", SMALL))
    manifest["spec"] |= {"archiveLogs": True, "podGC": {"strategy": "OnPodCompletion"}}
    name = archiving.create(manifest)
    assert archiving.wait(name).code == 0, origin(archiving.name, name)["status"]
    eventually(lambda: not pods("west", archiving.name), "the run's pod is gone")
    [node] = [node for node in _nodes(archiving.name, name) if node["type"] == "Pod"]
    path = f"/artifact-files/{archiving.name}/workflows/{name}/{node['id']}/outputs/main-logs"
    answer = requests.get(ARGO_SERVER_URL + path, timeout=60)
    assert (answer.status_code, answer.text) == (200, "kept for later\n"), node


def _nodes(namespace: str, name: str) -> list[Object]:
    return list(origin(namespace, name)["status"]["nodes"].values())
