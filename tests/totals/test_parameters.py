"""Submitted parameters over the template's defaults."""

from typing import Any

from webhook.totals.parameters import effective_parameters


def spec(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"arguments": {"parameters": list(parameters)}}


def test_a_submitted_value_wins_over_the_templates() -> None:
    merged = effective_parameters(spec({"name": "a", "value": "1"}), spec({"name": "a", "value": "2"}))
    assert merged == {"a": "1"}


def test_the_templates_value_stands_where_nothing_was_submitted() -> None:
    assert effective_parameters(spec(), spec({"name": "a", "value": "2"})) == {"a": "2"}


def test_a_value_beats_a_default_wherever_it_is() -> None:
    merged = effective_parameters(spec({"name": "a", "default": "1"}), spec({"name": "a", "value": "2"}))
    assert merged == {"a": "2"}


def test_a_parameter_without_value_and_default_is_there_and_empty_handed() -> None:
    assert effective_parameters(spec({"name": "a", "valueFrom": {"supplied": {}}})) == {"a": None}


def test_a_parameter_that_is_read_from_somewhere_has_no_value_from_elsewhere() -> None:
    read = {"name": "a", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}, "default": "1"}
    assert effective_parameters(spec(read), spec({"name": "a", "value": "2"})) == {"a": None}
    assert effective_parameters(spec(read | {"value": "3"})) == {"a": "3"}


def test_numbers_and_booleans_are_their_text_as_in_argo() -> None:
    merged = effective_parameters(spec({"name": "a", "value": 2}, {"name": "b", "value": True}))
    assert merged == {"a": "2", "b": "true"}


def test_parameters_of_a_wrong_shape_are_passed_over() -> None:
    assert effective_parameters({"arguments": {"parameters": ["a", {"value": 1}, {"name": 5}]}}) == {}
    assert effective_parameters({"arguments": {"parameters": "a"}}) == effective_parameters({"arguments": 7}) == {}
