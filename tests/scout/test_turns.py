"""Those who decide about one namespace take turns, and wait for nobody else."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from webhook.errors import Busy
from webhook.scout.turns import Turns


def test_a_namespace_has_one_turn_at_a_time_and_others_are_not_kept_waiting() -> None:
    turns, inside, most = Turns(longest=60), list[int](), list[int]()
    guard = threading.Lock()

    def work(number: int) -> None:
        with turns.of("ns"):
            with guard:
                inside.append(number)
                most.append(len(inside))
            with turns.of(f"other-{number}"), guard:
                inside.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(200)))
    assert max(most) == 1
    assert len(turns) == 0


def test_who_has_waited_too_long_is_told_and_leaves_nothing_behind() -> None:
    turns = Turns(longest=0.01)
    with turns.of("ns"):
        with ThreadPoolExecutor(1) as threads, pytest.raises(Busy, match="namespace ns"):
            threads.submit(turns.of("ns").__enter__).result()
        assert len(turns) == 1
    assert len(turns) == 0


def test_a_turn_that_failed_is_given_back() -> None:
    turns = Turns(longest=0.01)
    with pytest.raises(ValueError, match="x"), turns.of("ns"):
        raise ValueError("x")
    with turns.of("ns"):
        assert len(turns) == 1
