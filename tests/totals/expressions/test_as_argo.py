"""Expressions and conditions mean what Argo makes of them.

`argo.json` has what Argo 3.7.4's own libraries gave for each: `argo` is null where they refused or left it unresolved.
`medea` is what is told before the Workflow runs: the same, or null where that is in doubt.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.totals.expressions.conditions import holds
from webhook.totals.expressions.evaluate import text_of, truth_of

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "argo.json").read_text())
KNOWN: dict[str, str] = RECORDED["known"]
OURS: dict[str, Callable[[str], str | bool | None]] = {
    "expressions": lambda text: text_of(text, KNOWN),
    "conditions": holds,
    "hooks": lambda text: truth_of(text, KNOWN),
}
EVERY = [(kind, one) for kind in OURS for one in RECORDED[kind]]


@pytest.mark.parametrize(("kind", "one"), EVERY, ids=[f"{kind}: {one['text']}" for kind, one in EVERY])
def test_what_is_told_is_what_argo_makes_of_it(kind: str, one: dict[str, Any]) -> None:
    told = OURS[kind](one["text"])
    assert told == one["medea"]
    assert told is None or told == one["argo"]


def test_most_of_what_argo_evaluates_is_told() -> None:
    evaluated = [one for _, one in EVERY if one["argo"] is not None]
    assert len([one for one in evaluated if one["medea"] is not None]) > 0.85 * len(evaluated)


PIECES = """workflow.parameters.n inputs.parameters item 1 2.5 'a' "b" true nil == != < && || ! not in + - * / % ** (
) [ ] { } , . ?. ? : ?? | asInt( sprig.add( jsonpath( toJson( fromJSON( repeat( upper( .. matches contains"""
words = st.sampled_from(PIECES.split())


@given(st.one_of(st.text(), st.lists(words, max_size=30).map(" ".join), st.lists(words, max_size=15).map("".join)))
def test_any_text_is_told_or_in_doubt(text: str) -> None:
    assert isinstance(text_of(text, KNOWN), str | None)
    assert isinstance(truth_of(text, KNOWN), bool | None)
    assert isinstance(holds(text), bool | None)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "1" + ")" * 900,
        "[" * 5000,
        "!" * 1900 + "true",
        "-" * 1900 + "1",
        "1" + " + 1" * 600,
        "repeat(repeat(repeat('aaaaaaaaaa', 6000), 6000), 6000)",
        "replace(repeat('a', 60000), 'a', repeat('b', 60000))",
        "2 ** 64 ** 64",
        "9999999999 * 9999999999 * 9999999999",
        "1.." + "9" * 18,
        "'" + "a" * 100 + "' matches '" + "a*" * 50 + "b'",
        "fromJSON('" + "[" * 900 + "')",
        "1 ? " * 600,
    ],
)
def test_the_work_for_one_expression_is_bounded(text: str) -> None:
    assert len(text_of(text, {}) or "") < 10
    assert holds(text) in (None, True)


def test_a_value_that_is_not_known_is_in_doubt_wherever_it_matters() -> None:
    assert text_of("workflow.parameters.other == 'x' ? 1 : 2", KNOWN) is None
    assert text_of("workflow.parameters.size == 'low' ? 1 : workflow.parameters.other", KNOWN) == "1"
