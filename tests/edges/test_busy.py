"""What keeps the system busy asks for the same jobs for the same seed, and for each once, however often it tries."""

from typing import Any

import pytest

from webhook.edges.busy import Wish, keep_busy
from webhook.errors import MedeaError

Object = dict[str, Any]
WISH = Wish(2.0, 50, 500, 7, "ns")


def test_a_seed_means_the_same_jobs() -> None:
    jobs = [WISH.job(number) for number in range(100)]
    assert jobs == [WISH.job(number) for number in range(100)]
    assert all(50 <= job["power"] <= 500 and job["namespace"] == "ns" for job in jobs)
    assert len({job["name"] for job in jobs}) == 100


def test_it_keeps_the_rate_and_asks_again_under_the_same_name() -> None:
    asked: list[Object] = []
    slept: list[float] = []

    def post(body: Object) -> Object:
        asked.append(body)
        if len(asked) == 2:
            raise MedeaError("try again")
        return {"id": len(asked), "state": {"phase": "Pending"}}

    assert keep_busy(WISH, post, lambda _: None, count=3, sleep=slept.append) == 3
    assert [one["name"] for one in asked] == ["busy-7-0", "busy-7-1", "busy-7-1", "busy-7-2"]
    assert slept == [0.5, 1.0, 0.5, 0.5]


def test_it_gives_up_when_nothing_is_taken() -> None:
    def post(_: Object) -> Object:
        raise MedeaError("no")

    with pytest.raises(MedeaError, match="no"):
        keep_busy(WISH, post, lambda _: None, count=1, sleep=lambda _: None)
