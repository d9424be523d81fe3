"""What certainly does not run needs nothing; what is in doubt counts as if it ran."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.workflows import Object, dag, milli, need, pod, spec, steps, task
from tests.totals.test_budget import summed
from webhook.totals.ends import ANY, RAN, Ends
from webhook.totals.running import dag_ends

A, B, C = pod("a", 100), pod("b", 200), pod("c", 400)
GIVEN = {"parameters": [{"name": "size", "value": "low"}, {"name": "n", "value": 5}]}
LOW, HIGH = "{{workflow.parameters.size}} == low", "{{workflow.parameters.size}} == high"
ENTRY = {"name": "x", "value": "1"}


def sized(*templates: Object, **more: Any) -> int:
    return milli(spec(*templates, arguments=GIVEN, **more))


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        (LOW, True),
        (HIGH, False),
        ("{{=workflow.parameters.size == 'high'}}", False),
        ("{{=asInt(workflow.parameters.n) > 4}}", True),
        ("{{workflow.parameters.n}} > 10 && {{steps.x.outputs.result}} == 1", True),
        ("{{workflow.parameters.n}} > 10", False),
        ("{{=jsonpath(workflow.parameters.json, '$[0].value') == 'high'}}", False),
        ("{{=jsonpath(workflow.parameters.json, '$[1].value') == '5'}}", True),
        ("false", False),
        ("{{steps.x.outputs.result}} == 1", True),
        ("{{workflow.parameters.other}} == 1", True),
        ("{{workflow.status}} == Succeeded", True),
        ("what is this", True),
        ("", True),
    ],
)
def test_a_step_or_task_whose_condition_is_false_needs_nothing(condition: str, runs: bool) -> None:
    assert sized(steps([task("1", "b", when=condition)], [task("2", "a")]), A, B) == (200 if runs else 100)
    assert sized(dag(task("1", "b", when=condition), task("2", "a", "1")), A, B) == (200 if runs else 100)


@pytest.mark.parametrize(
    ("loop", "condition", "runs"),
    [
        ({"withItems": [{"size": "{{workflow.parameters.size}}"}]}, "{{item.size}} == low", True),
        ({"withItems": [{"size": "{{workflow.parameters.size}}"}]}, "{{item.size}} == high", False),
        ({"withItems": [{"size": "{{steps.x.outputs.result}}"}]}, "{{item.size}} == high", True),
        ({"withItems": [["{{workflow.parameters.n}}"]]}, "{{=jsonpath(item, '$[0]') == '5'}}", True),
        ({"withItems": [[1, 2]]}, "'{{item}}' == '[1,2]'", True),
        ({"withParam": "[ [1, 2] ]"}, "'{{item}}' == '[1,2]'", True),
        ({"withItems": [[{"d": 1, "c": 2}]]}, """{{=item == '[{"c":2,"d":1}]'}}""", True),
        ({"withParam": '[[{"d": 1, "c": 2}]]'}, """{{=item == '[{"d":1,"c":2}]'}}""", True),
        ({"withParam": '[{"b": ["ä"]}]'}, """{{=item.b == '["ä"]'}}""", True),
        ({"withItems": [["<"]]}, """{{=item == '["<"]'}}""", True),
        ({"withParam": "[3.10]"}, "'{{item}}' == '3.10'", True),
        ({"withParam": "[3.10]"}, "'{{item}}' == '3.1'", False),
        ({"withParam": "[1e3]"}, "'{{item}}' == '1e3'", True),
        ({"withParam": "[1E400]"}, "'{{item}}' == '1E400'", True),
        ({"withParam": "[-0]"}, "'{{item}}' == '0'", False),
        ({"withParam": '[{"v": 3.10}]'}, "'{{item.v}}' == '3.10'", True),
        ({"withParam": '[[1, 3.10, {"v": [2.50, "3.10"]}]]'}, """{{=item == '[1,3.10,{"v":[2.50,"3.10"]}]'}}""", True),
        ({"withParam": '[[3.10, "\ue000"]]'}, "{{=item == 'x'}}", True),
        ({"withParam": '[[{"v": 3.10}]]'}, """{{=item == '[{"v":3.1}]'}}""", False),
    ],
    ids=str,
)
def test_conditions_see_the_items_of_a_loop_as_argo_writes_them(loop: Object, condition: str, runs: bool) -> None:
    assert sized(steps([task("1", "b", when=condition, **loop)], [task("2", "a")]), A, B) == (200 if runs else 100)


def test_two_sizes_of_a_daemon_chosen_by_a_submitted_parameter() -> None:
    """shared/cases/02, from argoproj/argo-workflows#5997."""
    little, big = pod("little", 300, daemon=True), pod("big", 9000, daemon=True)
    choice = [task("1", "little", when=LOW), task("2", "big", when=HIGH)]
    assert sized(steps(choice, [task("3", "b")]), little, big, B) == 500


def test_conditions_in_doubt_count_as_if_both_ways_were_taken() -> None:
    main = steps([task("1", "a", when="{{steps.x.status}} == 1"), task("2", "b", when="{{steps.x.status}} != 1")])
    assert milli(spec(main, A, B)) == 300


def test_conditions_see_the_inputs_of_their_template_through_every_call() -> None:
    inner = steps(
        [task("x", "c", when="{{inputs.parameters.on}} == yes")], name="inner", inputs={"parameters": [{"name": "on"}]}
    )
    calls = [
        task(str(at), "inner", arguments={"parameters": [{"name": "on", "value": value}]})
        for at, value in enumerate(["yes", "no", "{{workflow.parameters.size}}"])
    ]
    assert sized(dag(*calls), inner, C) == 400


def test_each_round_of_a_loop_has_its_own_condition() -> None:
    items = [{"size": 1, "on": "yes"}, {"size": 2, "on": "no"}, {"size": 3, "on": "yes"}]
    looped = task("1", "a", withItems=items, when="{{item.on}} == yes")
    assert milli(spec(dag(looped), A)) == milli(spec(steps([looped]), A)) == 200
    numbered = task("1", "a", withSequence={"count": 300}, when="{{item}} < 5")
    assert milli(spec(dag(numbered), A)) == 100 * (5 + 200)
    absurd = task("1", "a", withSequence={"count": 10**9}, when="{{item}} < 5")
    assert milli(spec(dag(absurd), A)) >= 500


def test_a_loop_whose_rounds_nobody_knows_does_not_run_if_its_condition_is_false() -> None:
    looped = task("1", "a", withParam="{{steps.x.outputs.result}}", when=HIGH)
    assert sized(steps([looped], [task("2", "b")]), A, B) == 200
    assert need(spec(steps([looped]), A, arguments=GIVEN)).notes == ()
    doubted = task("1", "a", withParam="{{steps.x.outputs.result}}", when="{{item}} == 1")
    assert milli(spec(dag(doubted), A)) == 100


HOOKED: Object = {
    "exit": {"template": "b"},
    "running": {"template": "c", "expression": 'tasks["1"].status == "Running"'},
}


def test_a_step_that_does_not_run_has_no_hooks_and_a_task_only_those_whose_own_condition_may_hold() -> None:
    """Argo asks for the hooks of every task of a DAG that has ended, skipped or not, but for `exit` only if it ran."""
    anyway: Object = {"skipped": {"template": "c", "expression": 'tasks["1"].status == "Skipped"'}}
    unknown: Object = {"x": {"template": "c", "expression": "workflow.status == 'Running'"}}
    for hooks, needed in ((HOOKED, 0), (anyway, 400), (unknown, 400), ({"x": {"template": "c"}}, 400)):
        assert sized(steps([task("1", "a", when=HIGH, hooks=hooks)]), A, B, C) == 0
        assert sized(dag(task("1", "a", when=HIGH, hooks=hooks)), A, B, C) == needed
        assert sized(dag(task("1", "a", withParam="[]", hooks=hooks)), A, B, C) == needed


def test_a_loop_of_a_dag_whose_rounds_are_all_skipped_has_succeeded_and_so_its_exit_hook_runs() -> None:
    looped = task("1", "a", withItems=["x", "y"], when="{{item}} == z", hooks={"exit": {"template": "b"}})
    assert milli(spec(dag(looped), A, B)) == 200
    assert milli(spec(steps([looped]), A, B)) == 0


def test_hooks_whose_condition_certainly_never_holds_need_nothing() -> None:
    never: Object = {"x": {"template": "c", "expression": "workflow.parameters.size == 'high'"}}
    assert sized(dag(task("1", "a", hooks=never)), A, C) == 100
    assert sized(pod("main", 100), C, hooks=never) == 100
    assert sized(pod("main", 100), C, hooks={"exit": {"template": "c", "expression": "false"}}) == 100
    assert sized(pod("main", 100), C, hooks={"exit": {"template": "c", "expression": "workflow.status == 'x'"}}) == 400


@pytest.mark.parametrize(
    ("depends", "runs"),
    [
        ("1", True),
        ("1.Succeeded", False),
        ("1.Skipped", True),
        ("!1.Skipped", False),
        ("1.Omitted", False),
        ("1.Failed || 1.Errored", False),
        ("1.Daemoned", False),
        ("1.AnySucceeded", False),
        ("1.AllFailed", False),
        ("1.Succeeded || 2", True),
        ("1.Succeeded && 2", False),
        ("(1.Skipped && 2.Succeeded) || 1.Failed", True),
        ("2.Skipped", False),
        ("2.Omitted", False),
        ("2.Succeeded", True),
        ("2.Failed", True),
        ("2.AnySucceeded", True),
        ("1.Unheard", True),
        ("1.Succeeded &", True),
        ("(" * 100 + "1.Succeeded" + ")" * 100, True),
    ],
)
def test_what_depends_on_a_skipped_task_runs_if_it_may(depends: str, runs: bool) -> None:
    main = dag(task("1", "a", when=HIGH), task("2", "a"), task("3", "c", depends))
    assert (sized(main, A, C) >= 400) is runs


def test_what_depends_on_what_does_not_run_does_not_either_at_any_distance() -> None:
    chain = [task("0", "c", when=HIGH), *(task(str(at), "c", f"{at - 1}.Succeeded") for at in range(1, 500))]
    assert sized(dag(*chain), C) == 0
    assert sized(dag(*reversed(chain)), C) == 0
    dependencies = [task("0", "c", when=HIGH), task("1", "a", dependencies=["0"])]
    assert sized(dag(*dependencies), A, C) == 100


def test_a_condition_over_an_expression_may_fail_instead_of_being_false() -> None:
    first = task("1", "a", when="{{=workflow.parameters.size == 'high'}}")
    assert sized(dag(first, task("2", "c", "1.Errored")), A, C) == 400
    assert sized(dag(task("1", "a", when=HIGH), task("2", "c", "1.Errored")), A, C) == 0


def test_what_goes_on_although_a_task_failed_is_taken_into_account() -> None:
    first = task("1", "a", continueOn={"failed": True})
    assert sized(dag(first, task("2", "c", dependencies=["1"])), A, C) == 400


conditions = st.sampled_from([LOW, HIGH, "{{tasks.x.status}} == 1", ""])
results = st.sampled_from(["", ".Succeeded", ".Skipped", ".Omitted", ".Failed", ".Errored", ".Daemoned"])


@st.composite
def conditional_dags(draw: st.DrawFn) -> list[Object]:
    """Small DAGs whose tasks have conditions and depend on earlier ones in all ways."""
    made: list[Object] = []
    for number in range(draw(st.integers(1, 5))):
        parts = [f"{draw(st.sampled_from(['', '!']))}t{one}{draw(results)}" for one in draw(st.sets(_below(number)))]
        depends = draw(st.sampled_from([" && ", " || "])).join(parts)
        made.append(task(f"t{number}", "a", depends, when=draw(conditions)))
    return made


def _below(number: int) -> st.SearchStrategy[int]:
    return st.integers(0, number - 1) if number else st.nothing()


def _evaluated(depends: str, ended: dict[str, Ends]) -> bool:
    """By Python itself, as an oracle."""
    text = depends.replace("&&", " and ").replace("||", " or ").replace("!", " not ")
    for name in sorted(ended, reverse=True):
        for result in ("Succeeded", "Skipped", "Omitted", "Failed", "Errored", "Daemoned"):
            text = text.replace(f"{name}.{result}", str(ended[name] is Ends[result.upper()]))
        well = ended[name] in (Ends.SUCCEEDED, Ends.SKIPPED, Ends.DAEMONED)
        text = text.replace(name, str(well))
    return bool(eval(text))


@given(conditional_dags(), st.randoms(use_true_random=False))
def test_no_way_in_which_a_dag_may_end_is_thought_impossible(tasks: list[Object], chance: Any) -> None:
    ended: dict[str, Ends] = {}
    for one in tasks:
        if one.get("depends") and not _evaluated(one["depends"], ended):
            ended[one["name"]] = Ends.OMITTED
        elif one["when"] == HIGH:
            ended[one["name"]] = Ends.SKIPPED
        else:
            may = [*RAN, *([] if one["when"] in (LOW, "") else [Ends.SKIPPED])]
            ended[one["name"]] = chance.choice(may)
    told = dag_ends(tasks, {"workflow.parameters.size": "low"})
    assert all(ended[one["name"]] & ends for one, ends in zip(tasks, told, strict=True))


@given(conditional_dags())
def test_the_sum_with_conditions_is_never_below_the_peak(tasks: list[Object]) -> None:
    written = spec(dag(*tasks), A, arguments=GIVEN)
    assert milli(written) <= summed(written).totals.cpu_milli


def test_tasks_in_a_circle_are_thought_to_run() -> None:
    assert dag_ends([task("1", "a", "2.Skipped"), task("2", "a", "1", when="false")], {}) == [ANY, ANY]
