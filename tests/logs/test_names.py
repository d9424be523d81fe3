"""A mirrored pod has the name that Argo computes for the node that stands for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.logs.names import pod_name
from webhook.model.nodes import fnv32a

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=250)


def workflow(name: str, **annotations: str) -> dict[str, object]:
    return {"metadata": {"name": name, "annotations": annotations}}


@pytest.mark.parametrize(("text", "hash32"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_the_hash_is_the_one_that_everybody_computes(text: str, hash32: int) -> None:
    assert fnv32a(text) == hash32


@pytest.mark.parametrize(
    ("name", "shown"),
    [("inline-r6g2z", "inline-r6g2z-main-4203002941"), ("inline-zwcnb", "inline-zwcnb-main-2033397366")],
)
def test_names_are_those_that_argo_3_7_4_has_shown(name: str, shown: str) -> None:
    assert pod_name(workflow(name), {"id": f"medea-{name}", "name": f"{name}.west", "templateName": "main"}) == shown


def test_a_template_of_another_object_gives_its_name_and_none_gives_none() -> None:
    node = {"id": "n", "name": "job.west.a", "templateRef": {"name": "shared", "template": "run"}}
    assert pod_name(workflow("job"), node).startswith("job-run-")
    assert pod_name(workflow("job"), {"id": "n", "name": "job.west.a"}) == f"job-{fnv32a('job.west.a')}"


def test_the_only_pod_of_a_workflow_that_is_one_has_its_name() -> None:
    assert pod_name(workflow("job"), {"id": "job", "name": "job", "templateName": "main"}) == "job"


def test_a_workflow_with_names_of_the_first_version_has_the_ids_of_its_nodes() -> None:
    marked = workflow("job", **{"workflows.argoproj.io/pod-name-format": "v1"})
    assert pod_name(marked, {"id": "medea-job-1", "name": "job.west", "templateName": "main"}) == "medea-job-1"


@given(NAMES, NAMES, NAMES)
def test_a_name_is_never_too_long_for_a_pod(name: str, template: str, node: str) -> None:
    assert len(pod_name(workflow(name), {"id": "n", "name": f"{name}.{node}", "templateName": template})) <= 253
