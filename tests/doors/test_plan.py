"""What is done about a submitted job: nothing that ever ran is submitted once more."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from webhook.doors.plan import Do, next_step
from webhook.model.submitted_once import Past

LABEL = "medea.dev/file-job"
_PHASES = st.sampled_from([None, "Running", "Succeeded", "Failed", "Error", 7])


@dataclass(frozen=True)
class Job:
    """A job whose Workflow has a name."""

    workflow_uid: str | None
    id: int = 1
    namespace: str = "ns"
    workflow: str = "w"


@given(
    uid=st.none() | st.just("u"),
    origin=st.none() | st.tuples(_PHASES, st.sampled_from(["u", "v"]), st.sampled_from(["1", "2"])),
    past=st.none() | st.sampled_from([Past(None, ""), Past("Succeeded", ""), Past("Failed", "x")]),
)
def test_nothing_that_ever_was_there_is_submitted(
    uid: str | None, origin: tuple[Any, str, str] | None, past: Past | None
) -> None:
    thing = origin and {
        "metadata": {"name": "w", "uid": origin[1], "labels": {LABEL: origin[2]}},
        "status": {"phase": origin[0]},
    }
    step = next_step(Job(uid), LABEL, thing, past)
    assert (step.do is Do.SUBMIT) == ((uid, thing, past) == (None, None, None))
    if thing and uid is None and (origin or ("", "", ""))[2] == "2":
        assert step.do is Do.FAIL
    if thing and uid is not None and (origin or ("", "", ""))[1] != uid:
        assert step.do is Do.FAIL
