"""Argo's UI at a front door without Argo's controller, as `tests/end_to_end/test_ui.py` has it for the other hold."""

import pytest

from tests.end_to_end.ui_both import AMPLE, NOTHING, Both, visit_both
from tests.end_to_end.ui_visit import STEPS
from tests.end_to_end.workspace import WorkspaceMaker

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def both(make_workspace: WorkspaceMaker) -> Both:
    """One visit with the hold none, and one to a plain cluster."""
    return visit_both(make_workspace(AMPLE, NOTHING), stub=False)


@pytest.mark.parametrize("step", STEPS)
def test_somebody_who_looks_at_the_ui_sees_what_a_plain_cluster_shows(both: Both, step: str) -> None:
    # As one text, which pytest does not shorten.
    assert "\n".join(both.differences(step)) == ""
