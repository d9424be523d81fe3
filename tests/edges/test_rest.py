"""An edge answers as an apiserver does what Medea asks of a target, through Medea's own client and over TLS."""

import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from certs import files as certificates
from webhook.edges.agent import Agent
from webhook.edges.join import kubeconfig
from webhook.edges.rest import Edge, merged
from webhook.edges.selectors import selected
from webhook.edges.server import Server
from webhook.edges.store import Store
from webhook.errors import AlreadyExists, BadRequest, Conflict, Expired, NotThere
from webhook.kube.client import Cluster
from webhook.kube.kubeconfig import configuration_of
from webhook.kube.resources import NAMESPACES, RESOURCE_QUOTAS, WORKFLOWS
from webhook.targets.acceptance import is_accepted
from webhook.targets.argo import missing_kinds

Object = dict[str, Any]


class Served:
    """One edge, served."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = certificates.ensure(folder, names=("localhost",), ips=("127.0.0.1",))
        self.store = Store(folder / "edges.db")
        self.edge = Edge("one", self.store, ("ns",), 8, 64)
        self.edge.furnish()
        self.server = Server(
            ("127.0.0.1", 0),
            {"one": self.edge},
            token="secret",
            certificate=files.certificate,
            key=files.key,
            longest_watch=0.1,
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url, self.ca = f"https://127.0.0.1:{self.server.server_port}/one", str(files.ca)
        config = kubeconfig(self.url, files.ca.read_bytes(), "secret")
        data = {"kubeconfig": base64.b64encode(repr(config).replace("'", '"').encode()).decode()}
        self.cluster = Cluster("one", configuration_of({"metadata": {"name": "one"}, "data": data}))

    def close(self) -> None:
        """Stop."""
        self.cluster.close()
        self.server.shutdown()
        self.server.server_close()
        self.store.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An edge."""
    made = Served(tmp_path)
    yield made
    made.close()


def workflow(name: str = "w", **metadata: Any) -> Object:
    return {"metadata": {"name": name, **metadata}, "spec": {"entrypoint": "main", "templates": [{"name": "main"}]}}


def test_it_is_a_target_as_medea_wants_one(served: Served) -> None:
    assert is_accepted(served.cluster, "ns") and missing_kinds(served.cluster) == []
    assert served.cluster.find(NAMESPACES, None, "kube-system") is not None
    [quota], _ = served.cluster.list(RESOURCE_QUOTAS, "ns")
    assert quota["status"]["hard"] == {"limits.cpu": "8", "limits.memory": "64Gi"}


def test_objects_are_made_changed_and_deleted_as_on_any_cluster(served: Served) -> None:
    cluster = served.cluster
    made = cluster.create(WORKFLOWS, "ns", workflow(finalizers=["medea.dev/run"]))
    with pytest.raises(AlreadyExists):
        cluster.create(WORKFLOWS, "ns", workflow())
    assert cluster.create(WORKFLOWS, "ns", workflow("dry"), dry_run=True)["metadata"]["uid"]
    assert cluster.find(WORKFLOWS, "ns", "dry") is None
    changed = cluster.patch(WORKFLOWS, "ns", "w", {"spec": {"suspend": True}})
    assert changed["spec"]["suspend"] is True
    with pytest.raises(Conflict):
        cluster.patch(WORKFLOWS, "ns", "w", {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}})
    with pytest.raises(Conflict):
        cluster.delete(WORKFLOWS, "ns", "w", uid="another")
    cluster.delete(WORKFLOWS, "ns", "w", uid=made["metadata"]["uid"])
    assert "deletionTimestamp" in cluster.get(WORKFLOWS, "ns", "w")["metadata"]
    cluster.patch(WORKFLOWS, "ns", "w", {"metadata": {"finalizers": None}})
    assert cluster.find(WORKFLOWS, "ns", "w") is None
    with pytest.raises(NotThere):
        cluster.create(WORKFLOWS, "elsewhere", workflow())


def test_a_watch_tells_of_what_is_selected_and_of_what_came_before_a_kill(served: Served) -> None:
    _, version = served.cluster.list(WORKFLOWS)
    served.cluster.create(WORKFLOWS, "ns", workflow("a", labels={"x": "1"}))
    served.cluster.create(WORKFLOWS, "ns", workflow("b"))
    stop = threading.Event()
    events = list(served.cluster.watch(WORKFLOWS, None, selector="x", version=version, stop=stop))
    assert [(one["type"], one["object"]["metadata"]["name"]) for one in events] == [("ADDED", "a")]
    with served.store.change():
        served.store._connection.execute("DELETE FROM changes WHERE version < (SELECT max(version) FROM changes)")
    with pytest.raises(Expired):
        list(served.cluster.watch(WORKFLOWS, None, selector="", version="1", stop=stop))


def test_workflows_end_by_power_and_time_each_item_once_and_a_restart_forgets_nothing(served: Served) -> None:
    power = {"parameters": [{"name": "power", "value": "50"}]}
    step = {"name": "work", "template": "one", "withItems": ["a", "b"], "arguments": power}
    spec = {"entrypoint": "main", "templates": [{"name": "main", "steps": [[step]]}]}
    served.cluster.create(WORKFLOWS, "ns", {"metadata": {"name": "w"}, "spec": spec})
    now = 0.0
    for _ in range(100):
        # A new agent each time, as after a kill.
        Agent([Edge("one", served.store, ("ns",), 8, 64)], 1.0).turn(now, now + 1.0)
        now += 1.0
    found = served.cluster.get(WORKFLOWS, "ns", "w")
    assert found["status"]["phase"] == "Succeeded" and found["status"]["progress"] == "2/2"
    rows = served.store._connection.execute("SELECT item FROM carried_out ORDER BY number").fetchall()
    assert rows == [("a",), ("b",)]


def test_a_stopped_one_fails_and_a_suspended_one_waits(served: Served) -> None:
    agent = Agent([served.edge], 1.0)
    for name, spec in (("stopped", {"shutdown": "Stop"}), ("waits", {"suspend": True})):
        served.cluster.create(WORKFLOWS, "ns", workflow(name))
        agent.turn(0.0, 0.1)
        served.cluster.patch(WORKFLOWS, "ns", name, {"spec": spec})
    agent.turn(0.1, 1000.0)
    phases = {name: served.cluster.get(WORKFLOWS, "ns", name)["status"]["phase"] for name in ("stopped", "waits")}
    assert phases == {"stopped": "Failed", "waits": "Running"}


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/api/v1/pods", b"", 200),
        ("GET", "/nothing/here", b"", 404),
        ("GET", "/../../etc/passwd", b"", 404),
        ("POST", "/api/v1/namespaces/ns/configmaps", b"[" * 100_000, 400),
        ("POST", "/api/v1/namespaces/ns/configmaps", b"[1]", 400),
        ("POST", "/api/v1/namespaces/ns/configmaps", b"\xff", 400),
        ("POST", "/api/v1/namespaces/ns/configmaps", bytes(5 * 1024 * 1024), 413),
        ("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dx", b"", 200),
        ("PATCH", "/api/v1/namespaces/ns/configmaps", b"{}", 405),
    ],
)
def test_whatever_is_sent_is_answered(served: Served, method: str, path: str, data: bytes, status: int) -> None:
    headers = {"Authorization": "Bearer secret"}
    try:
        answer = requests.request(method, served.url + path, data=data, headers=headers, verify=served.ca, timeout=20)
    except (requests.ConnectionError, urllib3.exceptions.HTTPError):
        # It does not read what is too large.
        assert status == 413
        return
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("header", [None, "Bearer wrong", "secret", "Bearer "])
def test_nobody_gets_in_without_its_token(served: Served, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    assert requests.get(f"{served.url}/api/v1/pods", headers=headers, verify=served.ca, timeout=20).status_code == 401


def test_selectors_mean_what_they_mean_to_kubernetes() -> None:
    thing = {"metadata": {"name": "a", "labels": {"x": "1", "y": ""}}}
    for selector in ("", "x", "x=1", "x==1", "x!=2", "!z", "x in (1, 2)", "x notin (3)", "z notin (1)", "x=1,y", "y="):
        assert selected(thing, selector), selector
    for selector in ("z", "x=2", "x!=1", "!x", "x in (2)", "x notin (1)", "x=1,z"):
        assert not selected(thing, selector), selector
    assert selected(thing, "", "metadata.name=a") and not selected(thing, "", "metadata.name=b")
    with pytest.raises(BadRequest):
        selected(thing, "", "spec.x=1")


def test_a_merge_patch_is_one() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None}, "d": [2], "e": {"f": None}}) == {
        "a": {"c": 2},
        "d": [2],
        "e": {},
    }
