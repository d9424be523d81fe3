"""Kubernetes objects as JSON, and what every one of them has. Pure."""

from collections.abc import Mapping
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


def annotations(thing: Mapping[str, Any]) -> dict[str, str]:
    """The object's annotations; empty when it has none."""
    return _texts_by_name(thing, "annotations")


def labels(thing: Mapping[str, Any]) -> dict[str, str]:
    """The object's labels; empty when it has none."""
    return _texts_by_name(thing, "labels")


def spec_of(thing: Mapping[str, Any]) -> Object:
    """The object's spec; empty when it has none that is an object."""
    return mapping(thing.get("spec"))


def status_of(thing: Mapping[str, Any]) -> Object:
    """The object's status; empty when it has none that is an object."""
    return mapping(thing.get("status"))


def mapping(value: Any) -> Object:
    """`value`, if it is a JSON object, else an empty one: a minimal CRD lets users store anything."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Object]:
    """The objects in `value`, if it is a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The texts in `value`, if it is a list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _texts_by_name(thing: Mapping[str, Any], field: str) -> dict[str, str]:
    found = mapping(mapping(thing.get("metadata")).get(field))
    return {key: value for key, value in found.items() if isinstance(value, str)}
