"""What can't be placed is refused at once, in words that say what would be right; what isn't Medea's is left alone."""

import json

import pytest

from tests.end_to_end.ledger import rows_of
from tests.end_to_end.manifests import SMALL, Object, from_template, inline
from tests.end_to_end.objects import annotations, origin, runs_in, workflows
from tests.end_to_end.workspace import Workspace, WorkspaceMaker

LACKING = {name: value for name, value in SMALL.items() if name != "driver_memory_limit"}

# What is submitted, and what the refusal has to say: the name, the value, and what would be right.
REFUSALS: dict[str, tuple[Object, tuple[str, ...]]] = {
    "memory in megabytes": (
        from_template({"executor_memory_limit": "512m"}),
        ("executor_memory_limit", "'512m'", "gigabytes", "0.5g"),
    ),
    "memory without a unit": (
        from_template({"driver_memory_limit": "512"}),
        ("driver_memory_limit", "'512'", "gigabytes", "0.5g"),
    ),
    "negative memory": (from_template({"driver_memory_limit": "-1g"}), ("driver_memory_limit", "'-1g'", "above 0")),
    "no memory": (from_template({"executor_memory_limit": "0g"}), ("executor_memory_limit", "'0g'", "above 0")),
    "negative count": (from_template({"executor_num": "-1"}), ("executor_num", "'-1'", "0 or more")),
    "negative cores": (from_template({"executor_cores_limit": "-2"}), ("executor_cores_limit", "'-2'", "above 0")),
    "words for numbers": (from_template({"executor_num": "two"}), ("executor_num", "'two'", "whole number")),
    "nothing at all": (from_template({"driver_cores_limit": ""}), ("driver_cores_limit", "''", "number of cores")),
    "missing": (inline("true", LACKING), ("driver_memory_limit", "missing", "-p driver_memory_limit=")),
    "too many executors": (
        from_template({"executor_num": "100"}),
        ("101 cpu", "never fit", "6 cpu", "east", "95 cpu", "executor_num=5 would fit"),
    ),
    "too large a driver": (
        from_template({"executor_num": "0", "driver_memory_limit": "50g"}),
        ("50Gi", "never fit", "4Gi", "west", "46Gi less"),
    ),
    "unknown policy": (
        from_template({}, annotations={"medea.dev/policy": "fastest"}),
        ("medea.dev/policy", "'fastest'", "random"),
    ),
    "unknown cluster": (
        from_template({}, annotations={"medea.dev/clusters": "mars"}),
        ("medea.dev/clusters", "mars", "west", "east"),
    ),
    "an address for a cluster": (
        from_template({}, annotations={"medea.dev/clusters": "https://10.0.0.1:6443"}),
        ("medea.dev/clusters", "https://10.0.0.1:6443", "west,east"),
    ),
    "unknown template": (
        {**from_template({}), "spec": {"workflowTemplateRef": {"name": "absent"}}},
        ("spec.workflowTemplateRef.name", "'absent'", "no such WorkflowTemplate"),
    ),
    "a zero byte": (from_template({"note": "a\0b"}), ("zero byte", "note")),
    "neither true nor false": (
        from_template({}, annotations={"medea.dev/skip": "yes"}),
        ("medea.dev/skip", "'yes'", '"true" or "false"'),
    ),
}


@pytest.fixture(scope="module")
def small(make_workspace: WorkspaceMaker) -> Workspace:
    """West has more memory and east more cores, so that messages must name the one that is nearest."""
    return make_workspace(("4", "4Gi"), ("6", "3Gi"))


@pytest.mark.parametrize("what", list(REFUSALS))
def test_argo_submit_says_what_is_wrong_and_what_would_be_right(small: Workspace, what: str) -> None:
    manifest, words = REFUSALS[what]
    # `create` sends it as it is; `argo submit` of a missing template fails in argo itself.
    if what == "unknown template":
        refused = small.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    else:
        refused = small.argo("submit", "-", stdin=json.dumps(manifest))
    assert refused.code != 0, refused.said
    said = refused.said.replace('\\"', '"')
    assert [word for word in words if word not in said] == [], said
    assert rows_of(small.name) == []
    assert workflows("front", small.name) == []
    assert runs_in(small.name) == []


def test_a_dry_run_says_where_it_would_go_and_does_nothing(small: Workspace) -> None:
    said = small.dry_run(from_template({"executor_num": "1"})).ok().said
    assert "Warning: medea: would be placed on " in said
    assert "never fit" in small.dry_run(from_template({"executor_num": "100"})).said
    assert rows_of(small.name) == []
    assert workflows("front", small.name) == []
    assert runs_in(small.name) == []


@pytest.fixture(scope="module")
def foreign(make_workspace: WorkspaceMaker) -> Workspace:
    return make_workspace(enabled=False)


@pytest.mark.parametrize("why", ["medea.dev/skip", "namespace without the label"])
def test_what_is_not_medeas_is_left_untouched(shared: Workspace, foreign: Workspace, why: str) -> None:
    workspace = foreign if why == "namespace without the label" else shared
    manifest = {
        "medea.dev/skip": inline("true", SMALL, {"medea.dev/skip": "true"}),
        "namespace without the label": inline("true", SMALL),
    }[why]
    name = workspace.create(manifest)
    workspace.wait(name).ok()
    found = origin(workspace.name, name)
    assert found["spec"]["templates"][0]["container"]["args"] == ["true"]
    assert found["spec"]["entrypoint"] == "main"
    assert set(annotations(found)) <= {"skip"}
    assert "finalizers" not in found["metadata"]
    assert [row for row in rows_of(workspace.name) if row["name"] == name] == []
    assert runs_in(workspace.name) == []
