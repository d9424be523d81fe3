"""Times in expressions: known where somebody says what the time is, in doubt everywhere else."""

import pytest

from webhook.totals.expressions.evaluate import text_of, truth_of
from webhook.totals.expressions.times import Moment
from webhook.totals.expressions.values import Value

KNOWN: dict[str, Value] = {"cron.last": Moment(1000.5), "cron.never": None, "cron.n": 3}
NOW = 1090.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(now() - cron.last).Seconds() > 89", True),
        ("(now() - cron.last).Minutes() == 1.5", True),
        ("(now() - cron.last).Hours() > 1", False),
        ("now() - cron.last > duration('89s')", True),
        ("now() - duration('1m30s') == cron.last", True),
        ("cron.last + duration('2m') > now()", True),
        ("cron.last < now()", True),
        ("cron.last.Unix() == 1000", True),
        ("cron.never == nil", True),
        ("cron.last == nil", False),
        ("cron.never == nil || (now() - cron.never).Seconds() > 3", True),
        ("cron.other == nil", None),
        ("cron.n >= 3", True),
        ("now() + now() == now()", None),
        ("now() > 5", None),
        ("now() - cron.never > duration('1s')", None),
        ("duration('soon') == duration('1s')", None),
        ("cron.n.Seconds() > 1", None),
        ("cron.last.Nanoseconds() > 1", None),
        ("cron.last?.Unix() == 1000", None),
        ("Seconds() > 1", None),
        ("true || unknown.Seconds() > 1", None),
    ],
)
def test_a_time_is_what_go_makes_of_it(text: str, expected: bool | None) -> None:
    assert truth_of(text, KNOWN, NOW) is expected


@pytest.mark.parametrize("text", ["now() == now()", "duration('1s') == duration('1s')", "cron.last.Unix() == 1000"])
def test_where_nobody_says_what_the_time_is_it_is_in_doubt(text: str) -> None:
    assert truth_of(text, KNOWN) is None
    assert truth_of(f"true || {text}", {"x": "y"}) is (None if "cron" in text else True)


def test_a_time_is_no_text() -> None:
    assert text_of("now()", KNOWN, NOW) is None
    assert text_of("[cron.last]", KNOWN, NOW) is None
