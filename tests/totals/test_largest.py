"""The largest of what can run only as a whole: where that fits, an elastic Workflow can end."""

import json

from tests.support.workflows import Object, dag, need, pod, spec, steps, task
from tests.totals.test_budget import summed
from tests.totals.test_created import APPLICATION, CHILD, creates, spark
from webhook.totals.model import Totals

A, B, C = pod("a", 100), pod("b", 200), pod("c", 400)
MIB = 1 << 20


def largest(written: Object) -> int:
    found = need(written).largest
    assert found.memory_bytes == found.cpu_milli * MIB
    return found.cpu_milli


def test_it_is_that_of_any_pod_that_may_run() -> None:
    assert largest(spec(dag(task("1", "a"), task("2", "b"), task("3", "a")), A, B, C)) == 200
    assert largest(spec(steps([task("1", "a", hooks={"exit": {"template": "c"}})]), A, C)) == 400
    assert largest(spec(pod("main", 100), C, onExit="c")) == 400
    assert largest(spec(steps([task("1", "a")], [task("2", "c", when="1 == 2")]), A, C)) == 100
    assert summed(spec(dag(task("1", "a", withItems=[1, 2]), task("2", "b")), A, B)).largest == Totals(200, 200 * MIB)


def test_each_resource_counts_for_itself() -> None:
    wide = {"name": "w", "container": {"resources": {"limits": {"cpu": 1, "memory": "1Mi"}}}}
    assert need(spec(dag(task("1", "w"), task("2", "a")), wide, A)).largest == Totals(1000, 100 * MIB)


def test_the_pods_of_a_created_workflow_are_among_them_and_gangs_count_whole() -> None:
    many = {**CHILD, "spec": spec(dag(task("1", "a", withItems=[1, 2, 3])), A)}
    assert need(spec({**creates(many), "name": "main"})).largest == Totals(100, 100 * MIB)
    assert need(spark(APPLICATION)).largest == Totals(4800, 5120 * MIB)
    sizes = {"executor_num": "2", "executor_cores_limit": "1", "executor_memory_limit": "1g"}
    parameters = [{"name": name, "value": value} for name, value in sizes.items()]
    parameters += [{"name": "driver_cores_limit", "value": "2"}, {"name": "driver_memory_limit", "value": "0.5g"}]
    job = spec(A, arguments={"parameters": parameters})
    assert need(job).largest == Totals(2000, 1 << 30)
    child = json.loads(json.dumps({**CHILD, "spec": job}))
    assert need(spec({**creates(child), "name": "main"})).largest == Totals(4000, 5 << 29)


def test_argos_agent_is_a_pod_too() -> None:
    assert need(spec({"name": "main", "http": {"url": "x"}})).largest == Totals(100, 256 * 10**6)
