"""An ended origin tells argo-server where its run's artifacts are: archived logs are among them."""

from typing import Any

from tests.controller.origin_status.test_merge import applied
from tests.support.objects import origin, row, run
from webhook.controller.origin_status.graft import graft
from webhook.controller.origin_status.stub import final_patch, outcome_of
from webhook.model.contract import State

STORE = {"configMap": "artifact-repositories", "key": "west", "artifactRepository": {"s3": {"bucket": "b"}}}
ENDED = row(state=State.ENDED, phase="Succeeded")


def outcome(**status: Any) -> dict[str, Any]:
    """The outcome of a run whose pod is of a template."""
    found = run("Succeeded")
    found["status"] |= status
    found["status"]["nodes"]["job-9"]["templateName"] = "main"
    return outcome_of(found, graft(found, origin_name="job", cluster="west"))


def test_the_template_of_every_node_is_known_to_the_origin() -> None:
    shown = applied(origin(), final_patch(origin(), ENDED, outcome()))
    known = {template["name"] for template in shown["status"]["storedTemplates"].values()}
    named = {node.get("templateName") for node in shown["status"]["nodes"].values()}
    assert named - {None, "medea", "placement"} == known == {"main"}


def test_the_store_is_the_runs_whatever_the_front_doors_own_is() -> None:
    before = origin()
    before["status"]["artifactRepositoryRef"] = {"default": True, "artifactRepository": {"gcs": {"bucket": "a"}}}
    ended = outcome(artifactRepositoryRef=STORE)
    shown = applied(before, final_patch(before, ENDED, ended))
    assert shown["status"]["artifactRepositoryRef"] == STORE
    assert final_patch(shown, ENDED, ended) == {}


def test_a_run_without_a_store_changes_nothing_about_it() -> None:
    before = origin()
    before["status"]["artifactRepositoryRef"] = {"default": True}
    shown = applied(before, final_patch(before, ENDED, outcome()))
    assert shown["status"]["artifactRepositoryRef"] == {"default": True}
