"""What a Workflow needs at its peak, as Argo would run it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.workflows import Object, dag, milli, need, pod, spec, steps, task
from webhook.errors import Refused
from webhook.totals.model import Defaults, Totals
from webhook.totals.shape import Name

A, B, C = pod("a", 100), pod("b", 200), pod("c", 400)


def test_a_single_container_needs_its_limits() -> None:
    assert need(spec(pod("main", 250))).totals == Totals(250, 250 << 20)
    assert need(spec(pod("main", 250))).notes == ()


def test_groups_of_steps_come_one_after_the_other_and_steps_of_a_group_together() -> None:
    main = steps([task("1", "a"), task("2", "b")], [task("3", "c")], [task("4", "a")])
    assert milli(spec(main, A, B, C)) == 400
    assert milli(spec(steps([task("1", "a"), task("2", "c")], [task("3", "b")]), A, B, C)) == 500


def test_a_diamond_needs_its_widest_part() -> None:
    diamond = dag(
        task("1", "a"), task("2", "b", "1"), task("3", "c", "1.Succeeded || 1.Failed"), task("4", "a", "2 && 3")
    )
    assert milli(spec(diamond, A, B, C)) == 600


def test_dependencies_count_like_depends() -> None:
    assert milli(spec(dag(task("1", "a"), task("2", "b", dependencies=["1"])), A, B)) == 200


def test_an_order_that_falls_into_no_parts_is_weighed_exactly() -> None:
    """3 waits for 1 alone, 4 for both 1 and 2."""
    woven = dag(task("1", "a"), task("2", "c"), task("3", "c", "1"), task("4", "a", "1 && 2"))
    assert milli(spec(woven, A, C)) == 800


def test_a_template_of_templates_weighs_its_own_peak() -> None:
    inner = steps([task("x", "c")], [task("y", "a"), task("z", "a")], name="inner")
    assert milli(spec(dag(task("1", "inner"), task("2", "b")), inner, A, B, C)) == 600


def test_only_the_targets_of_a_dag_and_what_they_wait_for_run() -> None:
    main = dag(task("1", "a"), task("2", "b", "1"), task("3", "c"))
    main["dag"]["target"] = "2"
    assert milli(spec(main, A, B, C)) == 200


def test_a_daemon_stays_until_its_template_ends_and_no_longer() -> None:
    daemon = pod("d", 1000, daemon=True)
    inner = dag(task("1", "d"), task("2", "a", "1"), task("3", "b", "2"), name="inner")
    assert milli(spec({**inner, "name": "main"}, daemon, A, B)) == 1200
    outer = steps([task("x", "inner")], [task("y", "c")])
    assert milli(spec(outer, inner, daemon, A, B, C)) == 1200
    assert milli(spec(steps([task("1", "d")], [task("2", "b")], [task("3", "c")]), daemon, B, C)) == 1400


def test_what_a_daemon_waited_for_has_still_ended() -> None:
    main = dag(task("1", "c"), task("2", "d", "1"), task("3", "a", "2"))
    assert milli(spec(main, pod("d", 300, daemon=True), A, C)) == 400


@pytest.mark.parametrize(
    ("loop", "rounds"),
    [
        ({"withItems": ["x", "y", {"z": 1}]}, 3),
        ({"withParam": '["x", "y"]'}, 2),
        ({"withParam": "{{workflow.parameters.list}}"}, 4),
        ({"withSequence": {"count": "{{workflow.parameters.n}}"}}, 5),
        ({"withSequence": {"start": 3, "end": 1}}, 3),
        ({"withSequence": {"start": "2", "count": 2, "format": "x%02d"}}, 2),
        ({"withSequence": {"count": 0}}, 0),
        ({"withItems": []}, 1),
    ],
)
def test_a_loop_runs_all_its_rounds_at_once(loop: Object, rounds: int) -> None:
    parameters = [{"name": "list", "value": "[1, 2, 3, 4]"}, {"name": "n", "value": 5}]
    made = spec(dag(task("1", "a", **loop)), A, arguments={"parameters": parameters})
    assert milli(made) == 100 * rounds
    assert need(made).notes == ()


@pytest.mark.parametrize(
    "loop", [{"withParam": "{{tasks.x.outputs.result}}"}, {"withSequence": {"count": "{{=1 + steps.x}}"}}]
)
def test_a_loop_that_nobody_can_know_counts_once_and_that_is_said(loop: Object) -> None:
    found = need(spec(dag(task("1", "a", **loop)), A))
    assert found.totals.cpu_milli == 100
    assert found.notes == ("how often task 1 runs is not known before it does; counted once",)


def test_parallelism_of_a_template_bounds_its_children_and_that_of_the_workflow_its_pods() -> None:
    pair = dag(task("x", "a"), task("y", "a"), name="pair")
    many = dag(task("1", "pair", withSequence={"count": 10}))
    assert milli(spec(many, pair, A)) == 2000
    assert milli(spec({**many, "parallelism": 3}, pair, A)) == 600
    assert milli(spec(many, pair, A, parallelism=3)) == 300
    assert milli(spec({**many, "parallelism": 1}, pair, A, parallelism=3)) == 200


def test_hooks_run_beside_exit_hooks_after_and_on_exit_after_everything() -> None:
    hooks = {"running": {"template": "b", "expression": "true"}, "exit": {"template": "c"}}
    assert milli(spec(dag(task("1", "a", hooks=hooks)), A, B, C)) == 600
    assert milli(spec(dag(task("1", "a", onExit="c")), A, C)) == 400
    assert milli(spec(dag(task("1", "a"), task("2", "b", "1", hooks={"exit": hooks["exit"]})), A, B, C)) == 400
    assert milli(spec(pod("main", 100), C, onExit="c")) == 400
    assert milli(spec(pod("main", 100), B, hooks={"x": hooks["running"]} | {"running": {"template": "b"}})) == 500


def test_a_retry_comes_after_what_failed() -> None:
    assert milli(spec(pod("main", 100, retryStrategy={"limit": 10}))) == 100


def test_recursion_ends_and_is_said() -> None:
    found = need(spec(steps([task("1", "a")], [task("2", "main")]), A))
    assert (found.totals.cpu_milli, found.notes) == (100, ("template main calls itself; counted once",))


def test_templates_are_found_where_they_are_named() -> None:
    library = {
        Name("lib"): {"templates": [dag(task("1", "leaf"), task("2", "leaf"), name="two"), pod("leaf", 50)]},
        Name("lib", cluster=True): {"templates": [pod("leaf", 7)]},
    }
    from_library = [
        {"name": "1", "templateRef": {"name": "lib", "template": "two"}},
        {"name": "2", "templateRef": {"name": "lib", "template": "leaf", "clusterScope": True}},
        {"name": "3", "inline": pod("", 1000)},
    ]
    assert milli(spec(dag(*from_library), pod("leaf", 9999)), library) == 1107


def test_a_workflow_of_a_template_takes_from_it_what_it_does_not_say() -> None:
    library = {Name("t"): {**spec(dag(task("1", "a"), task("2", "b", "1")), A, B, pod("other", 700)), "parallelism": 1}}
    assert milli({"workflowTemplateRef": {"name": "t"}}, library) == 200
    assert milli({"workflowTemplateRef": {"name": "t"}, "entrypoint": "other"}, library) == 700


def test_a_name_that_only_the_run_knows_is_said() -> None:
    by_name = dag(
        task("1", "{{tasks.x.outputs.result}}"), {"name": "2", "templateRef": {"name": "{{y}}", "template": "z"}}
    )
    notes = need(spec(by_name)).notes
    assert "template {{tasks.x.outputs.result}} is known only when it runs, and is not counted" in notes
    assert "WorkflowTemplate {{y}} is known only when it runs, and is not counted" in notes


def test_parameters_reach_the_patch_of_a_pod_through_every_call() -> None:
    patch = (
        '{"containers": [{"name": "main", "resources": {"limits": {"cpu": "{{inputs.parameters.c}}m", "memory": 0}}}]}'
    )
    leaf = pod("leaf", 1, podSpecPatch=patch, inputs={"parameters": [{"name": "c", "default": "70"}]})
    given = {"parameters": [{"name": "c", "value": "{{item.size}}"}]}
    main = dag(task("1", "leaf"), task("2", "leaf", arguments=given, withItems=[{"size": 10}, {"size": 300}]))
    assert need(spec(main, leaf)).totals.cpu_milli == 380


def test_http_runs_in_argos_agent_which_has_limits_of_its_own_and_suspend_needs_nothing() -> None:
    main = dag(task("1", "http"), task("2", "http"), task("3", "wait"))
    written = spec(main, {"name": "http", "http": {"url": "x"}}, {"name": "wait", "suspend": {}})
    assert need(written).totals == Totals(100, 256 * 10**6)
    plugin = spec({"name": "main", "plugin": {"slack": {}}})
    assert need(plugin).notes == ("the plugin of template main brings a container of its own, not counted",)


MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: inner-}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: x, resources: {limits: {cpu: "{{workflow.parameters.cpu}}", memory: 2Gi}}}
"""


def resource(manifest: str, action: str = "create") -> Object:
    return {"name": "r", "resource": {"action": action, "manifest": manifest}}


def test_a_workflow_that_is_created_on_the_way_goes_on_beside_all_that_comes() -> None:
    arguments = {"parameters": [{"name": "cpu", "value": "2"}]}
    main = steps([task("1", "r", withItems=[1, 2, 3])], [task("2", "c")])
    found = need(spec(main, resource(MANIFEST), C, arguments=arguments))
    assert found.totals == Totals(3 * 2000 + 400, 3 * (2 << 30) + (400 << 20))
    assert found.notes == ()
    assert need(spec(main, resource(MANIFEST, "delete"), C, arguments=arguments)).totals.cpu_milli == 400


@pytest.mark.parametrize(
    ("manifest", "note"),
    [
        ("kind: Job", "the Job that template r creates is not counted"),
        ("{{inputs.parameters.all}}", "what template r creates can't be read before it runs, and is not counted"),
        ("a: [", "what template r creates can't be read before it runs, and is not counted"),
    ],
)
def test_what_else_is_created_is_said(manifest: str, note: str) -> None:
    assert need(spec(steps([task("1", "r")]), resource(manifest))).notes == (note,)


def test_short_yaml_that_stands_for_an_endless_one_is_not_followed() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    assert "can't be read" in need(spec(steps([task("1", "r")]), resource(bomb))).notes[0]


def test_containers_without_limits_are_counted_as_nothing_and_named() -> None:
    main = dag(task("1", "x"), task("2", "y"))
    lacking = [{"name": name, "container": {"image": "i", "resources": {"limits": {"cpu": 1}}}} for name in ("x", "y")]
    found = need(spec(main, *lacking))
    assert (found.totals, found.notes) == (Totals(2000, 0), ("2 containers without limits.memory, e.g. template x",))
    filled = need(spec(main, *lacking), defaults=Defaults(500, 1 << 30))
    assert (filled.totals, filled.notes) == (Totals(2000, 2 << 30), ())
    neither = need(spec({"name": "main", "script": {"source": "true"}}))
    assert neither.notes == ("1 container without limits.cpu and limits.memory, template main",)


def test_a_limit_that_is_no_quantity_is_refused_with_its_place_and_value() -> None:
    container = {"image": "x", "resources": {"limits": {"memory": "lots"}}}
    with pytest.raises(Refused) as refused:
        need(spec({"name": "main", "container": container}))
    assert refused.value.message == (
        "templates[main].container.resources.limits.memory is 'lots': "
        "it must be an amount of memory, 0 or more, such as 512Mi or 1.5Gi"
    )


def test_work_for_an_absurd_workflow_is_bounded_and_that_is_said() -> None:
    """Each level calls the next one ten times with another parameter: ten to the twentieth pods, were it run."""
    levels = [
        dag(
            task(
                "1",
                f"l{level + 1}",
                withItems=list(range(10)),
                arguments={"parameters": [{"name": "p", "value": "{{inputs.parameters.p}}{{item}}"}]},
            ),
            name=f"l{level}" if level else "main",
            inputs={"parameters": [{"name": "p", "value": "0"}]},
        )
        for level in range(20)
    ]
    found = need(spec(*levels, pod("l20", 1)))
    assert any("too large" in note for note in found.notes)
    huge = need(spec(dag(task("1", "a", withSequence={"count": "999999999"})), A))
    assert huge.totals.cpu_milli == 10**8
    assert "runs 999999999 times; counted as 1000000" in huge.notes[0]


JUNK: list[Any] = [None, 5, "x", [], {}, [5], [{"name": 5}], {"x": []}, [[]], [[5]], True, -1.5]
OF_A_SPEC = [
    "templates",
    "entrypoint",
    "hooks",
    "onExit",
    "arguments",
    "parallelism",
    "podSpecPatch",
    "templateDefaults",
]
OF_A_TEMPLATE = [
    "dag",
    "steps",
    "container",
    "script",
    "containerSet",
    "sidecars",
    "initContainers",
    "resource",
    "inputs",
    "parallelism",
    "daemon",
    "podSpecPatch",
    "data",
    "http",
    "plugin",
    "suspend",
]
OF_A_TASK = [
    "name",
    "template",
    "templateRef",
    "inline",
    "depends",
    "dependencies",
    "hooks",
    "onExit",
    "arguments",
    "withItems",
    "withParam",
    "withSequence",
    "when",
]


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("where", OF_A_SPEC)
def test_a_spec_of_any_shape_gets_an_answer(where: str, junk: Any) -> None:
    need(spec(dag(task("1", "a")), A) | {where: junk})


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("where", OF_A_TEMPLATE)
def test_a_template_of_any_shape_gets_an_answer(where: str, junk: Any) -> None:
    need(spec(pod("main", 5) | {where: junk}))
    need(spec({"name": "main", where: junk}))
    need(spec(pod("main", 5), templateDefaults={where: junk}))


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("where", OF_A_TASK)
def test_a_task_of_any_shape_gets_an_answer(where: str, junk: Any) -> None:
    need(spec(dag(task("1", "a") | {where: junk}, task("2", "a", "1")), A))
    need(spec(steps([task("1", "a") | {where: junk}]), A))


sizes = st.integers(0, 50)
edges = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12)


def random_dag(weights: list[int], pairs: list[tuple[int, int]], **more: Any) -> Object:
    """A DAG of single pods; each pair says that the larger number waits for the smaller one."""
    leaves = [pod(f"t{number}", weight) for number, weight in enumerate(weights)]
    tasks = [
        task(
            str(number),
            f"t{number}",
            " && ".join(sorted({str(min(pair)) for pair in pairs if max(pair) == number != min(pair)})),
        )
        for number in range(len(weights))
    ]
    return spec(dag(*tasks), *leaves, **more)


weighed = st.lists(sizes, min_size=1, max_size=10)


@given(weighed, edges)
def test_the_peak_is_between_the_largest_pod_and_the_sum(weights: list[int], pairs: list[tuple[int, int]]) -> None:
    kept = [pair for pair in pairs if max(pair) < len(weights)]
    assert max(weights) <= milli(random_dag(weights, kept)) <= sum(weights)


@given(weighed, edges, st.integers(0, 9), sizes)
def test_one_more_task_and_a_higher_limit_never_need_less(
    weights: list[int], pairs: list[tuple[int, int]], which: int, more: int
) -> None:
    kept = [pair for pair in pairs if max(pair) < len(weights)]
    before = milli(random_dag(weights, kept))
    raised = [weight + more * (place == which) for place, weight in enumerate(weights)]
    assert milli(random_dag(raised, kept)) >= before
    assert milli(random_dag([*weights, more], kept)) >= before


@given(weighed, edges, st.randoms(use_true_random=False))
def test_the_order_of_tasks_in_the_text_changes_nothing(
    weights: list[int], pairs: list[tuple[int, int]], chance: Any
) -> None:
    kept = [pair for pair in pairs if max(pair) < len(weights)]
    written = random_dag(weights, kept)
    before = milli(written)
    chance.shuffle(written["templates"][0]["dag"]["tasks"])
    chance.shuffle(written["templates"])
    assert milli(written) == before


@given(weighed, edges)
def test_one_pod_at_a_time_is_the_largest_pod(weights: list[int], pairs: list[tuple[int, int]]) -> None:
    kept = [pair for pair in pairs if max(pair) < len(weights)]
    assert milli(random_dag(weights, kept, parallelism=1)) == max(weights)
