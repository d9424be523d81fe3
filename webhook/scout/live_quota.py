"""What a target's own quotas, pods and LimitRanges say, as a snapshot. Pure.

`quota.status.used` and the pods come by two watches, so they are never of exactly the same moment. The rules that keep
the difference from promising too much:

- A quota's use grows when a pod is admitted, before the pod exists, and shrinks when the quota controller has noticed
  that one is gone. So as long as both watches are equally far, the use is at least the sum of the pods.
- Where it is less, the watch of quotas is behind, or ahead in seeing pods go. Then the sum of the pods is what counts:
  `used` is the larger of the two. What others use is `used` less our own pods, so with the sum it is exactly what the
  others' pods use; our own pods are never taken off a use that does not contain them yet, or any more.
- Where it is more, pods have been admitted that are not seen yet, or are still charged. They count as others' until
  they are seen: our own count twice for that moment, which is on the safe side.

So whichever watch is behind, others' use is what it was a moment ago or more, as with any sample.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from webhook.scout.model import UNLIMITED, Snapshot, Source
from webhook.scout.quota_objects import PodUse, Quota
from webhook.totals.model import Defaults, Totals
from webhook.totals.unknowns import RESOURCES

_UNLIMITED = {"cpu": UNLIMITED.cpu_milli, "memory": UNLIMITED.memory_bytes}


def snapshot_of(
    cluster: str,
    namespace: str,
    *,
    quotas: Collection[Quota],
    pods: Mapping[str, PodUse],
    defaults: Defaults,
    sampled_at: float,
    good_for: float,
) -> Snapshot | None:
    """The snapshot of one namespace; `pods` are by uid. None if no quota limits it, or one is not counted yet.

    Of several quotas the one with the least room counts, for each resource separately.
    """
    if not all(quota.counted for quota in quotas):
        return None
    chosen = {resource: _tightest(resource, quotas, pods.values()) for resource in RESOURCES}
    if all(one is None for one in chosen.values()):
        return None
    hard = {resource: one.hard if one else _UNLIMITED[resource] for resource, one in chosen.items()}
    used = {resource: one.used if one else 0 for resource, one in chosen.items()}
    return Snapshot(
        cluster=cluster,
        namespace=namespace,
        sampled_at=sampled_at,
        hard=Totals(hard["cpu"], hard["memory"]),
        used=Totals(used["cpu"], used["memory"]),
        own=_own_use(pods, {resource: one.quota if one else None for resource, one in chosen.items()}),
        defaults=defaults,
        source=Source.APISERVER,
        good_for=good_for,
    )


@dataclass(frozen=True)
class _Limit:
    hard: int
    used: int
    quota: Quota


def _tightest(resource: str, quotas: Iterable[Quota], pods: Collection[PodUse]) -> _Limit | None:
    limits = [
        _Limit(quota.hard[resource], max(quota.used[resource], _sum(resource, quota, pods)), quota)
        for quota in quotas
        if resource in quota.hard
    ]
    return min(limits, key=lambda one: one.hard - one.used, default=None)


def _sum(resource: str, quota: Quota, pods: Iterable[PodUse]) -> int:
    return sum(_amount(pod.limits, resource) for pod in pods if quota.counts(pod) is not False)


def _own_use(pods: Mapping[str, PodUse], chosen: Mapping[str, Quota | None]) -> dict[str, Totals]:
    """What the pods of each Workflow use of the chosen quotas: those it controls, and those that such a pod controls.

    What a quota may not count is not taken off it.
    """
    own: dict[str, Totals] = {}
    for pod in pods.values():
        driver = pods.get(pod.pod) if pod.pod else None
        workflow = pod.workflow or (driver.workflow if driver else None)
        if workflow is None:
            continue
        cpu, memory = (
            0 if quota is not None and quota.counts(pod) is not True else _amount(pod.limits, resource)
            for resource, quota in ((resource, chosen[resource]) for resource in RESOURCES)
        )
        use = Totals(cpu, memory)
        own[workflow] = own[workflow] + use if workflow in own else use
    return own


def _amount(totals: Totals, resource: str) -> int:
    return totals.cpu_milli if resource == "cpu" else totals.memory_bytes
