"""An example as the laboratory can run it: local images, sh instead of Python, artifacts in the test's own store."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.end_to_end.argo_examples_choice import folder
from tests.end_to_end.argo_examples_edits import EDITS, PYTHON
from tests.lab.layout import BUSYBOX

Object = dict[str, Any]

STORE_ACCESS = {
    "usernameSecret": {"name": "store", "key": "username"},
    "passwordSecret": {"name": "store", "key": "password"},
}
FOR = "medea.test/for"
"""Label on what belongs to no namespace: the one it was made for."""
_INTERPRETERS = {"python", "node"}
_SERVERS = {"nginx": "nginx", "influxdb": "influxd", "argoproj/argosay": "argosay"}
"""What an image runs when it is told nothing; Argo would ask a registry."""
_BUCKETS = ("s3", "gcs", "oss", "azure", "artifactory")
_IMAGE_LINE = re.compile(r"\bimage: .*")


def documents(file: str, store: str, half: str) -> list[Object]:
    """The documents of an example.

    `store` is the URL of the HTTP server; `half` keeps what is the same for a whole cluster apart for the two ways.
    """
    text = (folder() / file).read_text()
    for old, new in EDITS.get(file, ()):
        assert old in text, f"{file} has no {old!r} any more"
        text = text.replace(old, new)
    text = text.replace("STORE", store).replace("cluster-workflow-template-", f"{half}-")
    found = [document for document in yaml.safe_load_all(text) if document]
    for document in found:
        _rewrite(document, f"{store}/kept/{half}")
        if document["kind"] == "Workflow" and "name" in document["metadata"]:
            # So that it can be run again.
            document["metadata"]["generateName"] = f"{document['metadata'].pop('name')}-"
        if document["kind"] == "ClusterWorkflowTemplate":
            document["metadata"]["labels"] = {FOR: half}
    return found


def _rewrite(document: Object, kept: str) -> None:
    for node in _mappings(document):
        for container in _containers(node):
            _localise(container)
        for direction in ("inputs", "outputs", "arguments"):
            for artifact in (node.get(direction) or {}).get("artifacts") or []:
                _relocate(artifact, kept, given=direction != "outputs")
        if isinstance(node.get("resource"), dict) and "manifest" in node["resource"]:
            node["resource"]["manifest"] = _IMAGE_LINE.sub(f"image: {BUSYBOX}", node["resource"]["manifest"])


def _mappings(value: Any) -> Iterator[Object]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _mappings(inner)


def _containers(node: Object) -> Iterator[Object]:
    found = [node.get("container"), node.get("script")]
    for several in ("containers", "sidecars", "initContainers"):
        found += node.get(several) or []
    yield from (container for container in found if isinstance(container, dict) and "image" in container)


def _localise(container: Object) -> None:
    name = container["image"].partition(":")[0]
    container["image"] = BUSYBOX
    # `Always` would ask a registry.
    container.pop("imagePullPolicy", None)
    command = container.get("command")
    if not command:
        container["command"] = [_SERVERS[name]] if name in _SERVERS else ["true"]
    elif command == ["/argosay"]:
        container["command"] = ["argosay"]
    elif command[0] in _INTERPRETERS:
        _in_sh(container)


def _in_sh(container: Object) -> None:
    script = container.get("source") or container["args"][0]
    [translated] = {sh for phrase, sh in PYTHON.items() if phrase in script}
    if "source" in container:
        container |= {"command": ["sh"], "source": translated}
    else:
        container |= {"command": ["sh", "-c"], "args": [translated]}


def _relocate(artifact: Object, kept: str, *, given: bool) -> None:
    """Into the store: what names a bucket or a host of its own is `given` there, the rest is what the example put."""
    if "http" in artifact:
        artifact["http"]["url"] = f"{kept.partition('/kept/')[0]}/given/{artifact['name']}"
    for kind in [kind for kind in _BUCKETS if kind in artifact]:
        place = artifact.pop(kind)
        key = place.get("key") or place.get("blob") or place["url"].rpartition("/")[2]
        foreign = given and kind != "artifactory" and len(place) > 1
        root = f"{kept.partition('/kept/')[0]}/given" if foreign else kept
        artifact["artifactory"] = {"url": f"{root}/{key}", **STORE_ACCESS}
