"""Kubernetes objects as JSON, and what every one of them has. Pure."""

from typing import Any, TypedDict

Object = dict[str, Any]
"""Any JSON object, of which only the parts that are read are known. Argo's objects have to pass through whole."""


class Metadata(TypedDict, total=False):
    """The metadata of an object that an apiserver has answered with; times are RFC 3339."""

    name: str
    generateName: str
    namespace: str
    uid: str
    resourceVersion: str
    creationTimestamp: str
    deletionTimestamp: str
    labels: dict[str, str]
    annotations: dict[str, str]
    finalizers: list[str]
    ownerReferences: list[dict[str, Any]]


def metadata(thing: Object) -> Metadata:
    """The object's metadata. Raises KeyError for what is no object."""
    found: Metadata = thing["metadata"]
    return found


def annotations(thing: Object) -> dict[str, str]:
    """The object's annotations; empty when it has none."""
    return dict(thing.get("metadata", {}).get("annotations") or {})


def labels(thing: Object) -> dict[str, str]:
    """The object's labels; empty when it has none."""
    return dict(thing.get("metadata", {}).get("labels") or {})
