"""A target's node pools, as an annotation of its Secret has them. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.errors import MedeaError, quoted
from webhook.model.contract import NODE_POOLS
from webhook.model.limits.nodes import LONGEST_NOTE, MOST_POOLS
from webhook.model.objects import Object, annotations, labels, mapping, mappings, spec_of, status_of
from webhook.totals.model import said
from webhook.totals.quantities import amount

_KEEPING_OUT = frozenset({"NoSchedule", "NoExecute"})
"""Effects of taints that keep pods out."""
_SAY_LITTLE = frozenset({"pods", "ephemeral-storage"})
"""Every pod takes one, and storage that images take is not free."""


@dataclass(frozen=True)
class Taint:
    """What keeps pods out of a pool unless they tolerate it."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True)
class Pool:
    """Nodes with the same labels. `sizes` is what each has at least, by resource; see `webhook.totals.quantities`."""

    selector: tuple[tuple[str, str], ...]
    sizes: Mapping[str, int] = field(hash=False)
    taints: tuple[Taint, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        """The selector as a `nodeSelector`."""
        return dict(self.selector)

    @property
    def words(self) -> str:
        """What people call it."""
        return ",".join(f"{key}={value}" for key, value in self.selector)

    @property
    def summary(self) -> str:
        """Its name and its sizes."""
        return f"{self.words} with {amounts_said(self.sizes)}"


def amounts_said(amounts: Mapping[str, int]) -> str:
    """What is asked for, or there, in words: `cpu 4, memory 1Gi`."""
    return ", ".join(f"{name} {said(f'requests.{name}', size)}" for name, size in sorted(amounts.items()))


Pools = tuple[Pool, ...]


def noted_pools(secret: Object | None) -> Pools:
    """The pools that a target's Secret names; none where the annotation is not there. Raises ValueError, in words."""
    text = annotations(secret or {}).get(NODE_POOLS)
    if text is None:
        return ()
    if len(text) > LONGEST_NOTE:
        raise ValueError(f"annotation {NODE_POOLS} is longer than {LONGEST_NOTE} characters")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"annotation {NODE_POOLS} is not JSON") from None
    if not isinstance(found, list) or len(found) > MOST_POOLS:
        raise ValueError(f"annotation {NODE_POOLS} is not a list of at most {MOST_POOLS} pools")
    return tuple(_pool(number, one) for number, one in enumerate(found))


def note_of_pools(nodes: Iterable[Object], label: str) -> dict[str, str]:
    """The annotation for the pools of a cluster's nodes, by the values of a label. Raises ValueError without any.

    What a pool's nodes have differently counts as the least of them, and what taints one of them keeps pods out of all.
    """
    grouped: dict[str, list[Object]] = {}
    for node in nodes:
        value = labels(node).get(label)
        if value is not None and spec_of(node).get("unschedulable") is not True:
            grouped.setdefault(value, []).append(node)
    if not grouped:
        raise ValueError(f"no node has the label {label}")
    if len(grouped) > MOST_POOLS:
        raise ValueError(f"label {label} has {len(grouped)} values on nodes; at most {MOST_POOLS} pools are kept")
    note = json.dumps([_noted(label, value, grouped[value]) for value in sorted(grouped)])
    if len(note) > LONGEST_NOTE:
        raise ValueError(f"what is to be noted of its nodes by {label} is longer than {LONGEST_NOTE} characters")
    return {NODE_POOLS: note}


def _noted(label: str, value: str, nodes: list[Object]) -> Object:
    known = [mapping(status_of(node).get("allocatable")) for node in nodes]
    names = set.intersection(*(set(one) for one in known)) - _SAY_LITTLE
    sizes = {name: min((str(one[name]) for one in known), key=lambda size: _size(name, size)) for name in sorted(names)}
    taints = {
        (str(one.get("key")), str(one.get("value") or ""), str(one.get("effect")))
        for node in nodes
        for one in mappings(spec_of(node).get("taints"))
        if one.get("effect") in _KEEPING_OUT
    }
    note: Object = {
        "selector": {label: value},
        "sizes": {name: size for name, size in sizes.items() if _size(name, size)},
    }
    if taints:
        note["taints"] = [{"key": key, "value": value, "effect": effect} for key, value, effect in sorted(taints)]
    return note


def _pool(number: int, said: Any) -> Pool:
    where = f"annotation {NODE_POOLS}, pool {number}"
    selector = mapping(mapping(said).get("selector"))
    if not selector or not all(isinstance(value, str) for value in selector.values()):
        raise ValueError(f"{where}: selector is {quoted(selector)}, and must be labels of nodes")
    sizes = mapping(said.get("sizes"))
    if not sizes:
        raise ValueError(f"{where}: sizes is missing, and must say what each node has, as cpu and memory")
    try:
        known = {name: _size(name, size) for name, size in sizes.items()}
    except MedeaError as error:
        raise ValueError(f"{where}: {error.message}") from None
    taints = (
        Taint(str(one.get("key")), str(one.get("value") or ""), str(one.get("effect")))
        for one in mappings(said.get("taints"))
        if one.get("effect") in _KEEPING_OUT
    )
    return Pool(tuple(sorted(selector.items())), known, tuple(taints))


def _size(name: str, size: Any) -> int:
    return amount(f"sizes.{name}", name, size)
