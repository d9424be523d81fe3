"""What the command line shows."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from webhook.cli import verdict_table
from webhook.scout.model import UNLIMITED, Source, Verdict
from webhook.totals.model import GIB, Totals

ROOM = Totals(4000, 8 * GIB)
WEST = Verdict("west", hard=ROOM, foreign=ROOM, reserved=ROOM, free=ROOM, sample_age=1.4, source=Source.APISERVER)


@pytest.mark.parametrize(
    ("verdict", "age"),
    [(WEST, "1 s, apiserver"), (replace(WEST, source=Source.PROMETHEUS), "1 s "), (Verdict("west"), " ")],
)
def test_a_targets_numbers_are_shown_with_their_age_and_where_they_are_from(verdict: Verdict, age: str) -> None:
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(verdict_table("namespace ns", [verdict.as_json()]))
    shown = console.export_text()
    assert "west" in shown
    assert age in shown
    assert ("apiserver" in shown) is (verdict.source is Source.APISERVER)


def test_room_that_no_quota_limits_is_any_and_not_a_number() -> None:
    console = Console(width=150, record=True, file=io.StringIO())
    free = UNLIMITED - Totals(1000, 0)
    console.print(verdict_table("namespace ns", [replace(WEST, hard=UNLIMITED, free=free).as_json()]))
    assert console.export_text().count("any cpu, any memory") == 2
