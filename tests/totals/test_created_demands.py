"""What the objects that resource templates create take of every kind of quota."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.workflows import Object, dag, need, pod, spec, steps, task
from tests.totals.test_created import APPLICATION, CHILD, ENDED, IN_TURN, SIDECAR, creates, spark
from webhook.totals.demands import PLAIN, Demands, Traits
from webhook.totals.model import Defaults, Totals
from webhook.totals.need import NO_NEED, Need
from webhook.totals.profile import of_need
from webhook.totals.traits import traits_of_pod

MIB = 1 << 20
COUNT = "count/workflows.argoproj.io"
HIGH: Object = {**CHILD, "spec": spec(pod("main", 3000), podPriorityClassName="high")}


def takes(written: Object, **more: Any) -> Demands:
    return need(written, **more).demands


@pytest.mark.parametrize(("conditions", "pods"), [(ENDED, 2), ({}, 4)])
def test_children_that_are_waited_for_count_one_at_a_time_and_remain_as_objects(conditions: Object, pods: int) -> None:
    """With the pod that creates one: the child's own, or those of all three."""
    found = takes(spec(IN_TURN, creates(CHILD, resource=conditions)))
    assert (found.whole["pods"], found.whole["limits.cpu"]) == (pods, 3000 * (pods - 1))
    assert found.objects[""][COUNT] == 4


def test_a_child_of_another_class_is_counted_by_the_quotas_of_that_class_alone() -> None:
    found = takes(spec(IN_TURN, creates(HIGH, resource=ENDED)))
    high = Traits(priority="high")
    assert set(found.groups) == {Traits(best_effort=True), high}
    assert (found.groups[high].peak["pods"], found.groups[high].peak["limits.cpu"]) == (1, 3000)
    assert found.peak("pods", lambda traits: traits != high) == 1
    assert found.whole["pods"] == 2


def test_what_counts_as_one_part_needs_what_it_needed() -> None:
    mixed = need(spec(dag(task("1", "child"), task("2", "a")), creates(HIGH, resource=ENDED), pod("a", 100)))
    made = Need(mixed.totals, mixed.demands.of_pods)
    assert of_need(made).need == made
    assert of_need(NO_NEED).need == NO_NEED


def test_a_spark_application_takes_a_pod_for_its_driver_and_for_each_executor_and_is_a_gang() -> None:
    found = takes(spark(APPLICATION), defaults=Defaults(50, 64 * MIB))
    assert found.whole == {
        "pods": 5,
        "limits.cpu": 4850,
        "limits.memory": (5120 + 64) * MIB,
        "requests.cpu": 4050,
        "requests.memory": (5120 + 64) * MIB,
    }
    assert found.largest("pods", lambda _: True) == 4
    assert found.largest("requests.cpu", lambda _: True) == 4000
    assert set(found.groups) == {PLAIN}


def test_its_gpus_and_its_sidecars_requests_count() -> None:
    gpu = {"gpu": {"name": "nvidia.com/gpu", "quantity": 2}}
    found = takes(spark({**APPLICATION, "executor": {**APPLICATION["executor"], **gpu}}))
    assert found.whole["requests.nvidia.com/gpu"] == 6
    asks = {"resources": {**SIDECAR["resources"], "requests": {"cpu": "300m"}}}
    found = takes(spark({**APPLICATION, "driver": {**APPLICATION["driver"], "sidecars": [asks]}}))
    assert (found.whole["requests.cpu"], found.whole["limits.cpu"]) == (4300, 5800)


@pytest.mark.parametrize(
    ("changed", "traits"),
    [
        ({}, PLAIN),
        ({"batchSchedulerOptions": {"priorityClassName": "high"}}, Traits(priority=None)),
        ({"driver": {"priorityClassName": "high"}}, Traits(priority=None)),
    ],
)
def test_a_class_that_a_spark_application_names_may_be_that_of_any_of_its_pods(changed: Object, traits: Traits) -> None:
    assert traits in takes(spark({**APPLICATION, **changed})).groups


def test_a_loop_of_no_rounds_has_no_largest_pod() -> None:
    nothing = steps([task("1", "huge", withParam="[]"), task("2", "a")])
    assert need(spec(nothing, pod("huge", 9000), pod("a", 100))).largest == Totals(100, 100 * MIB)


def test_requests_of_a_patch_that_only_the_run_knows_are_said() -> None:
    patch = '{"containers": [{"name": "main", "resources": {"requests": {"cpu": "{{workflow.uid}}"}}}]}'
    found = need(spec(pod("main", 100, podSpecPatch=patch)))
    assert found.notes == ("requests in podSpecPatch of template main can't all be known before it runs",)
    assert found.demands.whole["requests.cpu"] == 100


def test_a_pod_that_grows_with_its_retries_counts_with_its_largest_attempt_and_all_classes_it_may_have() -> None:
    patch = '{"priorityClassName": "p{{retries}}", "containers": [{"name": "main", "resources": {"requests": '
    patch += '{"cpu": "{{=asInt(retries) + 1}}"}}}]}'
    found = takes(spec(pod("main", 9000, podSpecPatch=patch, retryStrategy={"limit": 2})))
    assert found.whole["requests.cpu"] == 3000
    assert set(found.groups) == {Traits(priority=None)}


def test_traits_have_in_common_what_is_the_same() -> None:
    one = traits_of_pod({"priorityClassName": "a", "activeDeadlineSeconds": 5}, best_effort=True)
    assert one.common(one) is one
    assert one.common(replace(one, priority="b", best_effort=False)) == replace(one, priority=None, best_effort=None)
