"""Every limit of every quota that counts a Workflow's pods decides where it goes; with real ResourceQuotas."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.quotas import pod, quota
from tests.support.workflows import need, spec, steps, task
from webhook.scout.both_eyes import chosen
from webhook.scout.decide import decide
from webhook.scout.limits import Holders, Limit, Own
from webhook.scout.live_quota import snapshot_of
from webhook.scout.model import (
    Decision,
    Obstacle,
    Outcome,
    Promised,
    Request,
    Reservation,
    Snapshot,
    Target,
    plain_demands,
)
from webhook.scout.own_use import own_use
from webhook.scout.quota_objects import pod_use, quota_of, slim_pod
from webhook.totals.demands import Demands, Traits, one_kind
from webhook.totals.model import GIB, NO_DEFAULTS, NOTHING, Totals

Object = dict[str, Any]
NOW = 1000.0
GENERAL = {"limits.cpu": "8", "limits.memory": "32Gi"}


def target(name: str, *quotas: Object, pods: Sequence[Object] = ()) -> Snapshot:
    """What the watch of a target sees."""
    uses = {one["metadata"]["uid"]: pod_use(slim_pod(one)) for one in pods}
    made = snapshot_of(
        name,
        "ns",
        quotas=[quota_of(one) for one in quotas],
        pods={uid: use for uid, use in uses.items() if use},
        defaults=NO_DEFAULTS,
        sampled_at=NOW,
        good_for=30.0,
    )
    assert made is not None
    return made


def box(name: str, limits: Object, requests: Object | None = None, **more: Any) -> Object:
    return {"name": name, "container": {"resources": {"limits": limits, "requests": requests or {}}}, **more}


def loop(template: Object, rounds: int, **more: Any) -> Object:
    """A Workflow of so many pods side by side."""
    return spec(steps([task("job", "job", withItems=list(range(rounds)))]), {**template, "name": "job"}, **more)


CASE_11 = loop(box("job", {"cpu": "400m", "memory": "64Mi"}, {"cpu": "1m", "memory": "1Mi"}), 2)
CASE_12 = loop(box("job", {"cpu": "200m", "memory": "64Mi"}, {"cpu": "200m", "memory": "1Mi"}), 3)


def asked(workflow: Object, **changes: Any) -> Request:
    found = need(workflow)
    return replace(Request("ns", found.totals, seed="one", demands=found.demands), **changes)


def decided(
    request: Request,
    *targets: Snapshot,
    held: Sequence[Reservation] = (),
    reserved: Mapping[str, Promised] | None = None,
) -> Decision:
    by_name = {one.cluster: one for one in targets}
    promised: dict[str, Promised] = dict(reserved or {})
    for one in held:
        if one.released_at is None:
            promised[one.cluster] = promised.get(one.cluster, Promised()).plus(one.totals, one.demands)
    return decide(
        request,
        targets=[Target(name) for name in sorted(by_name)],
        snapshots=by_name,
        reserved=promised,
        own=own_use(by_name, held),
        claimed=(),
        now=NOW,
        max_age=60,
    )


def urgent(**hard: str) -> Object:
    by_class = [{"scopeName": "PriorityClass", "operator": "In", "values": ["urgent"]}]
    named = {name.replace("_", "."): size for name, size in hard.items()}
    return quota(name="q-urgent", hard=named, scopeSelector={"matchExpressions": by_class})


# --- scopes


def test_a_quota_that_never_counts_these_pods_never_limits_them() -> None:
    west = target("west", quota(hard=GENERAL), urgent(limits_cpu="100m"))
    decision = decided(asked(CASE_11), west)
    assert (decision.outcome, decision.cluster) == (Outcome.PLACED, "west")
    assert decision.verdicts[0].limits == ()


def test_a_quota_with_a_scope_limits_the_pods_that_it_counts() -> None:
    west = target("west", quota(hard=GENERAL), urgent(limits_cpu="100m"))
    decision = decided(asked({**CASE_11, "podPriorityClassName": "urgent"}), west)
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason == "it can never fit: west: quota q-urgent allows 0.1 limits.cpu, it needs 0.8"


def test_only_the_part_that_a_quota_counts_must_fit_into_it() -> None:
    one, two = (box(name, {"cpu": "400m", "memory": "64Mi"}) for name in ("one", "two"))
    mixed = spec(steps([task("1", "one"), task("2", "two")]), {**one, "priorityClassName": "urgent"}, two)
    west = target("west", quota(hard=GENERAL), urgent(limits_cpu="500m", pods="1"))
    assert decided(asked(mixed), west).cluster == "west"


@pytest.mark.parametrize(("scope", "fits"), [("Terminating", False), ("NotTerminating", True)])
def test_a_workflow_with_a_deadline_has_terminating_pods(scope: str, fits: bool) -> None:
    some = quota(name="q-some", hard={"pods": "1"}, scopes=[scope])
    request = asked({**CASE_12, "activeDeadlineSeconds": 600})
    assert (decided(request, target("west", quota(hard=GENERAL), some)).cluster == "west") is fits


@pytest.mark.parametrize(("scope", "fits"), [("BestEffort", False), ("NotBestEffort", True)])
def test_pods_that_ask_for_nothing_are_counted_as_best_effort(scope: str, fits: bool) -> None:
    some = quota(name="q-some", hard={"pods": "1"}, scopes=[scope])
    assert (decided(asked(loop(box("job", {}), 3)), target("west", some)).cluster == "west") is fits


def test_what_cant_be_known_before_it_runs_may_be_counted() -> None:
    request = asked({**CASE_12, "podPriorityClassName": "{{workflow.uid}}"})
    assert decided(request, target("west", quota(hard=GENERAL), urgent(pods="1"))).outcome is Outcome.REFUSED


# --- other resources


@pytest.mark.parametrize(("name", "hard"), [("pods", "1"), ("requests.cpu", "300m"), ("cpu", "300m")])
def test_three_pods_side_by_side_go_each_time_to_the_target_whose_quota_allows_three(name: str, hard: str) -> None:
    west, east = target("west", quota(hard={**GENERAL, name: hard})), target("east", quota(hard=GENERAL))
    for seed in range(30):
        assert decided(asked(CASE_12, seed=str(seed)), west, east).cluster == "east"
    [verdict] = [one for one in decided(asked(CASE_12), west, east).verdicts if one.cluster == "west"]
    assert verdict.obstacle is Obstacle.TOO_SMALL
    assert verdict.removed_by in (
        "quota q allows 1 pods, it needs 3",
        "quota q allows 0.3 requests.cpu, it needs 0.6",
    )


def test_a_pod_that_no_quota_allows_is_refused_with_quota_resource_hard_limit_and_need() -> None:
    gpu = spec(box("main", {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": 2}))
    west = target("west", quota(hard={**GENERAL, "requests.nvidia.com/gpu": "1"}))
    east = target("east", quota(name="none", hard={**GENERAL, "requests.nvidia.com/gpu": "0"}))
    decision = decided(asked(gpu), west, east)
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason == (
        "it can never fit: east: quota none allows 0 requests.nvidia.com/gpu, it needs 2; "
        "west: quota q allows 1 requests.nvidia.com/gpu, it needs 2"
    )


def test_a_resource_that_nobody_asks_for_limits_nothing_however_full_it_is() -> None:
    hard = {**GENERAL, "requests.nvidia.com/gpu": "1", "requests.storage": "1Gi", "requests.ephemeral-storage": "1"}
    use = {"requests.nvidia.com/gpu": "1", "requests.storage": "2Gi", "requests.ephemeral-storage": "1"}
    assert decided(asked(CASE_12), target("west", quota(hard=hard, use=use))).cluster == "west"


def test_what_is_full_now_is_waited_for_with_quota_resource_and_numbers() -> None:
    west = target("west", quota(hard={**GENERAL, "pods": "4"}, use={"pods": "2"}))
    decision = decided(asked(CASE_12), west)
    assert decision.outcome is Outcome.QUEUED
    assert decision.reason == "west: quota q has 2 of 4 pods free, it needs 3"
    [shown] = decision.as_json()["verdicts"][0]["limits"]
    assert shown == {
        "quota": "q",
        "resource": "pods",
        "hard": 4,
        "used": 2,
        "foreign": 2,
        "reserved": 0,
        "free": 2,
        "need": 3,
        "least": 3,
        "peak": 3,
        "never": False,
    }
    assert json.loads(json.dumps(decision.as_json())) == decision.as_json()


def test_a_namespace_whose_quota_limits_pods_alone_is_known_and_their_number_counts() -> None:
    west = target("west", quota(hard={"pods": "3"}))
    assert decided(asked(CASE_12), west).cluster == "west"
    assert decided(asked(loop(box("job", {}), 4)), west).outcome is Outcome.REFUSED


def test_of_several_quotas_each_one_limits() -> None:
    west = target("west", quota(hard={**GENERAL, "pods": "9"}), quota(name="small", hard={"pods": "2"}))
    assert decided(asked(CASE_12), west).reason.endswith("quota small allows 2 pods, it needs 3")


# --- full counts of objects


@pytest.mark.parametrize("hard", ["0", "3"])
def test_a_full_count_of_workflows_means_not_now(hard: str) -> None:
    counts = {"count/workflows.argoproj.io": hard}
    west = target("west", quota(hard=GENERAL), quota(name="objects", hard=counts, use=counts))
    decision = decided(asked(CASE_12), west)
    assert decision.outcome is Outcome.QUEUED
    assert decision.reason == f"west: quota objects has 0 of {hard} count/workflows.argoproj.io free, it needs 1"


def test_a_count_of_pods_is_full_of_ended_ones_too_and_is_waited_for() -> None:
    west = target("west", quota(hard={**GENERAL, "count/pods": "3"}, use={"count/pods": "3"}))
    assert decided(asked(CASE_12), west).outcome is Outcome.QUEUED


def test_volume_claims_must_fit_by_number_by_size_and_by_class() -> None:
    claim = {"storageClassName": "gold", "resources": {"requests": {"storage": "2Gi"}}}
    claims = {**CASE_12, "volumeClaimTemplates": [{"metadata": {"name": "a"}, "spec": claim}]}
    for name, hard, use, outcome in (
        ("persistentvolumeclaims", "1", "1", Outcome.QUEUED),
        ("requests.storage", "3Gi", "2Gi", Outcome.QUEUED),
        ("gold.storageclass.storage.k8s.io/requests.storage", "1Gi", "0", Outcome.REFUSED),
        ("count/persistentvolumeclaims", "0", "0", Outcome.REFUSED),
    ):
        full = target("west", quota(hard={**GENERAL, name: hard}, use={name: use}))
        assert decided(asked(claims), full).outcome is outcome
        assert decided(asked(CASE_12), full).cluster == "west"
    other = {"silver.storageclass.storage.k8s.io/requests.storage": "0"}
    assert decided(asked(claims), target("west", quota(hard={**GENERAL, **other}))).cluster == "west"


def test_objects_of_runs_that_exist_are_in_the_use_already_and_count_once() -> None:
    demands = need(CASE_12).demands
    counts = {"count/workflows.argoproj.io": "3"}
    west = target(
        "west", quota(hard=GENERAL), quota(name="objects", hard=counts, use={**counts, **dict.fromkeys(counts, "2")})
    )
    exist, not_yet = Holders(2, 0, 0), Holders(1, 1, 1)
    assert decided(asked(CASE_12), west, reserved={"west": Promised(NOTHING, {demands: exist})}).cluster == "west"
    both = {"west": Promised(NOTHING, {demands: exist + not_yet})}
    assert decided(asked(CASE_12), west, reserved=both).outcome is Outcome.QUEUED


# --- what is promised, and what our own pods use


def reservation(name: str, demands: Demands, **changes: Any) -> Reservation:
    return replace(Reservation(name, "west", NOTHING, name, None, demands), **changes)


def test_what_is_promised_counts_before_any_pod_is_there_and_once_when_they_are() -> None:
    held = [reservation("job", need(CASE_12).demands)]
    hard = {**GENERAL, "pods": "6"}
    before = target("west", quota(hard=hard))
    pods = [pod(f"p{number}", of="job") for number in range(3)]
    after = target("west", quota(hard=hard, use={"pods": "3"}), pods=pods)
    for west in (before, after):
        assert decided(asked(CASE_12), west, held=held).cluster == "west"
        [room] = decided(asked(CASE_12), west, held=held).verdicts[0].limits
        assert (room.foreign, room.reserved, room.free) == (0, 3, 3)
    more = [*held, reservation("other", one_kind({"pods": 1}))]
    assert decided(asked(CASE_12), after, held=more).outcome is Outcome.QUEUED


def test_executors_that_a_driver_made_are_the_workflows_own_and_count_once() -> None:
    demands = one_kind({"pods": 3, "requests.cpu": 300})
    pods = [pod("driver", of="job"), pod("e1", driver="driver"), pod("e2", driver="driver"), pod("stranger")]
    west = target("west", quota(hard={**GENERAL, "pods": "7"}, use={"pods": "4"}), pods=pods)
    [room] = decided(asked(CASE_12), west, held=[reservation("job", demands)]).verdicts[0].limits
    assert (room.used, room.foreign, room.reserved, room.free) == (4, 1, 3, 3)


def test_a_run_that_uses_more_than_was_promised_counts_with_what_it_uses() -> None:
    pods = [pod(f"p{number}", of="job") for number in range(4)]
    west = target("west", quota(hard={**GENERAL, "pods": "6"}, use={"pods": "4"}), pods=pods)
    decision = decided(asked(CASE_12), west, held=[reservation("job", one_kind({"pods": 1}))])
    assert decision.verdicts[0].limits[0].free == 2


def test_a_placement_of_a_medea_that_knew_no_demands_holds_its_cpu_and_memory() -> None:
    held = [reservation("job", plain_demands(Totals(400, GIB)))]
    some = quota(name="q-some", hard={"limits.cpu": "1", "pods": "9"}, scopes=["NotTerminating"])
    [cpu, pods] = decided(asked(CASE_12), target("west", some), held=held).verdicts[0].limits
    assert (cpu.resource, cpu.reserved, pods.reserved) == ("limits.cpu", 400, 0)


def test_a_question_with_nothing_but_cpu_and_memory_is_one_about_plain_pods() -> None:
    some = quota(name="q-some", hard={"limits.cpu": "1", "pods": "0"}, scopes=["NotTerminating"])
    question = Request("ns", Totals(2000, GIB), seed="x")
    assert decided(question, target("west", some)).outcome is Outcome.REFUSED
    assert decided(replace(question, totals=Totals(900, GIB)), target("west", some)).cluster == "west"


class_names = st.sampled_from(["", "urgent"])
small = st.builds(
    lambda count, name: one_kind({"pods": count, "requests.cpu": count}, traits=Traits(priority=name)),
    st.integers(0, 5),
    class_names,
)
limits = st.builds(
    lambda resource, hard, scoped: quota(
        name="q", hard={resource: str(hard) if resource == "pods" else f"{hard}m"}, **(scoped or {})
    ),
    st.sampled_from(["pods", "requests.cpu"]),
    st.integers(0, 12),
    st.sampled_from(
        [None, {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}}]
    ),
)


@given(st.lists(small, max_size=8), limits, st.lists(st.tuples(class_names, st.booleans()), max_size=5))
def test_no_history_of_decisions_promises_more_of_any_limit_than_there_is(
    needs: list[Demands], written: Object, strangers: list[tuple[str, bool]]
) -> None:
    """However many of the promised pods are there already: what others use and what is promised stay within it."""
    held: list[Reservation] = []
    foreign = [pod(f"x{place}", "1m", priorityClassName=name) for place, (name, _) in enumerate(strangers)]
    [limit] = target("west", written, pods=foreign).limits
    theirs = limit.used
    for place, demands in enumerate(needs):
        ours = [
            pod(f"{one.placement}-{number}", "1m", of=one.run_name, priorityClassName=_class_of(one.demands))
            for one in held
            for number in range(min(one.demands.whole.get("pods", 0), place % 3))
        ]
        west = target("west", written, pods=[*foreign, *ours])
        if decided(Request("ns", NOTHING, str(place), demands=demands), west, held=held).cluster:
            held.append(reservation(f"run{place}", demands))
    promised = sum(limit.peak(one.demands) for one in held)
    assert promised == 0 or theirs + promised <= limit.hard


def _class_of(demands: Demands) -> str:
    return next((str(one.priority) for one in demands.groups), "")


@given(small, limits, st.integers(0, 6))
def test_more_use_never_turns_a_no_into_a_yes(demands: Demands, written: Object, more: int) -> None:
    request = Request("ns", NOTHING, "x", demands=demands)
    before, after = target("west", written), target("west", written)
    after = replace(after, limits=tuple(replace(one, used=one.used + more) for one in after.limits))
    assert not (decided(request, before).cluster is None and decided(request, after).cluster)


# --- both eyes


def test_a_watch_that_sees_more_limits_than_prometheus_is_believed() -> None:
    live = target("west", quota(hard={**GENERAL, "pods": "1"}))
    sample = replace(live, limits=())
    assert chosen(sample, live, sees=True, now=NOW) == (live, "its sample lacks some limits")
    assert chosen(sample, live, sees=False, now=NOW)[0] is sample
    assert chosen(sample, replace(live, limits=()), sees=True, now=NOW)[0] is sample


def test_an_own_use_is_taken_off_each_limit_by_itself() -> None:
    west = replace(
        target("west", quota(hard={"pods": "9"})),
        own={"job": NOTHING},
        limits=(Limit("q", "pods", 9, 3, own={"job": 2}), Limit("r", "requests.cpu", 9, 5, own={"job": 4})),
    )
    found = own_use({"west": west}, [reservation("job", one_kind({"pods": 5, "requests.cpu": 1}))])
    assert found["west"].limits == (Own(2, 0), Own(4, 3))
