"""Elastic Workflows under quotas on anything: placed where their largest pod fits, at best where all of it does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scout.test_limits import CASE_12, GENERAL, Object, asked, box, decided, loop, target
from tests.support.placing import World, new
from tests.support.quotas import pod, quota
from tests.support.workflows import need
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.scout.limits import ONE_MORE, Limit, Own, room
from webhook.scout.model import Decision, Obstacle, Outcome, Promised, Request, Reservation
from webhook.totals.demands import Traits, one_kind
from webhook.totals.model import GIB, Totals

ONE_POD = {**GENERAL, "pods": "1"}


def elastic(workflow: Object, seed: str = "one") -> Request:
    return asked(workflow, largest_pod=need(workflow).largest, seed=seed)


def limit_of(decision: Decision, cluster: str) -> dict[str, int]:
    [verdict] = [one for one in decision.as_json()["verdicts"] if one["cluster"] == cluster]
    [shown] = verdict["limits"]
    return {name: shown[name] for name in ("reserved", "free", "need", "least", "peak")}


def test_three_side_by_side_are_placed_where_every_quota_allows_one_pod_and_reserve_that_one() -> None:
    west, east = target("west", quota(hard=ONE_POD)), target("east", quota(hard=ONE_POD))
    wide = elastic(CASE_12)
    first = decided(wide, west, east)
    assert first.outcome is Outcome.PLACED and first.cluster is not None
    assert (
        first.reason
        == f"{first.cluster}: free 8 cpu, 32Gi of 8 cpu, 32Gi; random among 2 that fit, a part of it at a time"
    )
    assert limit_of(first, first.cluster) == {"reserved": 0, "free": 1, "need": 1, "least": 1, "peak": 3}
    promised = {first.cluster: Promised().plus(wide.totals, wide.takes)}
    small = asked(loop(box("job", {"cpu": "1m", "memory": "1Mi"}), 1), only=frozenset({first.cluster}))
    next_one = decided(small, west, east, reserved=promised)
    assert next_one.outcome is Outcome.QUEUED
    assert f"{first.cluster}: quota q has 0 of 1 pods free, it needs 1" in next_one.reason
    [verdict] = [one for one in next_one.verdicts if one.cluster == first.cluster]
    assert [(one.reserved, one.free) for one in verdict.limits] == [(1, 0)]


@pytest.mark.parametrize(("name", "hard"), [("pods", "1"), ("requests.cpu", "300m"), ("limits.cpu", "300m")])
def test_three_side_by_side_go_each_time_to_the_target_where_all_three_can_run_at_once(name: str, hard: str) -> None:
    """shared/cases/12."""
    west, east = target("west", quota(hard={**GENERAL, name: hard})), target("east", quota(hard=GENERAL))
    for seed in range(30):
        decision = decided(elastic(CASE_12, str(seed)), west, east)
        assert decision.cluster == "east"
        assert decision.reason.endswith("random among 1 that fit as a whole")


def test_where_all_can_run_at_once_but_not_now_a_part_at_a_time_is_better_than_to_wait() -> None:
    west = target("west", quota(hard=ONE_POD))
    full = target("east", quota(hard={**GENERAL, "pods": "3"}, use={"pods": "3"}))
    assert decided(elastic(CASE_12), west, full).cluster == "west"


def test_a_gang_with_more_pods_than_any_quota_allows_is_refused_with_the_quota() -> None:
    decision = decided(asked(CASE_12), target("west", quota(hard=ONE_POD)), target("east", quota(hard=ONE_POD)))
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason == (
        "it can never fit: east: quota q allows 1 pods, it needs 3; west: quota q allows 1 pods, it needs 3"
    )


def test_one_whose_single_pod_no_quota_allows_is_refused_with_what_that_pod_needs() -> None:
    gpus = loop(box("job", {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": 2}), 3)
    west = target("west", quota(hard={**GENERAL, "requests.nvidia.com/gpu": "1"}))
    decision = decided(elastic(gpus), west)
    assert decision.reason == "it can never fit: west: quota q allows 1 requests.nvidia.com/gpu, it needs 2"
    roomy = target("west", quota(hard={**GENERAL, "requests.nvidia.com/gpu": "3"}))
    assert decided(elastic(gpus), roomy).cluster == "west"


def test_what_is_held_from_beginning_to_end_is_never_held_a_part_at_a_time() -> None:
    claims = [{"metadata": {"name": name}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}} for name in "ab"]
    workflow = {**CASE_12, "volumeClaimTemplates": claims}
    west = target("west", quota(hard={**GENERAL, "persistentvolumeclaims": "1"}))
    decision = decided(elastic(workflow), west)
    assert decision.reason == "it can never fit: west: quota q allows 1 persistentvolumeclaims, it needs 2"


def test_it_waits_for_what_was_promised_before_and_takes_all_that_others_leave() -> None:
    wide = elastic(loop(box("job", {"cpu": "100m", "memory": "1Mi"}), 9))
    west = target("west", quota(hard={**GENERAL, "pods": "4"}, use={"pods": "1"}))
    placed = decided(wide, west)
    assert placed.cluster == "west"
    assert limit_of(placed, "west") == {"reserved": 0, "free": 3, "need": 3, "least": 1, "peak": 9}
    before = {"west": Promised().plus(Totals(1, 1), one_kind({"pods": 1}))}
    decision = decided(wide, west, reserved=before)
    assert decision.verdicts[0].obstacle is Obstacle.FULL
    assert decision.reason == "west: quota q has 2 of 4 pods free, it needs 3"


def test_a_run_of_one_that_is_wider_than_its_quota_uses_what_it_has_reserved_and_no_excess() -> None:
    wide = elastic(CASE_12)
    one_of_three = pod("job-1", "200m", of="job")
    west = target("west", quota(hard={**GENERAL, "pods": "1"}, use={"pods": "1"}), pods=[one_of_three])
    held = [Reservation("p", "west", wide.totals, "job", None, wide.takes)]
    [limit] = decided(asked(CASE_12), west, held=held).verdicts[0].limits
    assert (limit.foreign, limit.reserved, limit.free) == (0, 1, 0)


def test_without_known_demands_what_is_known_of_an_elastic_one_is_its_largest_pod() -> None:
    by_class = [{"scopeName": "PriorityClass", "operator": "DoesNotExist"}]
    some = quota(name="some", hard={"limits.cpu": "1"}, scopeSelector={"matchExpressions": by_class})
    west = target("west", quota(hard=GENERAL), some)
    older = Request("ns", Totals(3000, GIB), "one", largest_pod=Totals(1000, GIB))
    assert decided(older, west).cluster == "west"
    assert decided(replace(older, largest_pod=None), west).outcome is Outcome.REFUSED


def test_the_ledger_holds_one_pod_for_three_where_one_is_allowed(pool: Pool) -> None:
    world = World(pool, west=8)
    world.samples = {"west": replace(world.samples["west"], limits=(Limit("q", "pods", 1, 0),))}

    def submit(name: str, pods: int, largest: float | None) -> Outcome:
        demands = one_kind({"pods": pods}, {"pods": 1})
        decision = world.placer.admit(replace(new(name, 0.6, largest_pod=largest), demands=demands))
        placements.bind(pool, name, namespace="ns", name=f"job-{name}", uid=name)
        return decision.outcome

    assert submit("wide", 3, 0.2) is Outcome.PLACED
    assert submit("gang", 3, None) is Outcome.REFUSED
    assert submit("wider", 9, 0.2) is Outcome.QUEUED
    assert submit("small", 1, None) is Outcome.QUEUED
    assert world.serve() == []
    world.end("wide")
    assert world.serve() == ["wider"]
    world.end("wider")
    assert world.serve() == ["small"]


amounts = st.integers(0, 12)


@given(amounts, amounts, amounts, amounts, amounts)
def test_what_is_promised_of_any_limit_to_others_stays_theirs(
    peak: int, largest: int, hard: int, used: int, promised: int
) -> None:
    largest = min(largest, peak)
    demands, other = one_kind({"pods": peak}, {"pods": largest}), one_kind({"pods": promised}, traits=Traits("high"))
    found = room(Limit("q", "pods", hard, used), demands, {other: ONE_MORE}, Own(), elastic=True)
    assert found.never is (largest > hard)
    if found.need <= found.free:
        assert largest <= hard - used
        assert min(peak, hard - used) + min(promised, hard) <= hard - used
        assert Limit("q", "pods", hard, used).reserves(demands) == min(peak, hard)
    assert found.whole is (peak <= found.free)
    gang = room(Limit("q", "pods", hard, used), demands, {other: ONE_MORE}, Own())
    assert (gang.need, gang.least, gang.never) == (peak, peak, peak > hard)
