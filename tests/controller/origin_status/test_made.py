"""The Workflows that a run has made stand beneath it, for either hold."""

import pytest

from tests.controller.origin_status.test_merge import applied
from tests.support.objects import origin, row, run
from webhook.controller.origin_status.by_hold import running_patch
from webhook.controller.origin_status.made import with_made
from webhook.model.contract import Hold
from webhook.model.limits.controller import MADE_SHOWN
from webhook.model.made_workflows import Made
from webhook.model.nodes import is_over, nodes_of, pack

RUNNING = Made("child", "u9", {"phase": "Running", "message": "waiting for a lock"})
DONE = Made("other", "u8", {"phase": "Succeeded", "progress": "2/2"})


@pytest.mark.parametrize(
    ("hold", "root", "found"), [(Hold.PLUGIN, "medea-job", "medea-job-made-u9"), (Hold.NONE, "job", "job-made-u9")]
)
def test_it_is_a_node_of_the_runs_root_with_its_phase_and_what_it_says(hold: Hold, root: str, found: str) -> None:
    held = row(hold=hold)
    shown = applied(origin(), running_patch(origin(), held, with_made(run(), [RUNNING], cluster="west")))
    nodes = nodes_of(shown)
    assert found in nodes[root]["children"]
    assert nodes[found]["boundaryID"] == root
    assert (nodes[found]["displayName"], nodes[found]["phase"]) == ("Workflow child", "Running")
    assert nodes[found]["message"] == "made on west: waiting for a lock"


def test_after_the_end_none_seems_to_run() -> None:
    nodes = nodes_of(with_made(run(), [RUNNING, DONE], cluster="west", over=True))
    assert all(is_over(nodes[one]) for one in ("job-made-u9", "job-made-u8"))
    assert nodes["job-made-u8"]["phase"] == "Succeeded"
    assert nodes["job-made-u9"]["message"].endswith("it was Running when this Workflow ended")


def test_of_very_many_some_are_shown_and_the_others_counted() -> None:
    many = [Made(f"c{number}", f"u{number}", {}) for number in range(MADE_SHOWN + 7)]
    nodes = nodes_of(with_made(run(), many, cluster="west"))
    assert len([one for one in nodes if "-made-" in one]) == MADE_SHOWN + 1
    assert nodes["job-made-more"]["displayName"] == "7 more Workflows on west"


def test_packed_nodes_stay_packed_and_a_run_without_nodes_as_it_is() -> None:
    packed = {**run(), "status": {"phase": "Running", "compressedNodes": pack(nodes_of(run()))}}
    shown = with_made(packed, [RUNNING], cluster="west")
    assert "nodes" not in shown["status"]
    assert "job-made-u9" in nodes_of(shown)
    bare = {**run(), "status": {}}
    assert with_made(bare, [RUNNING], cluster="west") is bare
