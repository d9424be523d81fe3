"""The demo's stage: waits end, and a failure says what was expected and what was seen."""

import pytest

from tests.lab.stage import DemoError, amount, wait_for


def test_a_wait_returns_the_first_good_answer() -> None:
    answers = iter([1, 2, 3])
    assert wait_for("three", lambda: next(answers), lambda answer: answer == 3, 5) == 3


def test_a_wait_that_takes_too_long_says_what_it_saw_last() -> None:
    with pytest.raises(DemoError) as caught:
        wait_for("room on west", lambda: "none", lambda _: False, 0.1)
    assert caught.value.expected == "room on west within 0 s"
    assert caught.value.seen == "none"


@pytest.mark.parametrize(
    ("totals", "text"),
    [
        ({"cpu_milli": 3000, "memory_bytes": 1342177280}, "3 cpu, 1.25Gi"),
        ({"cpu_milli": 10, "memory_bytes": 0}, "0.01 cpu, 0Gi"),
        (None, "unknown"),
    ],
)
def test_amounts_are_read_by_people(totals: dict[str, int] | None, text: str) -> None:
    assert amount(totals) == text
