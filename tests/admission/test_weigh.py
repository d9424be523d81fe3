"""Weighing keeps to the time that the apiserver waits, and a heavy Workflow leaves room for all others."""

import json
import threading

import pytest

from tests.support.workflows import Object, dag, pod, spec, steps, task
from webhook.admission.gather import Gathered
from webhook.admission.weigh import Scales
from webhook.errors import Busy
from webhook.model.deadline import Deadline
from webhook.totals.model import NO_DEFAULTS, Totals
from webhook.totals.shape import Name

LIGHT = spec(dag(task("x", "a")), pod("a", 100))
HEAVY = spec(dag(*(task(f"x{number}", "a") for number in range(400))), pod("a", 100))


def nothing_more(found: Gathered, _: set[Name], __: Deadline) -> Gathered:
    return found


def weighed(scales: Scales, written: Object, seconds: float = 60) -> Totals:
    return scales.weigh(written, Gathered(), nothing_more, NO_DEFAULTS, Deadline.after(seconds)).need.totals


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
    largest, deadline = _largest(), Deadline.after(8.5)
    assert len(json.dumps(largest)) > 500_000
    found = Scales().weigh(largest, Gathered(), nothing_more, NO_DEFAULTS, deadline)
    assert deadline.left > 0
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
        target=scales.weigh, args=(heavy, Gathered(), slow, NO_DEFAULTS, Deadline.after(60)), daemon=True
    )
    weigh.start()
    assert begun.wait(20)
    assert weighed(scales, LIGHT).cpu_milli == 100
    with pytest.raises(Busy, match=r"as large as this one.*try again"):
        weighed(scales, HEAVY, seconds=0.2)
    over.set()
    weigh.join(20)
    assert weighed(scales, HEAVY).cpu_milli == 40_000
