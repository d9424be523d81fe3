"""What a target says of its own quotas, and that nothing is promised twice when its watches are not equally far."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.quotas import limit_range, pod, quota
from webhook.errors import Refused
from webhook.scout.decide import free_room
from webhook.scout.live_quota import snapshot_of
from webhook.scout.model import NOTHING_PROMISED, UNLIMITED, OwnUse, Snapshot, Source
from webhook.scout.quota_objects import defaults_of, pod_use, quota_of, slim_pod
from webhook.totals.model import NO_DEFAULTS, NOTHING, Defaults, Totals

Object = dict[str, Any]


def seen(quotas: list[Object], *pods: Object) -> Snapshot | None:
    uses = {one["metadata"]["uid"]: pod_use(slim_pod(one)) for one in pods}
    return snapshot_of(
        "west",
        "ns",
        quotas=[quota_of(one) for one in quotas],
        pods={uid: use for uid, use in uses.items() if use},
        defaults=NO_DEFAULTS,
        sampled_at=1000.0,
        good_for=30.0,
    )


def known(quotas: list[Object], *pods: Object) -> Snapshot:
    snapshot = seen(quotas, *pods)
    assert snapshot is not None
    return snapshot


def limits(pod: Object) -> Totals:
    use = pod_use(slim_pod(pod))
    assert use is not None
    return use.limits


def foreign(snapshot: Snapshot, *ours: str) -> int:
    """What others use by `decide`'s own arithmetic, if these runs are ours, in thousandths of a core."""
    use = OwnUse(sum((snapshot.own.get(name, NOTHING) for name in ours), NOTHING))
    return snapshot.hard.cpu_milli - free_room(snapshot, NOTHING_PROMISED, use)[0].cpu_milli


# --- quotas


def test_a_quota_and_the_pods_of_each_workflow_make_a_snapshot() -> None:
    made = known([quota("10", "3", memory=("4Gi", "1Gi"))], pod("a", of="job"), pod("b", "500m", of="job"), pod("c"))
    assert (made.hard, made.used) == (Totals(10_000, 4 << 30), Totals(3000, 1 << 30))
    assert made.own == {"job": Totals(1500, 0)}
    assert (made.source, made.sampled_at, made.good_for) == (Source.APISERVER, 1000.0, 30.0)


def test_without_a_quota_on_cpu_or_memory_there_is_no_snapshot() -> None:
    assert seen([]) is None
    assert seen([quota(None, "0")]) is None


def test_a_quota_that_its_controller_has_not_counted_yet_is_waited_for() -> None:
    assert seen([quota("10", None)]) is None
    assert seen([quota("10", "1"), quota("5", None, name="new")]) is None


def test_of_several_quotas_the_one_with_least_room_counts_for_each_resource() -> None:
    wide, tight = quota("10", "2", memory=("4Gi", "3Gi")), quota("5", "2", name="t", memory=("8Gi", "1Gi"))
    assert known([wide, tight]).hard == Totals(5000, 4 << 30)


def test_a_resource_without_a_quota_is_unlimited() -> None:
    assert known([quota("10", "0")]).hard.memory_bytes == UNLIMITED.memory_bytes


def test_a_lowered_limit_holds_at_once_and_a_raised_one_when_the_target_applies_it() -> None:
    assert known([quota("4", "1", status_cpu="10")]).hard.cpu_milli == 4000
    assert known([quota("20", "1", status_cpu="10")]).hard.cpu_milli == 10_000


@pytest.mark.parametrize("value", ["much", "-1", "", None, [], {}, "1e999"])
def test_what_is_no_quantity_is_refused(value: Any) -> None:
    thing = quota("10", "0")
    thing["status"]["used"]["limits.cpu"] = value
    with pytest.raises(Refused, match=r"limits\.cpu"):
        quota_of(thing)


# --- pods


def test_pods_that_have_ended_are_charged_no_more() -> None:
    made = known([quota("10", "0")], pod("a", of="job", phase="Succeeded"), pod("b", of="job", phase="Failed"))
    assert (made.used, made.own) == (NOTHING, {})


def test_executors_belong_to_the_workflow_whose_pod_controls_them() -> None:
    made = known([quota("10", "6")], pod("driver", of="job"), pod("e", "2", driver="driver"), pod("x", driver="gone"))
    assert made.own == {"job": Totals(3000, 0)}


def test_init_containers_overhead_and_limits_of_the_whole_pod_count_as_kubernetes_counts_them() -> None:
    first = [{"name": "i", "resources": {"limits": {"cpu": "3"}}}]
    stays = [{"name": "s", "restartPolicy": "Always", "resources": {"limits": {"cpu": "1"}}}]
    assert limits(pod("a", "2", initContainers=first)).cpu_milli == 3000
    assert limits(pod("a", "2", initContainers=stays)).cpu_milli == 3000
    assert limits(pod("a", "2", overhead={"cpu": "250m"})).cpu_milli == 2250
    assert limits(pod("a", None, overhead={"cpu": "250m"})).cpu_milli == 0
    assert limits(pod("a", "2", resources={"limits": {"cpu": "5"}})).cpu_milli == 5000


def test_a_quota_for_some_pods_is_a_limit_of_its_own_and_counts_those_alone() -> None:
    some = quota("10", "1", scopes=["NotTerminating"])
    made = known([some], pod("a", of="job"), pod("b", "4", of="late", activeDeadlineSeconds=60))
    [limit] = made.limits
    assert (limit.quota, limit.resource, limit.hard, limit.used) == ("q", "limits.cpu", 10_000, 1000)
    assert limit.own == {"job": 1000}
    assert (made.hard, made.used) == (UNLIMITED, NOTHING)


def test_a_quota_that_counts_some_pods_leaves_the_general_one_as_it_is() -> None:
    by_class = [{"scopeName": "PriorityClass", "operator": "In", "values": ["urgent"]}]
    small = quota("100m", "0", name="q-urgent", scopeSelector={"matchExpressions": by_class})
    made = known([quota("8", "1"), small], pod("a", of="job"))
    assert (made.hard.cpu_milli, made.used.cpu_milli) == (8000, 1000)
    assert [(one.quota, one.hard, one.used, one.own) for one in made.limits] == [("q-urgent", 100, 0, {})]


def test_a_quota_with_a_scope_that_is_not_known_has_nothing_taken_off() -> None:
    [limit] = known([quota("10", "2", scopes=["OfTomorrow"])], pod("a", "2", of="job")).limits
    assert (limit.used, limit.own) == (2000, {})


def test_every_resource_that_pods_take_is_a_limit_with_what_our_own_use() -> None:
    hard = {"pods": "4", "requests.cpu": "300m", "requests.nvidia.com/gpu": "2", "count/pods": "9", "services": "1"}
    used = {"pods": "1", "requests.cpu": "0", "requests.nvidia.com/gpu": "1", "count/pods": "7", "services": "1"}
    gpu = {"limits": {"cpu": "1", "nvidia.com/gpu": "1"}, "requests": {"cpu": "200m", "nvidia.com/gpu": "1"}}
    made = known([quota(hard=hard, use=used)], pod("a", of="job", resources=gpu), pod("e", driver="a"))
    assert {one.resource: (one.hard, one.used, one.own) for one in made.limits} == {
        "pods": (4, 2, {"job": 2}),
        "requests.cpu": (300, 200, {"job": 200}),
        "requests.nvidia.com/gpu": (2, 1, {"job": 1}),
        "count/pods": (9, 7, {"job": 2}),
        "count/services": (1, 1, {}),
    }
    assert made.hard == UNLIMITED


def test_a_quota_on_nothing_that_pods_take_makes_no_namespace_known() -> None:
    assert seen([quota(hard={"count/secrets": "1"}, use={"count/secrets": "0"})]) is None


def test_the_pods_of_a_pod_of_our_pods_belong_to_the_workflow_too() -> None:
    made = known([quota("10", "6")], pod("driver", of="job"), pod("e", "2", driver="driver"), pod("f", driver="e"))
    assert made.own == {"job": Totals(4000, 0)}


def test_pods_that_own_each_other_are_nobodys() -> None:
    assert known([quota("10", "6")], pod("a", driver="b"), pod("b", driver="a")).own == {}


# --- two watches that are not equally far


def test_our_pods_are_not_taken_off_a_use_that_does_not_contain_them_yet() -> None:
    """The quota says 5, all of it others'; three pods of ours have come since, and it has not been told yet."""
    others = [pod(f"x{number}") for number in range(5)]
    ours = [pod(f"o{number}", of="job") for number in range(3)]
    assert foreign(known([quota("10", "5")], *others, *ours), "job") == 5000


def test_our_pods_are_not_taken_off_a_use_that_does_not_contain_them_any_more() -> None:
    """Our pods have gone, and the quota says so already; their watch does not."""
    others = [pod(f"x{number}") for number in range(5)]
    assert foreign(known([quota("10", "5")], *others, pod("gone", "4", of="job")), "job") == 5000


def test_what_was_admitted_and_is_not_seen_yet_counts_as_others() -> None:
    assert foreign(known([quota("10", "7")], pod("a", "2", of="job")), "job") == 5000


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, dict[str, tuple[int, bool]]]]:
    """A quota's use and the pods, moment by moment: each pod is charged before it is there, and longer than it is."""
    charged, pods = dict[str, int](), dict[str, tuple[int, bool]]()
    history: list[tuple[int, dict[str, tuple[int, bool]]]] = [(0, {})]
    for number in range(draw(st.integers(1, 25))):
        match draw(st.sampled_from(["admit", "appear", "end", "notice"])):
            case "admit":
                charged[f"p{number}"] = draw(st.integers(0, 5))
            case "appear" if waiting := sorted(charged.keys() - pods.keys()):
                name = draw(st.sampled_from(waiting))
                pods[name] = (charged[name], draw(st.booleans()))
            case "end" if pods:
                del pods[draw(st.sampled_from(sorted(pods)))]
            case "notice" if gone := sorted(charged.keys() - pods.keys()):
                del charged[draw(st.sampled_from(gone))]
        history.append((sum(charged.values()), dict(pods)))
    return history


@given(history=histories(), data=st.data())
def test_however_far_apart_the_watches_are_others_never_seem_to_use_less_than_their_pods_that_are_seen(
    history: list[tuple[int, dict[str, tuple[int, bool]]]], data: st.DataObject
) -> None:
    used, _ = data.draw(st.sampled_from(history))
    _, pods = data.draw(st.sampled_from(history))
    things = [pod(name, str(cpu), of="job" if ours else None) for name, (cpu, ours) in pods.items()]
    made = known([quota("1000", str(used))], *things)
    assert foreign(made, "job") >= 1000 * sum(cpu for cpu, ours in pods.values() if not ours)


# --- LimitRanges


def test_default_limits_are_those_for_containers() -> None:
    assert defaults_of(limit_range(cpu="500m", memory="1Gi")) == Defaults(500, 1 << 30)
    assert defaults_of({"metadata": {}, "spec": {}}) == NO_DEFAULTS
