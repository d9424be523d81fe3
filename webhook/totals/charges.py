"""What a quota charges for one pod, as Kubernetes adds it up, for every resource that a quota can limit. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.totals.demands import PODS
from webhook.totals.quantities import amount

COUNT_PODS = "count/pods"
"""All pods, those that have ended included."""
# Names of resources about which an answer is kept: each decision asks about every limit of every target.
_NAMES = 1000
_NATIVE = ("cpu", "memory", "ephemeral-storage")
_LEGACY = frozenset({"configmaps", "secrets", "services", "replicationcontrollers", "resourcequotas"})
_CLAIMS = ("persistentvolumeclaims", "requests.storage")
_POD_LEVEL = ("cpu", "memory")
_KINDS = ("requests", "limits")
_STAYS = "Always"

Sized = tuple[Mapping[str, int], Mapping[str, int], bool]
"""A container's requests and limits, and whether it is an init container that stays."""


def canonical(resource: str) -> str:
    """The name under which a resource of a quota is kept: some have two."""
    if resource in _NATIVE or resource.startswith("hugepages-"):
        return f"requests.{resource}"
    if resource in _LEGACY:
        return f"count/{resource}"
    return "persistentvolumeclaims" if resource == "count/persistentvolumeclaims" else resource


@lru_cache(_NAMES)
def is_of_pods(resource: str) -> bool:
    """Whether a quota's resource (its canonical name) is one that pods take."""
    if resource in (PODS, COUNT_PODS):
        return True
    kind, _, name = resource.partition(".")
    return kind == "limits" or (kind == "requests" and name != "storage" and ".storageclass." not in resource)


@lru_cache(_NAMES)
def is_of_claims(resource: str) -> bool:
    """Whether it is one that PersistentVolumeClaims take, be it of one storage class."""
    return resource.endswith(_CLAIMS) and (resource in _CLAIMS or ".storageclass.storage.k8s.io/" in resource)


def is_object_count(resource: str) -> bool:
    """Whether it counts objects of some kind, other than pods and claims."""
    return resource.startswith("count/") and resource != COUNT_PODS


def charged(
    main: Sequence[Sized],
    first: Sequence[Sized],
    whole: Mapping[str, Mapping[str, int]] | None = None,
    overhead: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """What a pod takes of a quota: with its main and, in their order, its init containers.

    `whole` are the requests and limits of the whole pod, which take precedence; the overhead comes on top.
    """
    found = {PODS: 1}
    for place, kind in enumerate(_KINDS):
        written = [(one[0] if place == 0 else one[1], one[2]) for one in (*main, *first)]
        names = {name for sizes, _ in written for name in sizes}
        beside = [sizes for sizes, _ in written[: len(main)]]
        inside = {
            name: most_at_once(
                (sizes.get(name, 0) for sizes in beside),
                ((sizes.get(name, 0), stays) for sizes, stays in written[len(main) :]),
            )
            for name in names
        }
        inside |= mapping((whole or {}).get(kind))
        for name, more in (overhead or {}).items():
            # Without a limit there is nothing that the overhead could be added to.
            if kind == "requests" or inside.get(name):
                inside[name] = inside.get(name, 0) + more
        found |= {f"{kind}.{name}": size for name, size in inside.items() if size and _limitable(kind, name)}
    return found


def charged_of(spec: Mapping[str, Any]) -> tuple[dict[str, int], bool]:
    """What a pod with this spec, as its apiserver shows it, takes of a quota, and whether it is best effort.

    Raises Refused for what is no quantity.
    """
    level = mapping(spec.get("resources"))
    whole = {kind: _of_whole(amounts(kind, level.get(kind))) for kind in _KINDS}
    main, first = ([_sized(one) for one in mappings(spec.get(kind))] for kind in ("containers", "initContainers"))
    found = charged(main, first, whole, amounts("overhead", spec.get("overhead")))
    return found, is_best_effort([*main, *first], whole)


def _of_whole(sizes: Mapping[str, int]) -> dict[str, int]:
    """Those of a whole pod that count: of other resources, Kubernetes takes no amounts for the pod as a whole."""
    return {name: size for name, size in sizes.items() if name in _POD_LEVEL or name.startswith("hugepages-")}


def is_best_effort(containers: Iterable[Sized], whole: Mapping[str, Mapping[str, int]] | None = None) -> bool:
    """Whether a pod asks for neither CPU nor memory at all."""
    asked = [kind for one in containers for kind in one[:2]] + [mapping((whole or {}).get(one)) for one in _KINDS]
    return not any(one.get(name) for one in asked for name in _POD_LEVEL)


def amounts(field: str, quantities: object) -> dict[str, int]:
    """Quantities as amounts, by resource."""
    return {name: amount(f"{field}.{name}", name, value) for name, value in mapping(quantities).items()}


def most_at_once(main: Iterable[int], first: Iterable[tuple[int, bool]]) -> int:
    """What a pod takes of a quota, given the amounts of its containers and, in their order, of its init containers.

    Those that restart always stay beside everything that follows. All main containers count together, or the largest
    moment of the init containers if that is more.
    """
    together = sum(main)
    most, staying = 0, 0
    for own, restarts in first:
        if restarts:
            together, staying = together + own, staying + own
            most = max(most, staying)
        else:
            most = max(most, staying + own)
    return max(together, most)


def _limitable(kind: str, name: str) -> bool:
    """Limits of anything but CPU, memory and storage equal the requests, and no quota is on them."""
    return kind == "requests" or name in _NATIVE


def _sized(container: Mapping[str, Any]) -> Sized:
    resources = mapping(container.get("resources"))
    return (
        amounts("requests", resources.get("requests")),
        amounts("limits", resources.get("limits")),
        container.get("restartPolicy") == _STAYS,
    )
