"""What an informer keeps is small, and comes out as it went in."""

import tracemalloc
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.client import Configuration

from tests.support.fake_apiserver import FakeApiserver
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.packed import pack
from webhook.kube.resources import WORKFLOWS
from webhook.model.objects import Object

DEPLOYMENT = Path(__file__).parents[2] / "manifests/base/medea.yaml"
LIVE, NODES, SAMPLE = 10_000, 20, 100

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values: st.SearchStrategy[Any] = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(spec=values, name=st.text(), version=st.none() | st.text())
def test_an_object_comes_out_as_it_went_in(spec: Any, name: str, version: str | None) -> None:
    thing = {"metadata": {"name": name, "uid": "u", "resourceVersion": version}, "spec": spec}
    packed = pack(thing)
    assert packed.unpacked() == thing
    assert (packed.uid, packed.version) == ("u", version)


def node(workflow: str, number: int) -> Object:
    """A node as Argo writes it."""
    node_id = f"{workflow}-{1_000_000 + number * 7919}"
    return {
        "id": node_id,
        "name": f"{workflow}.main[{number}].step-{number}",
        "displayName": f"step-{number}",
        "type": "Pod",
        "templateName": "work",
        "templateScope": f"local/{workflow}",
        "phase": "Running",
        "boundaryID": workflow,
        "startedAt": f"2026-01-01T00:00:{number:02}Z",
        "progress": "0/1",
        "inputs": {"parameters": [{"name": "shard", "value": f"{workflow}/{number}"}]},
        "outputs": {"parameters": [{"name": "path", "value": f"s3://bucket/{workflow}/{number}/result"}]},
        "children": [f"{workflow}-{1_000_000 + number * 104729}"],
    }


def workflow(number: int) -> Object:
    """A Workflow of `NODES` nodes, as an apiserver shows it."""
    name = f"job-{number:05}"
    nodes = {one["id"]: one for one in (node(name, place) for place in range(NODES))}
    managed = [{"manager": "workflow-controller", "fieldsV1": {"f:status": {f"f:{one}": {} for one in nodes}}}]
    metadata = {"name": name, "namespace": "ns", "labels": {"medea.dev/placement": name}, "managedFields": managed}
    return {"metadata": metadata, "spec": {"templates": [node(name, 0)] * 5}, "status": {"nodes": nodes}}


def test_ten_thousand_live_placements_take_less_than_half_of_what_the_controller_may_use() -> None:
    target = FakeApiserver("west")
    for number in range(SAMPLE):
        target.put(WORKFLOWS, workflow(number))
    watch = Informer(Cluster("west", Configuration(), http=target), WORKFLOWS, lambda _thing, _gone: None)
    tracemalloc.start()
    try:
        watch.step()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(watch.all()) == SAMPLE
    # An origin and its run each.
    assert held / SAMPLE * LIVE * 2 < memory_limit() / 2


def memory_limit() -> int:
    """Bytes that the controller's Deployment may use."""
    deployments = [one for one in yaml.safe_load_all(DEPLOYMENT.read_text()) if one and one["kind"] == "Deployment"]
    [controller] = [one for one in deployments if one["metadata"]["name"].endswith("controller")]
    text = controller["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    assert text.endswith("Gi")
    return int(text.removesuffix("Gi")) << 30
