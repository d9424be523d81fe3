"""A sample may be as old as follows from how often there are new ones."""

import pytest

from webhook.scout.sample_age import SampleAges


def noted(*moments: float, max_age: float | None = None) -> SampleAges:
    ages = SampleAges(max_age)
    for moment in moments:
        ages.note("west", moment)
    return ages


@pytest.mark.parametrize(
    ("moments", "good_for"),
    [
        ([], 60),
        ([100], 60),
        ([100, 130], 75),
        ([100, 100, 130, 130, 160], 75),
        ([0, 60, 120, 180], 150),
        ([0, 2, 4, 6], 15),
        ([0, 600, 1200], 300),
        # An outage among five intervals, and a sample from the past.
        ([0, 30, 60, 960, 990, 1020], 75),
        ([100, 130, 90, 160], 75),
    ],
)
def test_two_and_a_half_intervals_within_limits(moments: list[float], good_for: float) -> None:
    assert noted(*moments).good_for("west") == good_for


def test_each_target_has_its_own_and_a_setting_overrides_all() -> None:
    assert noted(0, 30).good_for("east") == 60
    assert noted(0, 30, max_age=600).good_for("west") == 600
