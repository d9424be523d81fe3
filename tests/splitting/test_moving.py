"""Chunks go elsewhere only where their target is away or they are far slower than the others, and not for ever."""

import pytest

from webhook.errors import Refused
from webhook.splitting.moving import Pace, Policy, policy_of, to_move

ENDED = [Pace(1, "west", 10, 100.0, True), Pace(2, "west", 10, 120.0, True)]


def test_a_chunk_on_a_target_that_is_away_is_taken_from_it() -> None:
    paces = [Pace(1, "west", 10, 5.0, False), Pace(2, "east", 10, 5.0, False)]
    assert to_move(paces, {"east"}) == [2]


def test_a_chunk_is_slow_beside_those_that_have_ended() -> None:
    assert to_move([*ENDED, Pace(3, "east", 10, 329.0, False)], ()) == []
    assert to_move([*ENDED, Pace(3, "east", 10, 331.0, False)], ()) == [3]
    assert to_move([ENDED[0], Pace(3, "east", 10, 9999.0, False)], ()) == []


def test_short_ones_are_never_slow() -> None:
    quick = [Pace(1, "west", 10, 0.1, True), Pace(2, "west", 10, 0.1, True)]
    assert to_move([*quick, Pace(3, "east", 10, 59.0, False)], ()) == []


def test_the_same_items_are_moved_a_few_times_at_most() -> None:
    assert to_move([Pace(1, "west", 10, 5.0, False, moves=3)], {"west"}) == []


def test_a_namespace_says_whether_chunks_move() -> None:
    assert (policy_of(None), policy_of("stay"), policy_of("move")) == (Policy.STAY, Policy.STAY, Policy.MOVE)
    with pytest.raises(Refused, match=r"^label medea\.dev/chunks is 'never'"):
        policy_of("never")
