"""Whoever looks at an origin with hold `none` reads the names of their templates, not those of copies on a target."""

from typing import Any

import pytest

from webhook.controller.origin_status.full import outcome_of
from webhook.controller.origin_status.graft import graft
from webhook.controller.template_names import in_own_words, own_names, with_note
from webhook.model.contract import COPIES
from webhook.model.nodes import pack, unpacked
from webhook.model.run import run_object
from webhook.model.template_versions import copies
from webhook.totals.shape import Name

Object = dict[str, Any]

LEAF = {"templates": [{"name": "m", "container": {"image": "i"}}]}
OWN = {"namespaced": Name("t"), "cluster": Name("c", cluster=True)}
CALLS = {
    "templates": [
        {
            "name": "all",
            "steps": [
                [
                    {"name": "one", "templateRef": {"name": "t", "template": "m"}},
                    {"name": "two", "templateRef": {"name": "c", "template": "m", "clusterScope": True}},
                ]
            ],
        }
    ]
}


def status(spec: Object, t: str, c: str, *, cluster: str = "cluster") -> Object:
    """What Argo writes of a Workflow that calls two templates, by the names and the scope that it knows."""
    ref: Object = {"name": c, "template": "m", **({"clusterScope": True} if cluster == "cluster" else {})}
    return {
        "phase": "Running",
        "nodes": {
            "job": {"id": "job", "name": "job", "templateName": "all", "templateScope": "local/job"},
            "job-1": {"id": "job-1", "name": "job[0].one", "templateRef": {"name": t, "template": "m"}},
            "job-2": {"id": "job-2", "name": "job[0].two", "templateRef": ref, "templateScope": f"namespaced/{t}"},
            "job-3": {"id": "job-3", "name": "job[0].three", "templateScope": f"{cluster}/{c}"},
        },
        "storedTemplates": {
            f"namespaced/{t}/all": spec["templates"][0],
            f"{cluster}/{c}/inline/x": {"name": "x", "container": {"image": "i"}},
        },
        "storedWorkflowTemplateSpec": {**spec, "workflowTemplateRef": {"name": t}},
    }


def run_of(workflow: Object) -> tuple[Object, Object, dict[Name, str]]:
    """The run of this Workflow, the spec in it, and the names of the copies that it uses."""
    spec, made = copies(workflow["spec"], {OWN["namespaced"]: LEAF, OWN["cluster"]: LEAF})
    noted = with_note({**workflow, "spec": spec}, made)
    body = run_object(noted, placement="p1", name="job", origin_name="job", origin_uid="o1")
    return body, spec, {one.of: one.name for one in made}


def run_with_status() -> Object:
    body, spec, names = run_of({"metadata": {"annotations": {"theirs": "kept"}}, "spec": CALLS})
    assert body["metadata"]["annotations"].keys() == {"theirs", COPIES}
    t, c = names[OWN["namespaced"]], names[OWN["cluster"]]
    assert t.startswith("t-") and c.startswith("c-")
    return {**body, "status": status(spec, t, c, cluster="namespaced")}


def test_an_origin_shows_its_templates_under_their_own_names_and_scopes() -> None:
    assert outcome_of(run_with_status(), "job", "west") == status(CALLS, "t", "c")


def test_so_it_does_where_the_nodes_are_packed() -> None:
    run = run_with_status()
    run["status"]["compressedNodes"] = pack(run["status"].pop("nodes"))
    shown = outcome_of(run, "job", "west")
    assert unpacked(shown["compressedNodes"]) == status(CALLS, "t", "c")["nodes"]


def test_nodes_that_a_memoized_resubmission_takes_over_name_its_own_copies() -> None:
    taken = status(CALLS, "t", "c")["nodes"]
    body, spec, names = run_of({"metadata": {}, "spec": CALLS, "status": {"nodes": taken}})
    there = status(spec, names[OWN["namespaced"]], names[OWN["cluster"]], cluster="namespaced")
    assert body["status"]["nodes"] == there["nodes"]


@pytest.mark.parametrize("note", ["", "[", "[1]", '{"t": 1, "c": "x"}', '"x"'])
def test_a_note_that_somebody_spoilt_changes_no_name(note: str) -> None:
    run = run_with_status()
    run["metadata"]["annotations"][COPIES] = note
    assert outcome_of(run, "job", "west") == run["status"]


def words_of(t: str, c: str, *, cluster: str) -> list[str]:
    """What Argo says of templates that it can't use."""
    return [
        f'malformed workflow template "ns/{t}": cannot restore slice from map',
        f"error in entry template execution: template n not found in workflow template {t}",
        f'malformed {cluster}"{c}": cannot restore slice from map',
        f"templates.all.steps[0].two template reference {c}.n not found",
    ]


def test_what_argo_says_of_a_template_names_the_users_own() -> None:
    run = run_with_status()
    copies_there = {one.name: name.name for name, one in own_names(run).items()}
    said = words_of(copies_there["t"], copies_there["c"], cluster="workflow template ")
    said[2] = said[2].replace('"c-', '"ns/c-')
    own = words_of("t", "c", cluster="cluster workflow template ")
    for there, here in zip(said, own, strict=True):
        assert in_own_words(there, own_names(run)) == here
        run["status"] |= {"message": there, "conditions": [{"type": "SpecError", "status": "True", "message": there}]}
        run["status"]["nodes"]["job-1"]["message"] = there
        shown = outcome_of(run, "job", "west")
        assert (shown["message"], shown["conditions"][0]["message"]) == (here, here)
        assert shown["nodes"]["job-1"]["message"] == here
        assert graft(run, origin_name="job", cluster="west")["medea-job-1"]["message"] == here


def test_words_about_other_things_stay_as_they_are() -> None:
    assert in_own_words("child 't-1' failed", own_names(run_with_status())) == "child 't-1' failed"
    assert in_own_words("child 't-1' failed", {}) == "child 't-1' failed"
