"""Kubernetes objects as JSON, and access to the parts that all of them have. Pure."""

from collections.abc import Mapping
from typing import Any, TypedDict

Object = dict[str, Any]
"""Any JSON object. Not typed further: Argo's objects must pass through unchanged, including unknown fields."""


class Metadata(TypedDict, total=False):
    """The metadata of an object read from an apiserver; times are RFC 3339."""

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


def annotations(thing: Mapping[str, Any]) -> dict[str, str]:
    """The object's annotations; empty if it has none."""
    return _texts_by_name(thing, "annotations")


def labels(thing: Mapping[str, Any]) -> dict[str, str]:
    """The object's labels; empty if it has none."""
    return _texts_by_name(thing, "labels")


def spec_of(thing: Mapping[str, Any]) -> Object:
    """The object's spec; empty if it is missing or malformed."""
    return mapping(thing.get("spec"))


def status_of(thing: Mapping[str, Any]) -> Object:
    """The object's status; empty if it is missing or malformed."""
    return mapping(thing.get("status"))


def mapping(value: Any) -> Object:
    """`value` if it is a JSON object, otherwise an empty one: with minimal CRDs, users can store anything."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Object]:
    """The objects in `value`; empty if it is not a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The strings in `value`; empty if it is not a list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _texts_by_name(thing: Mapping[str, Any], field: str) -> dict[str, str]:
    found = mapping(mapping(thing.get("metadata")).get(field))
    return {key: value for key, value in found.items() if isinstance(value, str)}
