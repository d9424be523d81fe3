"""What resource templates create: as long as it runs, and no longer."""

import json
from typing import Any

import pytest

from tests.support.workflows import Object, dag, milli, need, pod, spec, steps, task
from tests.totals.test_budget import summed
from webhook.totals.model import Defaults, Totals

MIB = 1 << 20
ENDED = {"successCondition": "status.phase == Succeeded", "failureCondition": "status.phase in (Failed, Error)"}
CHILD = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": spec(pod("main", 3000))}


def creates(one: Object, **more: Any) -> Object:
    """A resource template that creates an object."""
    resource = {"action": "create", "manifest": json.dumps(one), **more.pop("resource", {})}
    return {"name": "child", "resource": resource, **more}


IN_TURN = steps([task("1", "child")], [task("2", "child")], [task("3", "child")])


def test_children_that_are_waited_for_one_after_another_never_run_side_by_side() -> None:
    """shared/cases/24, from argoproj/argo-workflows#7355."""
    light = {
        **CHILD,
        "spec": spec({**pod("main", 3000), "container": {"resources": {"limits": {"cpu": 3, "memory": "64Mi"}}}}),
    }
    found = need(spec(IN_TURN, creates(light, resource=ENDED)), defaults=Defaults(50, 64 * MIB))
    assert (found.totals, found.notes) == (Totals(3050, 128 * MIB), ())
    assert summed(spec(IN_TURN, creates(light, resource=ENDED))).totals.cpu_milli == 9000


@pytest.mark.parametrize(
    ("conditions", "ended"),
    [
        ({}, False),
        ({"successCondition": "status.phase == Succeeded"}, True),
        ({"successCondition": "status.phase in (Succeeded, Failed)"}, True),
        ({"successCondition": "status.phase=Succeeded,status.progress == 1/1"}, True),
        ({"successCondition": "status.phase == Running"}, False),
        ({"successCondition": "status.phase in (Running, Succeeded)"}, False),
        ({"successCondition": "status.phase != Pending"}, False),
        ({"successCondition": "status.phase"}, False),
        ({"successCondition": "status.started == Succeeded"}, False),
        ({"successCondition": "{{steps.x.outputs.result}}"}, False),
        ({"failureCondition": "status.phase in (Failed, Error)"}, False),
        ({**ENDED, "failureCondition": "status.phase == Running"}, False),
        ({**ENDED, "failureCondition": "status.phase == Failed, status.phase == Error"}, True),
        ({**ENDED, "failureCondition": "status.phase == Failed, status.progress == x"}, False),
    ],
)
def test_only_conditions_that_say_so_mean_that_a_child_has_ended(conditions: Object, ended: bool) -> None:
    assert milli(spec(IN_TURN, creates(CHILD, resource=conditions))) == (3000 if ended else 9000)


@pytest.mark.parametrize(
    ("of_template", "of_spec", "ended"),
    [
        ({"activeDeadlineSeconds": 5}, {}, False),
        ({"timeout": "5s"}, {}, False),
        ({}, {"activeDeadlineSeconds": 5}, False),
        ({}, {"templateDefaults": {"timeout": "5s"}}, False),
        ({"retryStrategy": {"limit": 1}}, {}, True),
        ({"retryStrategy": {"limit": 1, "retryPolicy": "Always"}}, {}, False),
    ],
)
def test_a_child_may_go_on_when_its_step_may_end_for_other_reasons(
    of_template: Object, of_spec: Object, ended: bool
) -> None:
    found = milli(spec(IN_TURN, creates(CHILD, resource=ENDED, **of_template), **of_spec))
    assert found == (3000 if ended else 9000)


APPLICATION: Object = {
    "type": "Scala",
    "driver": {"cores": 1, "coreLimit": "1200m", "memory": "512m"},
    "executor": {"instances": 3, "cores": 1, "coreLimit": "1200m", "memory": "1g"},
}


REQUEST = {"spark.kubernetes.executor.request.cores": "2500m"}
SIDECAR = {"resources": {"limits": {"cpu": "1", "memory": "1Mi"}}}


def conf(prefix: str, **values: str) -> Object:
    """Spark's own settings with this prefix."""
    return {f"{prefix}{key}": value for key, value in values.items()}


def spark(application: Object, kind: str = "SparkApplication", **more: Any) -> Object:
    made = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": kind, "spec": application}
    return spec({**creates(made, **more), "name": "main"})


def test_a_spark_application_needs_its_driver_and_executors_with_sparks_overhead() -> None:
    """shared/cases/13, from kubeflow/spark-operator#2366: 4.8 cores, 896 + 3 × 1408 MiB, and Argo's own pod."""
    found = need(spark(APPLICATION), defaults=Defaults(50, 64 * MIB))
    assert (found.totals, found.notes) == (Totals(4850, (5120 + 64) * MIB), ())


@pytest.mark.parametrize(
    ("changed", "cpu", "mib"),
    [
        ({"type": "Python"}, 4800, 896 + 3 * (1024 + 409)),
        ({"type": "R", "memoryOverheadFactor": "0.1"}, 4800, 5120),
        ({"memoryOverheadFactor": "0.5"}, 4800, 896 + 3 * 1536),
        ({"sparkConf": {"spark.kubernetes.memoryOverheadFactor": "0.5"}}, 4800, 896 + 3 * 1536),
        ({"sparkConf": {"spark.executor.memoryOverheadFactor": "0.5"}}, 4800, 896 + 3 * 1536),
        ({"sparkConf": {"spark.executor.minMemoryOverhead": "512m"}}, 4800, 896 + 3 * 1536),
        ({"driver": {"memory": "8G", "coreLimit": "1", "memoryOverhead": "1g"}}, 4600, 9216 + 3 * 1408),
        ({"driver": {"memory": "8192", "cores": 2}}, 5600, 8192 + 819 + 3 * 1408),
        ({"driver": {}}, 4600, 1408 + 3 * 1408),
        ({"executor": {}}, 2200, 896 + 1408),
        ({"executor": {"instances": 0}}, 1200, 896),
        ({"dynamicAllocation": {"enabled": True, "maxExecutors": 5}}, 7200, 896 + 5 * 1408),
        ({"dynamicAllocation": {"enabled": True, "maxExecutors": 1, "initialExecutors": 2}}, 4800, 5120),
        ({"dynamicAllocation": {"enabled": False, "maxExecutors": 5}}, 4800, 5120),
        ({"sparkConf": conf("spark.dynamicAllocation.", enabled="true", maxExecutors="4")}, 6000, 896 + 4 * 1408),
        ({"sparkConf": conf("spark.memory.offHeap.", enabled="true", size="1048577")}, 4800, 5120 + 3 * 2),
        ({"sparkConf": {"spark.executor.pyspark.memory": "1g"}}, 4800, 5120 + 3 * 1024),
        ({"driver": {**APPLICATION["driver"], "sidecars": [SIDECAR]}}, 5800, 5121),
        ({"sparkConf": conf("spark.kubernetes.driver.", **{"request.cores": "2"}), "driver": {}}, 5600, 1408 * 4),
        ({"sparkConf": REQUEST, "executor": {"instances": 3, "cores": 1}}, 8700, 5120),
        ({"sparkConf": REQUEST, "executor": {"instances": 3, "coreRequest": "500m"}}, 2700, 5120),
    ],
)  # fmt: skip
def test_whatever_a_spark_application_says_counts(changed: Object, cpu: int, mib: int) -> None:
    found = need(spark({**APPLICATION, **changed}))
    assert (found.totals, found.notes) == (Totals(cpu, mib * MIB), ())


def test_what_can_not_be_told_of_a_spark_application_is_said() -> None:
    endless = need(spark({**APPLICATION, "dynamicAllocation": {"enabled": True}}))
    assert endless.totals.cpu_milli == 4800
    assert "without a maximum" in endless.notes[0]
    for wrong in (
        {"instances": "{{steps.x}}"},
        {"instances": "2.5"},
        {"memory": "1.5g"},
        {"memory": "1Gi"},
        {"coreLimit": "x"},
    ):
        assert "can't be read" in need(spark({**APPLICATION, "executor": wrong})).notes[0]
    scheduled = need(spark({"template": APPLICATION}, kind="ScheduledSparkApplication"))
    assert (scheduled.totals.cpu_milli, len(scheduled.notes)) == (4800, 1)
    assert need(spark(APPLICATION, kind="SparkConnect")).notes == (
        "the SparkConnect that template main creates is not counted",
    )


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [5], True, {"x": 5}])
@pytest.mark.parametrize(
    "where", ["driver", "executor", "dynamicAllocation", "sparkConf", "memoryOverheadFactor", "type"]
)
def test_a_spark_application_of_any_shape_gets_an_answer(where: str, junk: Any) -> None:
    need(spark({**APPLICATION, where: junk}))


@pytest.mark.parametrize(("policy", "ended"), [(None, True), ("Never", True), ("OnFailure", False), ("Always", False)])
def test_a_spark_application_that_is_waited_for_has_ended_with_its_step(policy: str | None, ended: bool) -> None:
    """One that is tried again has not ended with a failed submission."""
    conditions = {
        "successCondition": "status.applicationState.state == COMPLETED",
        "failureCondition": "status.applicationState.state in (FAILED, SUBMISSION_FAILED)",
    }
    application = {**APPLICATION, **({"restartPolicy": {"type": policy}} if policy else {})}
    made = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "spec": application}
    found = need(spec(IN_TURN, creates(made, resource=conditions)))
    assert found.totals.cpu_milli == 4800 * (1 if ended else 3)


LOCK: Object = {
    "synchronization": {"mutex": {"name": "{{inputs.parameters.l}}"}},
    "inputs": {"parameters": [{"name": "l"}]},
}


def held(value: str, **more: Any) -> Object:
    return task("1", "a", arguments={"parameters": [{"name": "l", "value": value}]}, **more)


@pytest.mark.parametrize(
    ("loop", "rounds"),
    [
        (held("same", withItems=[1, 2, 3]), 1),
        (held("{{item}}", withItems=["x", "y", "x", "x"]), 2),
        (held("{{item}}", withItems=["x", "y"]), 2),
        (held("{{steps.x}}", withItems=[1, 2, 3]), 3),
        (held("same", withItems=[1, 2, 3], hooks={"exit": {"template": "idle"}}), 3),
        (held("same", withSequence={"count": 1000}), 1),
    ],
)
def test_the_rounds_of_a_loop_that_hold_one_mutex_exclude_each_other(loop: Object, rounds: int) -> None:
    idle = {"name": "idle", "suspend": {}}
    assert milli(spec(dag(loop), pod("a", 100, **LOCK), idle)) == 100 * rounds
    assert milli(spec(dag(loop), pod("a", 100, daemon=True, **LOCK), idle)) >= 100 * rounds


def test_locks_that_several_may_hold_and_daemons_do_not_exclude() -> None:
    loop = task("1", "a", withItems=[1, 2, 3])
    semaphore = {"semaphore": {"configMapKeyRef": {"name": "c", "key": "k"}}}
    assert milli(spec(dag(loop), pod("a", 100, synchronization=semaphore))) == 300
    mutexes = {"mutexes": [{"name": "m"}]}
    assert milli(spec(dag(loop), pod("a", 100, synchronization=mutexes))) == 100
    assert milli(spec(dag(loop), pod("a", 100, daemon=True, synchronization=mutexes))) == 300
    assert milli(spec(dag(loop), pod("a", 100), templateDefaults={"synchronization": mutexes})) == 100


def test_what_locked_rounds_leave_running_goes_on_beside_the_others() -> None:
    loop = task("1", "child", withItems=[1, 2, 3])
    locked = creates(CHILD, synchronization={"mutex": {"name": "m"}})
    assert milli(spec(dag(loop), locked)) == 9000
    assert milli(spec(dag(loop), {**locked, "resource": {**locked["resource"], **ENDED}})) == 3000
