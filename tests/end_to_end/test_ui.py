"""Argo's UI at the front door: what its pages ask for is answered as on a cluster that has nothing of Medea's."""

import pytest

from tests.end_to_end.ui_both import AMPLE, NOTHING, Both, visit_both
from tests.end_to_end.ui_requests import REQUESTS
from tests.end_to_end.ui_visit import STEPS
from tests.end_to_end.workspace import WorkspaceMaker

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def both(make_workspace: WorkspaceMaker) -> Both:
    """One visit with the hold plugin, and one to a plain cluster."""
    return visit_both(make_workspace(AMPLE, NOTHING), stub=True)


@pytest.mark.parametrize("step", STEPS)
def test_somebody_who_looks_at_the_ui_sees_what_a_plain_cluster_shows(both: Both, step: str) -> None:
    # As one text, which pytest does not shorten.
    assert "\n".join(both.differences(step)) == ""


def test_everything_was_asked_that_the_ui_asks_for(both: Both) -> None:
    assert both.asked == REQUESTS.keys()
