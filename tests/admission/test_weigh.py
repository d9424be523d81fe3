"""Weighing keeps to the time that the apiserver waits, and a heavy Workflow leaves room for all others."""

import json
import threading
import time

import pytest

from tests.support.workflows import Object, dag, pod, spec, steps, task
from webhook.admission.gather import Gathered
from webhook.admission.weigh import Scales, what_targets_add
from webhook.errors import Busy
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import WEIGH_MOST_CONFIGS
from webhook.totals.argo_config import ArgoConfig
from webhook.totals.model import NO_DEFAULTS, Defaults, Totals
from webhook.totals.requirements import Requirements
from webhook.totals.shape import Name

LIGHT = spec(dag(task("x", "a")), pod("a", 100))
HEAVY = spec(dag(*(task(f"x{number}", "a") for number in range(400))), pod("a", 100))


def nothing_more(found: Gathered, _: set[Name], __: Deadline) -> Gathered:
    return found


def weighed(scales: Scales, written: Object, seconds: float = 60) -> Totals:
    return scales.weigh(written, Gathered(), nothing_more, [NO_DEFAULTS], Deadline.after(seconds)).need.totals


def _largest() -> Object:
    """Half a megabyte of DAGs with 300 tasks each, and limits on pods."""

    def one(name: str) -> Object:
        tasks = [
            task(f"task-{number}", f"p{number % 30}", f"task-{number - 7} && task-{number - 10}" if number > 9 else "")
            for number in range(300)
        ]
        return dag(*tasks, name=name, parallelism=50)

    names = [f"dag-{number}" for number in range(24)]
    pods = [pod(f"p{number}", 100 + number) for number in range(30)]
    return spec(steps(*([task(name, name)] for name in names)), *map(one, names), *pods, parallelism=70)


def test_the_largest_workflow_there_can_be_is_weighed_in_time_for_an_answer() -> None:
    largest = _largest()
    assert len(json.dumps(largest)) > 500_000
    # In the processor's time, since others may use it as well while tests run. Too late would be Unavailable.
    deadline = Deadline.after(300, clock=time.thread_time)
    found = Scales().weigh(largest, Gathered(), nothing_more, [NO_DEFAULTS], deadline)
    assert found.need.totals.cpu_milli > 0


def test_only_so_many_heavy_workflows_are_weighed_at_once_and_light_ones_go_on_beside_them() -> None:
    scales = Scales(most=1)
    begun, over = threading.Event(), threading.Event()

    def slow(found: Gathered, _: set[Name], __: Deadline) -> Gathered:
        begun.set()
        assert over.wait(20)
        return found

    heavy = {**HEAVY, "hooks": {"exit": {"templateRef": {"name": "elsewhere", "template": "t"}}}}
    weigh = threading.Thread(
        target=scales.weigh, args=(heavy, Gathered(), slow, [NO_DEFAULTS], Deadline.after(60)), daemon=True
    )
    weigh.start()
    assert begun.wait(20)
    assert weighed(scales, LIGHT).cpu_milli == 100
    with pytest.raises(Busy, match=r"as large as this one.*try again"):
        weighed(scales, HEAVY, seconds=0.2)
    over.set()
    weigh.join(20)
    assert weighed(scales, HEAVY).cpu_milli == 40_000


def test_the_largest_of_what_targets_may_add_counts_and_of_targets_not_asked_nothing() -> None:
    configs = {"west": [ArgoConfig({"limits": {"cpu": "1"}})], "east": [ArgoConfig({"limits": {"memory": "1Gi"}})]}
    limits = {"west": Defaults(50), "east": Defaults(20), "north": Defaults(10)}
    added = what_targets_add(limits, lambda target: configs.get(target, []))
    need = Scales().weigh(spec(pod("main", 100)), Gathered(), nothing_more, added, Deadline.after(60)).need
    assert need.totals == Totals(1100, (100 << 20) + (1 << 30))
    assert [one.cpu_milli for one in added] == [50, 50, 50]
    assert what_targets_add({}, lambda _: []) == [NO_DEFAULTS]


def test_so_many_configurations_are_looked_at_and_no_more_which_is_said() -> None:
    def weighed_with(targets: int) -> Requirements:
        limits = {f"t{number:02}": NO_DEFAULTS for number in range(1, targets + 1)}
        added = what_targets_add(limits, lambda target: [ArgoConfig({"limits": {"cpu": str(int(target[1:]))}})])
        return Scales().weigh(spec(pod("main", 100)), Gathered(), nothing_more, added, Deadline.after(60)).need

    all_of_them, some = weighed_with(WEIGH_MOST_CONFIGS), weighed_with(50)
    assert (all_of_them.totals.cpu_milli, all_of_them.notes) == (WEIGH_MOST_CONFIGS * 1000 + 100, ())
    assert some.totals == all_of_them.totals
    assert f"more than {WEIGH_MOST_CONFIGS} configurations of Argo" in " ".join(some.notes)


def test_defaults_of_a_target_that_make_no_sense_refuse_nobody() -> None:
    bad = json.dumps({"containers": [{"name": "main", "resources": {"limits": {"cpu": "much"}}}]})
    added = [Defaults(argo=ArgoConfig({"limits": {"cpu": "1"}}, defaults={"podSpecPatch": bad}))]
    need = Scales().weigh(spec(pod("main", 100)), Gathered(), nothing_more, added, Deadline.after(60)).need
    assert need.totals.cpu_milli == 1100
    assert "workflowDefaults of a target can't be counted" in " ".join(need.notes)


def test_templates_that_only_targets_defaults_name_are_not_looked_for_here() -> None:
    hook = {"templateRef": {"name": "theirs", "template": "t"}, "expression": "true"}
    added = [Defaults(argo=ArgoConfig({}, defaults={"hooks": {"tell": hook}}))]

    asked = list[set[Name]]()

    def more(found: Gathered, names: set[Name], _: Deadline) -> Gathered:
        asked.append(names)
        return found

    assert Scales().weigh(LIGHT, Gathered(), more, added, Deadline.after(60)).need.totals.cpu_milli == 100
    assert asked == []
