"""The query for Prometheus, and turning its answer into snapshots. Pure.

It is a single query, so that total use and our own pods' use are from the same moment. It needs kube-state-metrics of
every target, with a label that names the target (mostly `cluster`), and none of its optional labels. `kube_pod_info`
shows who owns a pod: Argo's pods are owned by their Workflow, executors by the Spark driver's pod. The ownership is
joined here and not in the query, because two pods with the same name would make Prometheus refuse the whole query.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from webhook.model.limits.scout import NARROW_QUERY
from webhook.scout.model import UNLIMITED, Snapshot
from webhook.totals.model import Defaults, Totals

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUOTA = 'kube_resourcequota{{resource=~"limits.cpu|limits.memory", {cluster}!=""{only}}}'
_OWN_PODS = """
  sum by ({cluster}, namespace, created_by_kind, created_by_name, resource) (
      max by ({cluster}, namespace, pod, uid, container, resource) (
        kube_pod_container_resource_limits{{resource=~"cpu|memory"{only}}})
    * on ({cluster}, namespace, pod, uid) group_left (created_by_kind, created_by_name)
      max by ({cluster}, namespace, pod, uid, created_by_kind, created_by_name) (
        kube_pod_info{{created_by_kind=~"Workflow|Pod"{only}}})
    * on ({cluster}, namespace, pod, uid) group_left ()
      max by ({cluster}, namespace, pod, uid) (kube_pod_status_phase{{phase=~"Pending|Running|Unknown"{only}}} == 1)
  )
"""
_DRIVERS = """
  max by ({cluster}, namespace, pod, created_by_name) (kube_pod_info{{created_by_kind="Workflow"{only}}})
  and on ({cluster}, namespace, pod)
  label_replace(kube_pod_info{{created_by_kind="Pod"{only}}}, "pod", "$1", "created_by_name", "(.+)")
"""
_DEFAULTS = 'kube_limitrange{{type="Container", constraint="default", resource=~"cpu|memory", {cluster}!=""{only}}}'
_QUERY = f"""
   label_replace({_QUOTA}, "fact", "$1", "type", "(.*)")
or label_replace(min by ({{cluster}}, namespace) (timestamp({_QUOTA})), "fact", "time", "", "")
or label_replace({_OWN_PODS}, "fact", "own", "", "")
or label_replace({_DRIVERS}, "fact", "driver", "", "")
or label_replace({_DEFAULTS}, "fact", "default", "", "")
"""


CLUSTER_LABEL = "cluster"
RESERVED_LABELS = frozenset(
    {"namespace", "pod", "uid", "container", "resource", "resourcequota", "limitrange", "type", "constraint"}
    | {"phase", "fact", "created_by_kind", "created_by_name", "__name__"}
)
"""Labels that the query needs for something else: none of them can name the target."""


def query(namespaces: Collection[str] | None, label: str = CLUSTER_LABEL) -> str:
    """The query for these namespaces; for all if None is given or the names don't fit into a query.

    `label` is the name of the label with the target's name.
    """
    names = sorted(name for name in namespaces or () if _NAMESPACE.fullmatch(name))
    alternatives = "|".join(names)
    narrow = namespaces is not None and len(alternatives) <= NARROW_QUERY
    return _QUERY.format(only=f', namespace=~"{alternatives}"' if narrow else "", cluster=label)


# A larger value comes from a broken exporter: a million cores, or an exbibyte.
_ABSURD = {"cpu": 1e6, "memory": float(1 << 60)}


@dataclass
class _Facts:
    age: float | None = None
    quotas: dict[tuple[str, str], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    own: dict[tuple[str, str], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """Use by resource, of all pods with the same owner, by the owner's kind and name."""
    drivers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By the name of a pod that owns pods: the Workflows that own such a pod."""
    defaults: dict[str, float] = field(default_factory=dict)


def snapshots(
    series: Iterable[Mapping[str, Any]], label: str = CLUSTER_LABEL, *, asked_at: float, took: float = 0.0
) -> dict[tuple[str, str], Snapshot]:
    """Snapshots by (cluster, namespace). Impossible values (NaN, negative, far too large) void their namespace.

    `asked_at` is when Prometheus was asked, by the caller's clock, and `took` for how long. How old a sample was then
    is known by Prometheus' own clock, so that the two may be apart.

    Raises LookupError, TypeError, ValueError or AttributeError if this is not an answer of Prometheus.
    """
    facts: dict[tuple[str, str], _Facts] = defaultdict(_Facts)
    broken: set[tuple[str, str]] = set()
    for one in series:
        labels, value = one["metric"], float(one["value"][1])
        place = (labels.get(label, ""), labels.get("namespace", ""))
        resource = str(labels.get("resource", "")).removeprefix("limits.")
        if not _sane(resource, value):
            broken.add(place)
        elif labels["fact"] == "time":
            facts[place].age = max(0.0, float(one["value"][0]) - value)
        else:
            _note(facts[place], labels, resource, value)
    made = {place: _snapshot(place, one, asked_at, took) for place, one in facts.items() if place not in broken}
    return {place: snapshot for place, snapshot in made.items() if snapshot is not None}


def _note(facts: _Facts, labels: Mapping[str, Any], resource: str, value: float) -> None:
    match labels["fact"]:
        case "own":
            facts.own[(labels["created_by_kind"], labels["created_by_name"])][resource] = value
        case "driver":
            facts.drivers[labels["pod"]].add(labels["created_by_name"])
        case "default":
            # With several LimitRanges, Kubernetes does not define which one it takes: count the largest.
            facts.defaults[resource] = max(value, facts.defaults.get(resource, 0.0))
        case fact:
            facts.quotas[(labels.get("resourcequota", ""), resource)][fact] = value


def _own_use(facts: _Facts) -> dict[str, Totals]:
    """What the pods of each Workflow use: those it owns, and those that one of its pods owns.

    If pods of two Workflows have had the same name, the pods owned by it count as foreign use.
    """
    own: dict[str, Totals] = {}
    for (kind, name), used in facts.own.items():
        workflows = {name} if kind == "Workflow" else facts.drivers.get(name, set())
        if len(workflows) == 1:
            (workflow,) = workflows
            use = Totals(_milli(used.get("cpu", 0)), int(used.get("memory", 0)))
            own[workflow] = own[workflow] + use if workflow in own else use
    return own


def _sane(resource: str, value: float) -> bool:
    # Use may exceed a quota that was lowered, but neither is ever negative.
    return isfinite(value) and 0 <= value <= _ABSURD.get(resource, float("inf"))


def _snapshot(place: tuple[str, str], facts: _Facts, asked_at: float, took: float) -> Snapshot | None:
    if facts.age is None:
        return None
    cpu, memory = (_tightest(facts, resource) for resource in ("cpu", "memory"))
    if cpu is None and memory is None:
        return None
    return Snapshot(
        cluster=place[0],
        namespace=place[1],
        sampled_at=asked_at - facts.age,
        hard=Totals(
            _milli(cpu[0]) if cpu else UNLIMITED.cpu_milli, int(memory[0]) if memory else UNLIMITED.memory_bytes
        ),
        used=Totals(_milli(cpu[1]) if cpu else 0, int(memory[1]) if memory else 0),
        own=_own_use(facts),
        slack=took,
        defaults=Defaults(
            _milli(facts.defaults["cpu"]) if "cpu" in facts.defaults else None,
            int(facts.defaults["memory"]) if "memory" in facts.defaults else None,
        ),
    )


def _tightest(facts: _Facts, wanted: str) -> tuple[float, float] | None:
    """(hard, used) of the namespace's quota with the least room for one resource; None if no quota limits it."""
    pairs = [
        (values["hard"], values["used"])
        for (_, resource), values in facts.quotas.items()
        if resource == wanted and values.keys() >= {"hard", "used"}
    ]
    return min(pairs, key=lambda pair: pair[0] - pair[1], default=None)


def _milli(value: float) -> int:
    return round(value * 1000)
