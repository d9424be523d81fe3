"""Values that parameters take from ConfigMaps count where they are known and the same everywhere."""

from typing import Any

from webhook.references.model import Seen
from webhook.references.sources import Source, agreed, with_values
from webhook.totals.scope import workflow_parameters

Object = dict[str, Any]
COUNT = Source("c", "count")


def written(default: str | None = None) -> Object:
    place: Object = {"configMapKeyRef": {"name": "c", "key": "count"}}
    if default is not None:
        place["default"] = default
    return {"arguments": {"parameters": [{"name": "count", "valueFrom": place}]}}


def known(spec: Object, values: dict[tuple[str, str], str | None]) -> dict[str, str]:
    return dict(workflow_parameters(with_values(spec, values), {}))


def test_a_known_value_is_the_parameters_and_the_spec_itself_stays_as_it_was() -> None:
    spec = written()
    assert known(spec, {("c", "count"): "3"}) == {"workflow.parameters.count": "3"}
    assert spec == written()


def test_the_default_counts_only_where_there_certainly_is_no_value() -> None:
    assert known(written("7"), {("c", "count"): None}) == {"workflow.parameters.count": "7"}
    assert known(written("7"), {}) == {}
    assert known(written(), {("c", "count"): None}) == {}


def test_a_list_of_all_parameters_is_not_known_since_argo_writes_where_values_are_from() -> None:
    spec = with_values(written(), {("c", "count"): "3"})
    assert "workflow.parameters.json" not in workflow_parameters(spec, {})


def test_inputs_of_templates_and_arguments_of_steps_have_their_values_too() -> None:
    parameters = written()["arguments"]
    templates = [{"name": "t", "inputs": parameters, "steps": [[{"name": "s", "arguments": parameters}]]}]
    made = with_values({"templates": templates}, {("c", "count"): "3"})["templates"][0]
    assert made["inputs"]["parameters"][0]["value"] == "3"
    assert made["steps"][0][0]["arguments"]["parameters"][0]["value"] == "3"


def there(**values: str) -> dict[str, Seen | None]:
    return {"c": Seen(True, values=values)}


def test_a_value_is_known_if_all_places_agree() -> None:
    assert agreed([COUNT], [there(count="3"), there(count="3", more="x")]) == ({COUNT.place: "3"}, [])


def test_values_that_differ_are_not_known_and_that_is_said() -> None:
    values, words = agreed([COUNT], [there(count="3"), there(count="4")])
    assert values == {} and "count in ConfigMap c differs" in words[0]
    values, words = agreed([COUNT], [there(count="3"), {"c": Seen(False)}])
    assert values == {} and words


def test_nothing_is_known_while_one_place_is_unknown() -> None:
    for unknown in ({}, {"c": None}, {"c": Seen(None)}):
        assert agreed([COUNT], [there(count="3"), unknown]) == ({}, [])
    assert agreed([COUNT], []) == ({}, [])
