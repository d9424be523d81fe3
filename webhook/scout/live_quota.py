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

from webhook.scout.limits import Limit
from webhook.scout.model import UNLIMITED, Snapshot, Source
from webhook.scout.quota_objects import PodUse, Quota
from webhook.totals.charges import COUNT_PODS, is_of_pods
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, PODS, Traits
from webhook.totals.model import Defaults, Totals

_UNLIMITED = {LIMITS_CPU: UNLIMITED.cpu_milli, LIMITS_MEMORY: UNLIMITED.memory_bytes}

# A driver makes executors; nobody's pods make pods that make pods, but they might.
_DEEPEST_OWNER = 4


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
    """The snapshot of one namespace; `pods` are by uid. None if no quota limits what pods take, or one is not counted.

    Of several quotas that count all pods the one with the least room counts for CPU and for memory.
    """
    if not all(quota.counted for quota in quotas) or not any(map(is_of_pods, _resources(quotas))):
        return None
    owners = _owners(pods)
    limits = [limit for quota in sorted(quotas, key=lambda one: one.name) for limit in _limits(quota, pods, owners)]
    general = {resource: _tightest(resource, limits) for resource in _UNLIMITED}
    hard, used = (
        {resource: getattr(one, field) if one else unlimited[resource] for resource, one in general.items()}
        for field, unlimited in (("hard", _UNLIMITED), ("used", dict.fromkeys(_UNLIMITED, 0)))
    )
    return Snapshot(
        cluster=cluster,
        namespace=namespace,
        sampled_at=sampled_at,
        hard=Totals(hard[LIMITS_CPU], hard[LIMITS_MEMORY]),
        used=Totals(used[LIMITS_CPU], used[LIMITS_MEMORY]),
        own=_own_use(pods, owners),
        defaults=defaults,
        source=Source.APISERVER,
        good_for=good_for,
        limits=tuple(one for one in limits if not _is_general(one)),
    )


def _resources(quotas: Iterable[Quota]) -> Iterable[str]:
    return (resource for quota in quotas for resource in quota.hard)


def _is_general(limit: Limit) -> bool:
    return not limit.scopes and limit.resource in _UNLIMITED


def _tightest(resource: str, limits: Iterable[Limit]) -> Limit | None:
    general = [one for one in limits if one.resource == resource and _is_general(one)]
    return min(general, key=lambda one: one.hard - one.used, default=None)


def _owners(pods: Mapping[str, PodUse]) -> dict[str, str]:
    """The Workflow of each pod that has one, by the pod's uid: the one that controls it, or the pod that does."""
    found: dict[str, str] = {}
    for uid, pod in pods.items():
        maker: PodUse | None = pod
        for _ in range(_DEEPEST_OWNER):
            if maker is None or maker.workflow is not None:
                break
            maker = pods.get(maker.pod) if maker.pod else None
        if maker is not None and maker.workflow is not None:
            found[uid] = maker.workflow
    return found


@dataclass
class _Sums:
    """What pods take of a quota: those that it counts or may count, and those of each Workflow that it counts."""

    all: dict[str, int]
    own: dict[str, dict[str, int]]


def _limits(quota: Quota, pods: Mapping[str, PodUse], owners: Mapping[str, str]) -> Iterable[Limit]:
    sums = _sums(quota, pods, owners)
    for resource, hard in quota.hard.items():
        name = PODS if resource == COUNT_PODS else resource
        used = max(quota.used[resource], sums.all.get(name, 0))
        yield Limit(quota.name, resource, hard, used, quota.scopes, sums.own.get(name, {}))


def _sums(quota: Quota, pods: Mapping[str, PodUse], owners: Mapping[str, str]) -> _Sums:
    """What a quota may not count is not taken off it."""
    made = _Sums({}, {})
    names = {PODS if one == COUNT_PODS else one for one in quota.hard if is_of_pods(one)}
    counts: dict[Traits, bool | None] = {}
    for uid, pod in pods.items() if names else ():
        if pod.traits not in counts:
            counts[pod.traits] = quota.counts(pod)
        counted = counts[pod.traits]
        if counted is False:
            continue
        workflow = owners.get(uid) if counted else None
        for name in names & pod.amounts.keys():
            size = pod.amounts[name]
            made.all[name] = made.all.get(name, 0) + size
            if workflow is not None:
                own = made.own.setdefault(name, {})
                own[workflow] = own.get(workflow, 0) + size
    return made


def _own_use(pods: Mapping[str, PodUse], owners: Mapping[str, str]) -> dict[str, Totals]:
    """The limits of CPU and memory of each Workflow's pods."""
    own: dict[str, Totals] = {}
    for uid, workflow in owners.items():
        use = pods[uid].limits
        own[workflow] = own[workflow] + use if workflow in own else use
    return own
