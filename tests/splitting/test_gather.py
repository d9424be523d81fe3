"""What items leave is read from the nodes of their chunk, with either hold, and put together as Argo does."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.splitting.fanouts import PARAMETER, dag, item_nodes, steps
from webhook.splitting.gather import Left, done_items, entrypoint_outputs, gathered, left_of
from webhook.splitting.shape import fanout_of


def test_items_are_found_by_their_nodes_with_either_hold() -> None:
    fanout = fanout_of(steps(withItems=[1, 2, 3]))
    for root in ("job-1", "job-1.west"):
        nodes = item_nodes(root, {0: "a", 2: "c"})
        assert {one: left.result for one, left in done_items(nodes, fanout, "job-1").items()} == {0: "a", 2: "c"}
    nodes = item_nodes("job-1", {1: "b"}, dag=True)
    assert done_items(nodes, fanout_of(dag(withItems=[1, 2])), "job-1") == {1: Left({"answer": "b"}, "b")}


def test_nodes_inside_an_item_and_of_others_are_no_items() -> None:
    fanout = fanout_of(dag(withItems=[1]))
    inner = item_nodes("job-1.work(0:x)", {7: "inner"}, dag=True)
    other = item_nodes("job-10", {3: "other"}, dag=True)
    assert done_items({**inner, **other}, fanout, "job-1") == {}


def test_of_a_retried_item_its_own_node_counts() -> None:
    fanout = fanout_of(steps(withItems=[1]))
    tries: dict[str, dict[str, Any]] = {
        "a": {"name": "job-1[0].work(0:x)(0)", "displayName": "work(0:x)(0)", "phase": "Failed"},
        "b": {
            "name": "job-1[0].work(0:x)(1)",
            "displayName": "work(0:x)(1)",
            "phase": "Succeeded",
            "outputs": {"result": "try"},
        },
        "c": {
            "name": "job-1[0].work(0:x)",
            "displayName": "work(0:x)",
            "phase": "Succeeded",
            "outputs": {"result": "whole"},
        },
    }
    assert done_items(tries, fanout, "job-1") == {0: Left({}, "whole")}
    assert done_items({**tries, "c": {**tries["c"], "phase": "Failed"}}, fanout, "job-1") == {}


def test_skipped_items_are_done_and_leave_nothing() -> None:
    nodes = {"a": {"name": "job-1[0].work(0:x)", "displayName": "work(0:x)", "phase": "Skipped", "outputs": "poison"}}
    assert done_items(nodes, fanout_of(steps(withItems=[1])), "job-1") == {0: Left()}


def test_outputs_are_lists_in_the_order_of_the_items() -> None:
    left = [Left({"answer": "a"}, "1"), Left(), Left({"answer": "c"}, "no json")]
    assert gathered(left) == {
        "parameters": [{"name": "answer", "value": '["a","c"]'}],
        "result": '[1,"no json"]',
    }
    assert gathered([Left(), Left()]) == {}


def test_results_that_are_json_stay_as_they_were_written() -> None:
    written = ["0.10", "1e3", "12345678901234567890.5", '{"a b": [1.50, "x y"]}', "NaN", "1e", "9" * 5000, "[" * 9999]
    whole = gathered([Left(result=one) for one in written])["result"]
    assert whole.startswith('[0.10,1e3,12345678901234567890.5,{"a b":[1.50,"x y"]},"NaN","1e",999')
    assert json.loads(whole, parse_int=str)[-2:] == ["9" * 5000, "[" * 9999]


def test_the_entrypoint_has_the_outputs_that_its_template_names() -> None:
    names = {"all": PARAMETER, "results": "{{steps.work.outputs.result}}", "maps": "{{steps.work.outputs.parameters}}"}
    outputs = [{"name": name, "valueFrom": {"parameter": one}} for name, one in names.items()]
    fanout = fanout_of(steps(withItems=[1, 2], outputs={"parameters": outputs}))
    made = entrypoint_outputs(fanout, [Left({"answer": "a"}, "x"), Left({"answer": "b"}, "y")])
    assert {one["name"]: json.loads(one["value"]) for one in made["parameters"]} == {
        "all": ["a", "b"],
        "results": ["x", "y"],
        "maps": [{"answer": "a"}, {"answer": "b"}],
    }


@given(st.dictionaries(st.text(), st.text()), st.none() | st.text())
def test_what_the_ledger_keeps_of_an_item_is_the_same_again(parameters: dict[str, str], result: str | None) -> None:
    left = Left(parameters, result)
    assert left_of(json.loads(json.dumps(left.as_json()))) == left
