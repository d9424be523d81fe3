"""Schedules tick when those of robfig/cron v3 do, by which Argo schedules: compared with what it was seen to say."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.cron.schedule import Every, Schedule, latest, parsed
from webhook.model.moments import stamp

Row = dict[str, Any]
RECORDED: list[Row] = json.loads((Path(__file__).parent / "recorded" / "schedules.json").read_text())
VALID = [row for row in RECORDED if "next" in row]


def at(text: str) -> int:
    """Seconds since the epoch."""
    return int(datetime.datetime.fromisoformat(text).timestamp())


def stamps(schedule: Schedule, begin: int, count: int) -> list[str]:
    """The next ticks, as they were recorded."""
    found: list[str] = []
    tick: int | None = begin
    while tick is not None and len(found) < count:
        tick = schedule.following(tick, begin)
        found.append("never" if tick is None else stamp(tick))
    return found


@pytest.mark.parametrize("number", range(0, len(VALID), 100))
def test_ticks_are_those_that_were_recorded(number: int) -> None:
    rows = VALID[number : number + 100]
    differ = [row for row in rows if stamps(parsed(row["schedule"]), at(row["from"]), len(row["next"])) != row["next"]]
    assert not differ


@pytest.mark.parametrize("row", [row for row in RECORDED if "error" in row], ids=lambda row: repr(row["schedule"]))
def test_what_robfig_refuses_is_refused(row: Row) -> None:
    with pytest.raises(ValueError):
        parsed(row["schedule"])


@given(st.text(alphabet="0123456789*/,-?@ CRON_TZ=UTCevryhms.MON", max_size=30))
def test_any_text_is_a_schedule_or_a_clear_error(text: str) -> None:
    try:
        schedule = parsed(text)
    except ValueError:
        return
    tick = schedule.following(at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"))
    assert tick is None or tick > at("2026-01-01T00:00:00Z")


@given(st.sampled_from(VALID), st.integers(0, 3 * 24 * 3600), st.integers(0, 3 * 24 * 3600))
def test_the_latest_tick_is_the_last_of_all_between(row: Row, before: int, length: int) -> None:
    schedule, begin = parsed(row["schedule"]), at(row["from"]) - before
    end = begin + min(length, 600 if isinstance(schedule, Every) else length)
    ticks, tick = [], schedule.following(begin, begin)
    while tick is not None and tick <= end:
        ticks.append(tick)
        tick = schedule.following(tick, begin)
    assert latest(schedule, begin, begin, end) == (ticks[-1] if ticks else None)


@given(st.integers(1, 10**6), st.integers(-(10**6), 10**6))
def test_every_counts_from_the_same_moment_whenever_it_is_asked(delay: int, after: int) -> None:
    tick = Every(delay).following(after, 0)
    assert tick is not None
    assert tick % delay == 0
    assert tick - max(after, 0) <= delay
