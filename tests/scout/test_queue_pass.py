"""A pass over the queue gives what going through it one by one gives, with less work. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.ledger.placement import Placement, placement_of
from webhook.scout import queue_pass
from webhook.scout.decide import decide, waits
from webhook.scout.limits import Limit
from webhook.scout.model import WAITED_FOR, Decision, Promised, Quotas, Request, Snapshot, Target
from webhook.scout.queue_pass import QueuePass, request_of_row
from webhook.totals.demands import one_kind
from webhook.totals.model import NOTHING, Totals

NAMES = ("east", "north", "west")
amounts = st.builds(Totals, st.integers(0, 9), st.integers(0, 9))
narrowed = st.none() | st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)
Pods = tuple[int, int]
"""How many at its peak, and how many that can run only together."""
Need = tuple[Totals, list[str] | None, list[str], Totals | None, Pods]
pods = st.tuples(st.integers(0, 5), st.integers(0, 2))
needs = st.tuples(
    amounts, narrowed, st.lists(st.sampled_from(NAMES), max_size=2, unique=True), st.none() | amounts, pods
)


def row(
    seq: int, totals: Totals, only: list[str] | None, refused_by: list[str], largest: Totals | None, pods: Pods
) -> Placement:
    """Elastic if `largest` is given; its largest pod is never more than its totals."""
    demands = one_kind({"pods": pods[0]}, {"pods": min(pods)})
    pod = largest and largest.smaller(totals)
    empty = dict.fromkeys(Placement.__dataclass_fields__.keys() - {"totals", "largest_pod"})
    return placement_of(
        empty
        | {
            "placement": f"p{seq}",
            "seq": seq,
            "state": "queued",
            "hold": "plugin",
            "namespace": "ns",
            "cpu_milli": totals.cpu_milli,
            "memory_bytes": totals.memory_bytes,
            "pod_cpu_milli": pod and pod.cpu_milli,
            "pod_memory_bytes": pod and pod.memory_bytes,
            "takes": demands.as_json(),
            "policy": "random",
            "only_clusters": only,
            "refused_by": dict.fromkeys(refused_by, "no"),
            "created_at": datetime.min,
        }
    )


def with_one(before: Promised | None, waiting: Placement, decision: Decision) -> Promised:
    return (before or Promised()).plus(decision.reserved or waiting.totals, request_of_row(waiting).takes)


class World:
    """Three targets: `unusable` ones are away, the samples of `stale` ones are old; some limit the number of pods."""

    def __init__(
        self, hard: list[Totals], pods: list[int | None], unusable: Collection[str], stale: Collection[str]
    ) -> None:
        self.targets = [Target(name, "away" if name in unusable else None) for name in NAMES]
        self.snapshots = {
            name: Snapshot(
                name,
                "ns",
                0.0 if name in stale else 100.0,
                quota,
                NOTHING,
                limits=() if most is None else (Limit("q", "pods", most, 0),),
            )
            for name, quota, most in zip(NAMES, hard, pods, strict=True)
        }
        self.open = {
            name: Quotas(one.hard, one.limits)
            for name, one in self.snapshots.items()
            if name not in {*unusable, *stale}
        }

    def decide(self, request: Request, reserved: Mapping[str, Promised], claimed: Collection[str]) -> Decision:
        return decide(
            request,
            targets=self.targets,
            snapshots=self.snapshots,
            reserved=reserved,
            own={},
            claimed=claimed,
            now=100.0,
            max_age=60,
        )


worlds = st.builds(
    World,
    st.lists(amounts, min_size=3, max_size=3),
    st.lists(st.none() | st.integers(0, 6), min_size=3, max_size=3),
    st.sets(st.sampled_from(NAMES), max_size=1),
    st.sets(st.sampled_from(NAMES), max_size=1),
)


def one_by_one(world: World, queue: list[Placement]) -> dict[str, str]:
    """Everybody is decided about, with the claims of all who were passed over."""
    reserved, claimed, placed = dict[str, Promised](), set[str](), dict[str, str]()
    for waiting in queue:
        decision = waits(world.decide(request_of_row(waiting), reserved, claimed))
        if decision.cluster is None:
            claimed |= {verdict.cluster for verdict in decision.verdicts if verdict.obstacle in WAITED_FOR}
        else:
            placed[waiting.placement] = decision.cluster
            reserved[decision.cluster] = with_one(reserved.get(decision.cluster), waiting, decision)
    return placed


@given(worlds, st.lists(needs, max_size=12), st.integers(1, 5), st.sampled_from([1, 20]))
def test_a_pass_in_batches_places_what_going_through_one_by_one_places(
    world: World, asked: list[Need], size: int, reasons: int
) -> None:
    queue = [row(number, *need) for number, need in enumerate(asked)]
    one_pass = QueuePass(world.decide, open_targets=world.open, told={})
    placed, reserved = dict[str, str](), dict[str, Promised]()
    for start in range(0, len(queue), size):
        batch = queue[start : start + size]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(queue_pass, "REASONS_KEPT", reasons)
            choices = one_pass.choose(reserved, batch, {})
        for waiting in batch:
            chosen = choices.placed.get(waiting.placement)
            if chosen is not None and chosen.cluster is not None:
                placed[waiting.placement] = chosen.cluster
                reserved[chosen.cluster] = with_one(reserved.get(chosen.cluster), waiting, chosen)
        if one_pass.over:
            break
    assert placed == one_by_one(world, queue)
    assert all(room.totals.fits(world.snapshots[name].hard) for name, room in reserved.items())
    for name, held in reserved.items():
        for limit in world.snapshots[name].limits:
            assert sum(limit.reserves(one) * holders.all for one, holders in held.held.items()) <= limit.hard


@given(worlds, st.lists(needs, min_size=1, max_size=6))
def test_the_first_of_the_queue_is_placed_or_told_why_not(world: World, asked: list[Need]) -> None:
    queue = [row(number, *need) for number, need in enumerate(asked)]
    choices = QueuePass(world.decide, open_targets=world.open, told={}).choose({}, queue, {})
    assert "p0" in {**choices.placed, **choices.reasons}
    assert not choices.placed.keys() & choices.reasons.keys()
