"""An origin shows each chunk under its target, with what is done of it, and the total."""

import datetime

from tests.splitting.fanouts import steps
from webhook.splitting.gather import Left
from webhook.splitting.nodes import End, Shown, shown_status, span_words
from webhook.splitting.shape import fanout_of

NOW = datetime.datetime(2026, 11, 27, 8, tzinfo=datetime.UTC)
FANOUT = fanout_of(steps(withSequence={"count": "100"}))


def shown(number: int, first: int, size: int, done: int, cluster: str | None, phase: str | None) -> Shown:
    begun = NOW if cluster else None
    ended = NOW if phase == "Succeeded" else None
    return Shown(number, f"job-{number}", ((first, size),), size, done, cluster, phase, None, begun, ended)


def test_chunks_are_shown_under_their_targets_with_percentages() -> None:
    chunks = [
        shown(0, 0, 20, 20, "west", "Succeeded"),
        shown(1, 20, 20, 5, "east", "Running"),
        shown(2, 40, 10, 0, None, None),
    ]
    status = shown_status("job", FANOUT, chunks, items=100, since=NOW)
    by_name = {node["name"]: node for node in status["nodes"].values()}
    assert status["progress"] == "25/100" and status["phase"] == "Running"
    assert by_name["job.work"]["message"] == "25 of 100 items done (25%) in 3 chunks, 50 of them in no chunk yet"
    assert by_name["job.work.east"]["message"] == "5 of 20 items done (25%)"
    assert by_name["job.work.east.1"]["message"] == "items 20-39: 5 of 20 done (25%)"
    assert by_name["job.work.west"]["phase"] == "Succeeded" and by_name["job.work.waiting"]["phase"] == "Pending"
    assert by_name["job.work"]["children"] == [by_name[f"job.work.{one}"]["id"] for one in ("east", "waiting", "west")]
    for node in status["nodes"].values():
        assert all(child in status["nodes"] for child in node.get("children", []))


def test_at_the_end_the_fan_out_has_everybodys_outputs() -> None:
    end = End("Succeeded", "", NOW, [Left({"answer": str(one)}) for one in range(2)])
    status = shown_status("job", FANOUT, [shown(0, 0, 2, 2, "west", "Succeeded")], items=2, since=NOW, end=end)
    top = next(node for node in status["nodes"].values() if node["name"] == "job.work")
    assert top["outputs"]["parameters"] == [{"name": "answer", "value": '["0","1"]'}]
    assert status["conditions"][-1] == {"type": "Completed", "status": "True"}


def test_spans_are_told_as_people_count() -> None:
    assert span_words([(0, 5), (7, 1)]) == "items 0-4, 7"


def test_a_chunk_that_is_in_a_thousand_pieces_is_told_by_the_first() -> None:
    assert span_words([(2 * one, 1) for one in range(1000)]) == "items 0, 2, 4, 6, 8, …"
