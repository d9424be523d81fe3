"""Since when a target is away, in words that stay the same, and when that turns."""

from typing import Any, cast

from kubernetes.client import Configuration

from tests.support.fake_clock import FakeClock
from webhook.controller.targets import Targets
from webhook.errors import Missing
from webhook.kube.client import Cluster
from webhook.model.limits.controller import AWAY_GRACE


class _Registry:
    """One target that is there, one that can't be used, and any number that are not registered."""

    def __init__(self, clock: FakeClock) -> None:
        self.west = Cluster("west", Configuration(), clock=clock)
        self.unusable: str | None = "Secret north: its kubeconfig {can't} be read"

    def names(self) -> dict[str, str | None]:
        return {"west": self.west.health.away, **({"north": self.unusable} if self.unusable else {})}

    def get(self, name: str) -> Cluster:
        if name != "west":
            raise Missing("no client")
        return self.west


def _made() -> tuple[Targets, _Registry, FakeClock]:
    clock = FakeClock()
    registry = _Registry(clock)
    return Targets(cast("Any", registry), clock=clock, now=clock.now), registry, clock


def test_one_that_answers_is_not_away_and_nothing_is_away_of_no_target() -> None:
    targets, _, _ = _made()
    assert targets.away("west") is None
    assert targets.away(None) is None


def test_the_words_stay_the_same_however_long_it_lasts() -> None:
    targets, registry, clock = _made()
    for _ in range(2):
        registry.west.health.unanswered(clock())
    words = set()
    for _ in range(50):
        away = targets.away("west")
        assert away is not None
        words.add(away.words)
        clock.advance(100)
    assert words == {"target west has not answered since 2026-01-01T00:00:00Z"}


def test_one_that_is_not_registered_or_can_not_be_used_is_away_with_that_reason() -> None:
    targets, _, _ = _made()
    gone, north = targets.away("gone"), targets.away("north")
    assert gone is not None and gone.words == "target gone is not registered at this front door"
    assert north is not None and "its kubeconfig" in north.words


def test_it_turns_when_it_has_been_away_for_long_and_when_it_is_back_each_once() -> None:
    targets, registry, clock = _made()
    registry.unusable = None
    registry.west.health.unanswered(clock())
    registry.west.health.unanswered(clock())
    assert targets.turned() == {}
    clock.advance(AWAY_GRACE)
    turned = targets.turned()
    assert turned.keys() == {"west"} and turned["west"] is not None and turned["west"].long
    assert targets.turned() == {}
    registry.west.health.answered()
    assert targets.turned() == {"west": None}
    assert targets.turned() == {}


def test_one_that_is_back_before_it_was_away_for_long_turns_too() -> None:
    targets, registry, clock = _made()
    registry.unusable = None
    registry.west.health.unanswered(clock())
    registry.west.health.unanswered(clock())
    assert targets.turned() == {}
    registry.west.health.answered()
    assert targets.turned() == {"west": None}
