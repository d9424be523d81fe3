"""The question to Prometheus, and its answer as snapshots. Pure.

One query, so that use and our own pods come from the same moment. It needs kube-state-metrics of every target, with a
label `cluster` that names the target, and none of its optional labels: Argo's pods are owned by their Workflow, which
`kube_pod_info` shows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from webhook.scout.model import Snapshot
from webhook.totals.model import Defaults, Totals

_QUOTA = 'kube_resourcequota{resource=~"limits.cpu|limits.memory", cluster!=""}'
_OWN_PODS = """
  sum by (cluster, namespace, created_by_name, resource) (
      max by (cluster, namespace, pod, uid, container, resource) (
        kube_pod_container_resource_limits{resource=~"cpu|memory"})
    * on (cluster, namespace, pod, uid) group_left (created_by_name)
      max by (cluster, namespace, pod, uid, created_by_name) (kube_pod_info{created_by_kind="Workflow"})
    * on (cluster, namespace, pod, uid) group_left ()
      max by (cluster, namespace, pod, uid) (kube_pod_status_phase{phase=~"Pending|Running|Unknown"} == 1)
  )
"""
_DEFAULTS = 'kube_limitrange{type="Container", constraint="default", resource=~"cpu|memory", cluster!=""}'
QUERY = f"""
   label_replace({_QUOTA}, "fact", "$1", "type", "(.*)")
or label_replace(min by (cluster, namespace) (timestamp({_QUOTA})), "fact", "time", "", "")
or label_replace({_OWN_PODS}, "fact", "own", "", "")
or label_replace({_DEFAULTS}, "fact", "default", "", "")
"""
# A value past this is a broken exporter, not a quota: a million cores or an exbibyte.
_ABSURD = {"cpu": 1e6, "memory": float(1 << 60)}
# A resource that no quota limits: as good as endless, and still an integer.
UNLIMITED = Totals(10**9, 1 << 60)


@dataclass
class _Facts:
    time: float | None = None
    quotas: dict[tuple[str, str], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    own: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    defaults: dict[str, float] = field(default_factory=dict)


def snapshots(series: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Snapshot]:
    """Snapshots by (cluster, namespace). Series that make no sense (NaN, negative, absurd) void their namespace."""
    facts: dict[tuple[str, str], _Facts] = defaultdict(_Facts)
    broken: set[tuple[str, str]] = set()
    for one in series:
        labels, value = one["metric"], float(one["value"][1])
        place = (labels.get("cluster", ""), labels.get("namespace", ""))
        resource = str(labels.get("resource", "")).removeprefix("limits.")
        if not _sane(resource, value):
            broken.add(place)
        elif labels["fact"] == "time":
            facts[place].time = value
        elif labels["fact"] == "own":
            facts[place].own[labels["created_by_name"]][resource] = value
        elif labels["fact"] == "default":
            # Of several LimitRanges the largest counts: which one Kubernetes would take is not defined.
            facts[place].defaults[resource] = max(value, facts[place].defaults.get(resource, 0.0))
        else:
            facts[place].quotas[(labels.get("resourcequota", ""), resource)][labels["fact"]] = value
    made = {place: _snapshot(place, one) for place, one in facts.items() if place not in broken}
    return {place: snapshot for place, snapshot in made.items() if snapshot is not None}


def _sane(resource: str, value: float) -> bool:
    # A quota may be lowered below what is used, but use and quota themselves are never negative.
    return isfinite(value) and 0 <= value <= _ABSURD.get(resource, float("inf"))


def _snapshot(place: tuple[str, str], facts: _Facts) -> Snapshot | None:
    if facts.time is None:
        return None
    cpu, memory = (_tightest(facts, resource) for resource in ("cpu", "memory"))
    if cpu is None and memory is None:
        return None
    return Snapshot(
        cluster=place[0],
        namespace=place[1],
        sampled_at=facts.time,
        hard=Totals(
            _milli(cpu[0]) if cpu else UNLIMITED.cpu_milli, int(memory[0]) if memory else UNLIMITED.memory_bytes
        ),
        used=Totals(_milli(cpu[1]) if cpu else 0, int(memory[1]) if memory else 0),
        own={name: Totals(_milli(own.get("cpu", 0)), int(own.get("memory", 0))) for name, own in facts.own.items()},
        defaults=Defaults(
            _milli(facts.defaults["cpu"]) if "cpu" in facts.defaults else None,
            int(facts.defaults["memory"]) if "memory" in facts.defaults else None,
        ),
    )


def _tightest(facts: _Facts, wanted: str) -> tuple[float, float] | None:
    """(hard, used) of the quota with the least room for one resource: a namespace may have several."""
    pairs = [
        (values["hard"], values["used"])
        for (_, resource), values in facts.quotas.items()
        if resource == wanted and values.keys() >= {"hard", "used"}
    ]
    return min(pairs, key=lambda pair: pair[0] - pair[1], default=None)


def _milli(value: float) -> int:
    return round(value * 1000)
