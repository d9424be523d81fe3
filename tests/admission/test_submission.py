"""What a submitted Workflow says, and what is told to those who say it wrong."""

from typing import Any

import pytest

from webhook.admission.submission import Submission, read_submission
from webhook.errors import Refused


def submission(annotations: Any = None, **spec: Any) -> Submission:
    return read_submission({"metadata": {"annotations": annotations}, "spec": spec})


def test_clusters_are_names_with_commas_between() -> None:
    assert submission({"medea.dev/clusters": " west, east,west "}).only_clusters == ("west", "east")
    assert submission().only_clusters is None


@pytest.mark.parametrize("value", ["", "https://evil", "west;east", "West", ",", "a" * 64])
def test_what_names_no_clusters_is_refused(value: str) -> None:
    with pytest.raises(Refused, match=r"medea\.dev/clusters"):
        _ = submission({"medea.dev/clusters": value}).only_clusters


def test_skip_is_true_or_false_and_nothing_else() -> None:
    assert submission({"medea.dev/skip": "true"}).skipped
    assert not submission({"medea.dev/skip": "false"}).skipped
    assert not submission().skipped
    with pytest.raises(Refused, match='"true" or "false"'):
        _ = submission({"medea.dev/skip": "yes"}).skipped


def test_fit_is_whole_or_elastic_and_nothing_else() -> None:
    assert submission({"medea.dev/fit": "elastic"}).elastic is True
    assert submission({"medea.dev/fit": "whole"}).elastic is False
    assert submission().elastic is None
    with pytest.raises(Refused, match="whole or elastic"):
        _ = submission({"medea.dev/fit": "small"}).elastic


@pytest.mark.parametrize(
    "workflow", [{}, {"metadata": []}, {"metadata": {}, "spec": None}, {"metadata": {"labels": {"a": 1}}, "spec": {}}]
)
def test_a_workflow_of_a_wrong_shape_is_refused(workflow: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read_submission(workflow)


def test_a_template_reference_needs_a_name() -> None:
    assert submission(workflowTemplateRef={"name": "t", "clusterScope": True}).template_reference == ("t", True)
    assert submission(workflowTemplateRef={"name": "t"}).template_reference == ("t", False)
    for wrong in ({"nam": "t"}, {"name": ""}, {"name": 5}, "t"):
        with pytest.raises(Refused, match="workflowTemplateRef"):
            _ = submission(workflowTemplateRef=wrong).template_reference
