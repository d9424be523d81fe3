"""Argo's UI shows containers and manifest of a node: it finds the node's template, though the spec is a stub."""

from typing import Any

import pytest

from tests.controller.origin_status.test_merge import applied
from tests.support.objects import origin, row, run
from webhook.admission.memoized import memoized_nodes
from webhook.controller.origin_status.graft import graft
from webhook.controller.origin_status.stub import final_patch, outcome_of, running_patch
from webhook.logs.names import pod_name
from webhook.model.contract import State
from webhook.model.limits.model import LONGEST_TEMPLATES

ENDED = row(state=State.ENDED, phase="Succeeded")
CONTAINER = {"image": "busybox", "command": ["true"]}
MAIN = {"name": "main", "container": CONTAINER}
REFERENCE = {"name": "shared-0123456789abcdef0123", "template": "main"}
REFERRED = "namespaced/shared-0123456789abcdef0123/main"

PLACES: dict[str, dict[str, Any]] = {
    "in the Workflow": {"node": {"templateName": "main", "templateScope": "local/job"}, "spec": {"templates": [MAIN]}},
    "in its WorkflowTemplate": {
        "node": {"templateName": "main", "templateScope": "local/job"},
        "status": {"storedWorkflowTemplateSpec": {"templates": [MAIN]}},
    },
    "in another WorkflowTemplate": {
        "node": {"templateRef": REFERENCE},
        "status": {"storedTemplates": {REFERRED: MAIN}},
    },
    "beside one in another": {
        "node": {"templateName": "main", "templateScope": "namespaced/shared-0123456789abcdef0123"},
        "status": {"storedTemplates": {REFERRED: MAIN}},
    },
    "in a ClusterWorkflowTemplate": {
        "node": {"templateRef": {**REFERENCE, "clusterScope": True}},
        "status": {"storedTemplates": {REFERRED.replace("namespaced", "cluster"): MAIN}},
    },
}


def there(place: str, phase: str = "Running") -> dict[str, Any]:
    """A run whose pod is of a template that stands at that place."""
    found, wanted = run(phase), PLACES[place]
    node = found["status"]["nodes"]["job-9"]
    del node["templateScope"]
    node |= wanted["node"]
    found["status"] |= wanted.get("status", {})
    return {**found, "spec": wanted.get("spec", {})}


def shown_of(found: dict[str, Any]) -> Any:
    """The origin of a run that lives."""
    patch = running_patch(origin(), row(), graft(found, origin_name="job", cluster="west"), found)
    return applied(origin(), patch)


def ended(found: dict[str, Any]) -> Any:
    """The origin of a run that ended before anything of it was shown."""
    outcome = outcome_of(found, graft(found, origin_name="job", cluster="west"))
    return applied(origin(), final_patch(origin(), ENDED, outcome))


def looked_up(shown: dict[str, Any]) -> Any:
    """The template of the pod's node, as the UI finds it: by scope and name, where the scope is not the Workflow."""
    node = shown["status"]["nodes"]["medea-job-9"]
    kind, _, of = node["templateScope"].partition("/")
    assert kind != "local" and "/" not in of and "templateRef" not in node
    return shown["status"]["storedTemplates"][f"{node['templateScope']}/{node['templateName']}"]


@pytest.mark.parametrize("place", PLACES)
def test_a_nodes_template_is_found_wherever_it_stands_while_the_run_lives_and_afterwards(place: str) -> None:
    assert looked_up(shown_of(there(place))) == MAIN
    assert looked_up(ended(there(place, "Succeeded"))) == MAIN


def test_of_two_templates_of_one_name_each_node_has_its_own() -> None:
    found = there("in another WorkflowTemplate")
    found["spec"] = {"templates": [{**MAIN, "container": {"image": "other"}}]}
    found["status"]["nodes"]["job"] |= {"templateName": "main", "templateScope": "local/job"}
    shown = shown_of(found)
    root = shown["status"]["nodes"]["medea-job"]
    own = shown["status"]["storedTemplates"][f"{root['templateScope']}/main"]
    assert (own["container"]["image"], looked_up(shown)) == ("other", MAIN)


@pytest.mark.parametrize("place", PLACES)
def test_a_nodes_pod_has_the_templates_name_in_its_own_as_on_the_target(place: str) -> None:
    shown = shown_of(there(place))
    assert pod_name(shown, shown["status"]["nodes"]["medea-job-9"]).startswith("job-main-")


def test_a_template_is_written_once_even_if_argo_has_written_it_in_another_form_since() -> None:
    found = there("in the Workflow")
    shown = shown_of(found)
    [key] = shown["status"]["storedTemplates"]
    shown["status"]["storedTemplates"][key] = {"name": "main", "inputs": {}, "metadata": {}}
    assert running_patch(shown, row(), graft(found, origin_name="job", cluster="west"), found) == {}


def test_outputs_are_left_out_because_argo_at_the_front_door_would_collect_their_artifacts() -> None:
    found = there("in the Workflow")
    garbage = {"artifacts": [{"name": "a", "artifactGC": {"strategy": "OnWorkflowDeletion"}}]}
    found["spec"] = {"templates": [{**MAIN, "outputs": garbage}]}
    assert looked_up(shown_of(found)) == MAIN


def test_of_a_template_that_is_too_large_for_the_origin_the_name_is_shown() -> None:
    found = there("in the Workflow")
    found["spec"] = {"templates": [{**MAIN, "script": {"source": "x" * LONGEST_TEMPLATES}}]}
    assert looked_up(shown_of(found)) == looked_up(ended(found)) == {"name": "main"}


def test_a_template_that_is_nowhere_is_known_by_its_name_as_is_one_in_the_ledger_of_an_earlier_medea() -> None:
    found = there("in the Workflow")
    found["spec"] = {}
    assert looked_up(shown_of(found)) == {"name": "main"}
    outcome = {"nodes": {"medea-job": {"id": "medea-job", "templateName": "main"}}}
    shown = applied(origin(), final_patch(origin(), ENDED, outcome))
    assert list(shown["status"]["storedTemplates"].values()) == [{"name": "main"}]


def test_a_memoized_resubmission_takes_no_scope_of_the_origins_along() -> None:
    nodes = graft(there("in the Workflow", "Succeeded"), origin_name="job", cluster="west")
    again = memoized_nodes(nodes, name="job", cluster="west")
    assert not [node for node in again.values() if "templateScope" in node]
