"""The judge of the laboratory's episodes says what is wrong, and whether it is the run itself that goes on."""

import pytest

from tests.faults.laboratory.history import Seen
from tests.faults.laboratory.judge import complaints
from webhook.model.objects import Object


def seen(cluster: str, name: str, phase: str, *, gone: bool = False, **metadata: Object) -> Seen:
    """The last that a cluster has shown of a Workflow."""
    workflow = {"metadata": {"name": name, "uid": f"{cluster}-{name}", **metadata}, "status": {"phase": phase}}
    return Seen(cluster, workflow, gone)


def origin(phase: str) -> Seen:
    return seen("front", "job", phase, annotations={"medea.dev/placement": "p1"})


def run(phase: str, on: str = "west") -> Seen:
    return seen(on, "job", phase, labels={"medea.dev/origin-uid": "front-job"})


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([origin("Failed"), run("Failed")], []),
        ([origin("Running"), run("Succeeded")], ["job has not ended: it is Running", "its run on west is Succeeded"]),
        ([origin("Running"), run("Running")], ["job has not ended: it is Running, and so is its run on west"]),
        ([origin("Failed"), run("Failed"), run("Failed", on="east")], ["job has 2 runs"]),
    ],
)
def test_what_is_wrong_is_said(history: list[Seen], words: list[str]) -> None:
    found = complaints(history, strangers=())
    assert len(found) == len(words)
    assert all(wanted in said for wanted, said in zip(words, found, strict=True))
