"""The run's nodes inside the origin, while it runs and at its end."""

from tests.controller.origin_status.test_merge import applied
from tests.support.objects import origin, row, run
from webhook.controller.origin_status.graft import graft
from webhook.controller.origin_status.stub import final_patch, outcome_of, running_patch, suspension_patch
from webhook.model.contract import State
from webhook.model.nodes import nodes_of


def grafted(**changes: str) -> dict[str, dict[str, object]]:
    return graft(run(**changes), origin_name="job", cluster="west")


def test_the_runs_root_is_shown_under_the_targets_name_beside_the_waiting_task() -> None:
    shown = applied(origin(), running_patch(origin(), row(), grafted()))
    nodes = shown["status"]["nodes"]
    assert nodes["job"]["children"] == ["job-1", "medea-job"]
    assert (nodes["medea-job"]["displayName"], nodes["medea-job"]["boundaryID"]) == ("west", "job")
    assert nodes["medea-job"]["children"] == ["medea-job-9"]
    assert nodes["medea-job-9"]["boundaryID"] == "medea-job"
    assert nodes["medea-job-9"]["name"] == "job.west.main"


def test_a_pod_that_runs_has_no_start_because_argo_would_miss_it_and_gets_it_once_it_has_ended() -> None:
    assert "startedAt" not in grafted()["medea-job-9"]
    assert grafted(phase="Succeeded")["medea-job-9"]["startedAt"]


def test_a_graft_points_at_no_template_of_the_front_door() -> None:
    assert "templateScope" not in grafted()["medea-job-9"]


def test_nothing_is_patched_twice() -> None:
    shown = applied(origin(), running_patch(origin(), row(), grafted()))
    assert running_patch(shown, row(), grafted()) == {}


def test_nodes_that_vanish_at_the_run_vanish_at_the_origin_and_argos_own_stay() -> None:
    shown = applied(origin(), running_patch(origin(), row(), grafted()))
    fewer = {"medea-job": {**grafted()["medea-job"], "children": []}}
    after = applied(shown, running_patch(shown, row(), fewer))
    assert after["status"]["nodes"].keys() == {"job", "job-1", "medea-job"}


def test_before_argo_has_begun_the_origin_there_is_nothing_to_graft_onto() -> None:
    assert "status" not in running_patch(origin(nodes={}), row(), grafted())


def test_the_end_of_the_run_becomes_the_origins() -> None:
    ended = row(state=State.ENDED, phase="Failed", message="oh no", end_shown=False)
    outcome = outcome_of(run("Failed"), grafted(phase="Failed"))
    shown = applied(origin(), final_patch(origin(), ended, outcome))
    status, metadata = shown["status"], shown["metadata"]
    assert (status["phase"], status["message"], status["finishedAt"]) == ("Failed", "oh no", "2026-01-01T00:01:00Z")
    assert status["progress"] == "1/1"
    assert metadata["labels"] == {
        "workflows.argoproj.io/completed": "true",
        "workflows.argoproj.io/phase": "Failed",
    }
    assert metadata["annotations"]["medea.dev/state"] == "failed"
    assert {node["phase"] for node in status["nodes"].values()} == {"Failed"}
    assert status["nodes"]["job"]["outputs"]["parameters"] == [{"name": "pi", "value": "3"}]
    assert final_patch(shown, ended, outcome) == {}


def test_an_origin_that_argo_never_began_still_ends_with_its_whole_tree() -> None:
    ended = row(state=State.ENDED, phase="Succeeded")
    outcome = outcome_of(run("Succeeded"), grafted(phase="Succeeded"))
    shown = applied(origin(nodes={}), final_patch(origin(nodes={}), ended, outcome))
    nodes = shown["status"]["nodes"]
    assert nodes["job"]["children"] == ["medea-job"]
    assert nodes.keys() == {"job", "medea-job", "medea-job-9"}


def test_a_placement_that_could_never_run_ends_with_the_reason() -> None:
    ended = row(
        state=State.ENDED, phase="Error", message="west refused", cluster=None, run_name=None, ended_at=row().created_at
    )
    shown = applied(origin(), final_patch(origin(), ended, {}))
    assert (shown["status"]["phase"], shown["status"]["message"]) == ("Error", "west refused")
    assert shown["status"]["finishedAt"] == "2026-01-01T00:00:00Z"


def test_nodes_too_large_for_an_object_are_packed_as_argo_packs_them_and_stay_so() -> None:
    many = {
        f"medea-job-{number}": {**grafted()["medea-job-9"], "id": f"medea-job-{number}", "message": "x" * 4000}
        for number in range(300)
    }
    patch = running_patch(origin(), row(), {**grafted(), **many})
    assert patch["status"]["nodes"] is None
    shown = applied(origin(), patch)
    assert nodes_of(shown).keys() == {"job", "job-1", "medea-job", "medea-job-9", *many}
    assert running_patch(shown, row(), {**grafted(), **many}) == {}
    fewer = applied(shown, running_patch(shown, row(), grafted()))
    assert fewer["status"]["nodes"].keys() == {"job", "job-1", "medea-job", "medea-job-9"}


def test_of_a_run_whose_nodes_are_elsewhere_phase_and_progress_are_shown_and_why_there_is_no_more() -> None:
    offloaded = run()
    offloaded["status"] |= {"nodes": None, "offloadNodeStatusVersion": "fnv:1", "progress": "3/10"}
    [node] = graft(offloaded, origin_name="job", cluster="west").values()
    assert (node["displayName"], node["phase"]) == ("west", "Running")
    assert node["message"] == "its nodes are offloaded on west: 3/10 of them done"


def test_a_suspended_run_is_shown_as_such_and_only_while_it_is() -> None:
    suspended = {**run(), "spec": {"suspend": True}}
    shown = applied(origin(), suspension_patch(origin(), suspended))
    assert shown["spec"] == {"suspend": True}
    assert suspension_patch(shown, suspended) == {}
    assert "suspend" not in applied(shown, suspension_patch(shown, {**run(), "spec": {}}))["spec"]
