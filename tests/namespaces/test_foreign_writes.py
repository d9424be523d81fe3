"""An Argo controller that writes to an origin with hold none is noticed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from webhook.namespaces.foreign_writes import ForeignWrites, with_last_write

AT, LATER = "2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z"


def origin(*fields: Any, placed: bool = True) -> dict[str, Any]:
    """A Workflow of which managedFields says this."""
    marks = {"medea.dev/placement": "p"} if placed else {}
    return {"metadata": {"name": "w", "namespace": "ns", "annotations": marks, "managedFields": list(fields)}}


def wrote(manager: str, at: str) -> dict[str, Any]:
    return {"manager": manager, "time": at, "fieldsV1": {"f:status": {"f:phase": {}}}}


def noted(*workflows: dict[str, Any]) -> tuple[ForeignWrites, list[str]]:
    told: list[str] = []
    writes = ForeignWrites(told.append)
    for one in workflows:
        writes.note(with_last_write(one))
    return writes, told


def test_its_last_write_is_told_once_and_kept() -> None:
    first, second = (origin(wrote("medea", LATER), wrote("workflow-controller", at)) for at in (AT, LATER))
    writes, told = noted(first, first, second)
    assert told == ["ns", "ns"]
    assert writes.last("ns") == datetime(2026, 1, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize("manager", ["medea", "argo", "kubectl-patch"])
def test_writes_of_people_and_of_medea_are_none(manager: str) -> None:
    writes, told = noted(origin(wrote(manager, AT)))
    assert (writes.last("ns"), told) == (None, [])


def test_what_it_writes_to_other_workflows_says_nothing_of_origins() -> None:
    assert noted(origin(wrote("workflow-controller", AT), placed=False))[1] == []


@pytest.mark.parametrize("fields", [None, 7, "x", [None], [{"manager": "workflow-controller", "time": 7}]])
def test_notes_of_any_shape_are_passed_over(fields: Any) -> None:
    workflow = origin()
    workflow["metadata"]["managedFields"] = fields
    assert noted(workflow)[1] == []


def test_of_long_notes_one_line_stays_in_memory() -> None:
    kept = with_last_write(origin(*(wrote("workflow-controller", AT) for _ in range(9)), wrote("argo", LATER)))
    assert kept["metadata"]["managedFields"] == [{"manager": "workflow-controller", "time": AT}]
    assert "managedFields" not in with_last_write(origin(wrote("argo", LATER)))["metadata"]
