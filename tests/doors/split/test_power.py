"""The power of a job is that of its items, whatever it is and however it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from webhook.doors.split.workflow import item_power, item_powers, power_of, workflow_of
from webhook.model.limits.jobs import MOST_JOB_ITEMS, MOST_POWER
from webhook.splitting.shape import fanout_of


@given(st.integers(1, MOST_POWER), st.integers(1, 10**9), st.data())
def test_no_power_is_lost_or_made(power: int, unit: int, data: st.DataObject) -> None:
    each = item_power(power, unit)
    items = item_powers(power, each)
    assert sum(items) == power and 1 <= len(items) <= MOST_JOB_ITEMS and max(items) <= each
    cut = data.draw(st.integers(0, len(items)))
    assert power_of(((0, cut),), power, each) + power_of(((cut, len(items) - cut),), power, each) == power


def test_its_workflow_can_be_split() -> None:
    made = workflow_of(7, "job-7", power=25, each=10, split="auto", template="power-job")
    assert fanout_of(made["spec"]).items == ("10", "10", "5")
