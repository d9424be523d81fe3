"""An ended origin without a controller beside it is deleted when its user has said so."""

from typing import Any

import pytest

from webhook.controller.origin_status.ttl import goes_at

ALL = {"secondsAfterSuccess": 1, "secondsAfterFailure": 2, "secondsAfterCompletion": 3}


def ended(phase: str, ttl: Any, template: Any = None) -> dict[str, Any]:
    stored = {"storedWorkflowTemplateSpec": {"ttlStrategy": template}} if template else {}
    status = {"phase": phase, "finishedAt": "2026-01-01T00:00:00Z", **stored}
    return {"spec": {"ttlStrategy": ttl} if ttl else {}, "status": status}


@pytest.mark.parametrize(
    ("origin", "second"),
    [
        (ended("Succeeded", ALL), 1),
        (ended("Failed", ALL), 2),
        (ended("Error", ALL), 3),
        (ended("Failed", {"secondsAfterCompletion": 0}), 0),
        (ended("Succeeded", None, ALL), 1),
        (ended("Succeeded", {"secondsAfterSuccess": 5}, ALL), 5),
        (ended("Succeeded", {"secondsAfterSuccess": None, "secondsAfterCompletion": 4}), 4),
    ],
)
def test_the_most_special_word_counts_and_the_workflows_before_its_templates(
    origin: dict[str, Any], second: int
) -> None:
    moment = goes_at(origin)
    assert moment is not None and moment.isoformat() == f"2026-01-01T00:00:0{second}+00:00"


@pytest.mark.parametrize(
    "origin",
    [
        ended("Succeeded", None),
        ended("Running", ALL),
        ended("Succeeded", {"secondsAfterFailure": 2}),
        ended("Succeeded", {"secondsAfterCompletion": "soon"}),
        ended("Succeeded", {"secondsAfterCompletion": 1 << 40}),
        ended("Succeeded", "soon"),
        ended("Succeeded", {"secondsAfterCompletion": True}),
        {"spec": {"ttlStrategy": ALL}, "status": {"phase": "Succeeded"}},
        {"spec": {"ttlStrategy": ALL}, "status": {"phase": ["Succeeded"]}},
        *(
            {"spec": {"ttlStrategy": ALL}, "status": {"phase": "Succeeded", "finishedAt": finished}}
            for finished in ("yesterday", "2026-01-01T00:00:00", "9999-12-31T23:59:59Z", 7, ["2026-01-01T00:00:00Z"])
        ),
        {},
    ],
)
def test_without_a_word_that_can_be_read_it_stays(origin: dict[str, Any]) -> None:
    assert goes_at(origin) is None
