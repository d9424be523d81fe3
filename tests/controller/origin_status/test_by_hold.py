"""Each origin shows its run as its own hold has it: grafted beside the stub's nodes, or whole."""

import pytest

from tests.controller.origin_status.test_merge import applied
from tests.support.objects import MOMENT, origin, row, run
from webhook.controller.origin_status.by_hold import final_patch, outcome_of, running_patch, shown_ids
from webhook.model.contract import Hold, State

GRAFTED = {"job", "job-1", "medea-job", "medea-job-9"}
OWN = {"job", "job-9"}


@pytest.mark.parametrize(("hold", "nodes"), [(Hold.PLUGIN, GRAFTED), (Hold.NONE, OWN)])
def test_the_hold_decides_which_nodes_an_origin_has_while_its_run_lives_and_at_its_end(
    hold: Hold, nodes: set[str]
) -> None:
    there = {**run(), "spec": {}}
    living = applied(origin(), running_patch(origin(), row(hold=hold), there))
    assert living["status"]["nodes"].keys() == nodes
    ended = row(hold=hold, state=State.ENDED, phase="Succeeded", ended_at=MOMENT)
    over = {**run("Succeeded"), "spec": {}}
    shown = applied(living, final_patch(living, ended, outcome_of(over, ended), over))
    assert shown["status"]["nodes"].keys() == nodes
    assert shown["status"]["phase"] == "Succeeded"
    assert shown_ids(over, ended).keys() == nodes - ({"job", "job-1"} if hold is Hold.PLUGIN else set())
