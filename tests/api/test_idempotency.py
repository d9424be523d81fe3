"""Whatever is lost on the way, a step acts on what was there when it was first asked, and on nothing else."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from webhook.api.idempotency import Next, next_of, note, noted, objects_of

FIRST = st.sets(st.sampled_from("abcdef"), min_size=1)
LATER = st.sets(st.sampled_from("uvwxyz"))


def _waiting(gates: set[str], suspend: bool = False) -> frozenset[str]:
    """What a resume would act on in a Workflow in which these gates wait."""
    nodes: dict[str, Any] = {one: {"type": "Suspend", "phase": "Running"} for one in gates}
    nodes["done"] = {"type": "Suspend", "phase": "Succeeded"}
    nodes["pod"] = {"type": "Pod", "phase": "Running"}
    status = {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "nodes": nodes}
    return objects_of("resume", {"metadata": {}, "spec": {"suspend": suspend}, "status": status})


@given(FIRST, LATER, st.booleans())
def test_when_it_has_been_done_no_later_gate_makes_it_act_again(first: set[str], later: set[str], whole: bool) -> None:
    assert next_of(_waiting(first, whole), _waiting(later)) is Next.DONE


@given(FIRST, LATER, st.data())
def test_while_any_that_was_noted_waits_it_acts(first: set[str], later: set[str], data: st.DataObject) -> None:
    still = data.draw(st.sets(st.sampled_from(sorted(first)), min_size=1))
    assert next_of(_waiting(first), _waiting(still | later)) is Next.ACT


@given(FIRST)
def test_what_is_first_seen_is_noted_before_anything_is_done(first: set[str]) -> None:
    assert next_of(None, _waiting(first)) is Next.NOTE
    assert next_of(None, _waiting(set())) is Next.NOTHING


@given(st.frozensets(st.text("0123456789abcdef", min_size=10, max_size=10), min_size=1))
def test_a_note_is_read_as_it_was_written(objects: frozenset[str]) -> None:
    assert noted({"metadata": {"annotations": {"key": note(objects)}}}, "key") == objects
    assert noted({"metadata": {}}, "key") is None


def test_a_retried_end_is_another_end() -> None:
    def end(**status: str) -> frozenset[str]:
        return objects_of("retry", {"metadata": {}, "status": {"phase": "Failed", **status}})

    first = end(startedAt="2026-01-01T00:00:00Z", finishedAt="2026-01-01T00:01:00Z")
    assert first and not first & end(startedAt="2026-01-01T00:02:00Z", finishedAt="2026-01-01T00:03:00Z")
    assert objects_of("retry", {"metadata": {}, "status": {"phase": "Running"}}) == frozenset()
