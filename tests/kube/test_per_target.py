"""Each target has a thread of its own for whatever is repeated for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from webhook.kube.per_target import PerTarget, Turn
from webhook.kube.registry import Registry


class Registered:
    """A registry of whatever is put into it."""

    def __init__(self, *names: str) -> None:
        self.there: dict[str, Any] = {name: object() for name in names}

    def clusters(self) -> dict[str, Any]:
        return dict(self.there)


@contextmanager
def following(registry: Any, turn: Turn, **options: Any) -> Iterator[PerTarget]:
    followers = PerTarget("test", registry, turn, **options)
    followers.start()
    try:
        yield followers
    finally:
        followers.stop()


def test_a_target_that_hangs_keeps_no_other_from_its_turns() -> None:
    east, release = threading.Semaphore(0), threading.Event()

    def turn(name: str, _: object) -> float:
        if name == "west":
            release.wait(120)
        else:
            east.release()
        return 0.0

    with following(Registered("west", "east"), turn):
        assert all(east.acquire(timeout=60) for _ in range(3))
        release.set()


def test_a_turn_that_fails_is_followed_by_the_next() -> None:
    turns = threading.Semaphore(0)

    def turn(_name: str, _: object) -> float:
        turns.release()
        raise RuntimeError("nobody thought of this")

    with following(Registered("west"), turn):
        assert turns.acquire(timeout=60) and turns.acquire(timeout=60)


def test_a_target_with_a_new_client_is_followed_anew_and_one_that_is_gone_no_more() -> None:
    gone: list[str] = []
    registry = Registered("west", "east")
    followers = PerTarget("test", cast("Registry", registry), lambda _name, _: 0.0, gone=gone.append)
    assert set(followers.look()) == {"west", "east"}
    assert followers.look() == {}
    registry.there["west"] = object()
    assert set(followers.look()) == {"west"}
    del registry.there["east"]
    assert followers.look() == {} and gone == ["east"]
