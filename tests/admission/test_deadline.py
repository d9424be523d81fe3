"""One deadline for a whole review: nothing is begun that could come too late, and nothing is kept that did."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from tests.admission.test_preflight import TAKES_IT, admission, placement_in, review, reviewed
from tests.support.scripted_apiserver import Answer, cut
from webhook.admission.wire import deadline_of
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.model.deadline import Deadline
from webhook.model.durations import go_duration


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def after(clock: Clock, seconds: float, then: Answer) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that takes so long."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        clock.now += seconds
        then(handler)

    return give


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("1.5s", 1.5),
        ("500ms", 0.5),
        ("1m0s", 60),
        ("", None),
        ("10", None),
        ("s", None),
        ("-1s", -1),
        ("1h", 3600),
    ],
)
def test_a_duration_is_read_as_go_writes_it(text: str, seconds: float | None) -> None:
    assert go_duration(text) == seconds


@pytest.mark.parametrize(
    ("timeout", "left"), [("5s", 3.5), (None, 8.5), ("nonsense", 8.5), ("9999m", 28.5), ("1s", -0.5)]
)
def test_a_review_has_as_long_as_its_apiserver_waits_less_the_way_of_the_answer(
    timeout: str | None, left: float
) -> None:
    assert deadline_of(timeout, Clock()).left == left


def test_no_room_is_promised_when_the_apiserver_may_no_longer_hear_of_it(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        response = reviewed(asked, review(), Deadline.after(0.9, Clock()))["response"]
    assert not response["allowed"] and response["status"]["code"] == 503
    assert "no time left to reserve room" in response["status"]["message"]
    assert "try again" in response["status"]["message"]
    assert placements.unbound(pool, 0) == []


def test_room_that_was_promised_too_late_is_free_again_at_once(pool: Pool) -> None:
    clock = Clock()
    with admission(pool, west=after(clock, 9, TAKES_IT)) as asked:
        response = reviewed(asked, review(), Deadline.after(8.5, clock))["response"]
    assert not response["allowed"] and "no time left to answer" in response["status"]["message"]
    with pool.transaction() as connection:
        [row] = connection.execute("SELECT state, released_at IS NOT NULL AS free FROM workflows").fetchall()
    assert (row["state"], row["free"]) == (State.EXPIRED, True)


def test_a_target_is_not_asked_with_too_little_time_left_and_the_workflow_waits(pool: Pool) -> None:
    clock = Clock()
    slow = after(clock, 8.2, cut)
    with admission(pool, west=slow, east=slow) as asked:
        answer = reviewed(asked, review(), Deadline.after(8.5, clock))
    row = placements.get(pool, placement_in(answer))
    assert row is not None and (row.state, row.cluster) == (State.QUEUED, None)
    assert "no time left to ask it" in str(row.reason)


def test_in_a_namespace_that_has_not_opted_in_nothing_is_reserved_whatever_a_review_says(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        forged = review()
        elsewhere = type(forged)("u", "CREATE", "Workflow", "kube-system", False, "ann", forged.object)
        response = reviewed(asked, elsewhere)["response"]
    assert not response["allowed"] and "patch" not in response
    assert "namespace kube-system is not known to have opted in" in response["status"]["message"]
    assert placements.unbound(pool, 0) == []
