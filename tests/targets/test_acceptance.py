"""A target takes work only from the namespaces whose administrators there said so."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.support.fake_apiserver import REFUSE, Call
from tests.targets.house import House
from webhook.model.limits.targets import ACCEPTED_TRUSTED, FIRST_ASKED_AT_ONCE, REFUSED_TRUSTED
from webhook.targets.acceptance import Acceptance


def accepting(*namespaces: str) -> Callable[[Any], bool]:
    wanted = ("create", "argoproj.io", "workflows")

    def allowed(spec: Any) -> bool:
        asked = spec["resourceAttributes"]
        return (asked["verb"], asked["group"], asked["resource"]) == wanted and asked["namespace"] in namespaces

    return allowed


class Asked:
    """An acceptance that asks when it is told to."""

    def __init__(self, *namespaces: str) -> None:
        self.house = House("west", "east")
        self.house.targets["west"].allowed = accepting("a")
        self.namespaces = list(namespaces)
        self.acceptance = Acceptance(self.house.registry, clock=self.house.clock)
        self.acceptance.narrow_to(lambda: self.namespaces)

    def turn(self, target: str = "west") -> None:
        self.acceptance.turn(target, self.house.registry.get(target))

    def reviews(self) -> list[Call]:
        return [call for call in self.house.targets["west"].calls if call.resource == "selfsubjectaccessreviews"]


def test_a_namespace_without_a_binding_is_left_out_with_the_command_that_changes_it() -> None:
    asked = Asked("a", "b")
    asked.turn()
    assert asked.acceptance.refusal("a", "west") is None
    assert asked.acceptance.refusal("b", "west") == (
        "does not accept work from namespace b: `medea target add west --namespaces b`"
    )


def test_nobody_waits_for_an_answer_that_is_not_there_yet() -> None:
    asked = Asked("b")
    assert asked.acceptance.refusal("b", "west") is None
    assert asked.reviews() == []


def test_a_binding_is_noticed_soon_and_that_it_is_gone_later() -> None:
    asked = Asked("a", "b")
    asked.turn()
    asked.house.targets["west"].allowed = accepting("b")
    asked.house.clock.advance(REFUSED_TRUSTED + 1)
    asked.turn()
    assert asked.acceptance.refusal("b", "west") is None
    assert asked.acceptance.refusal("a", "west") is None
    asked.house.clock.advance(ACCEPTED_TRUSTED + 1)
    asked.turn()
    assert asked.acceptance.refusal("a", "west") is not None


def test_an_answer_that_is_fresh_is_not_asked_for_again() -> None:
    asked = Asked("a", "b")
    asked.turn()
    asked.turn()
    assert len(asked.reviews()) == 2


def test_a_refusal_of_the_target_itself_counts_at_once() -> None:
    asked = Asked("a")
    asked.turn()
    asked.acceptance.refused("a", "west")
    assert asked.acceptance.refusal("a", "west") is not None


def test_many_namespaces_are_asked_about_in_several_turns() -> None:
    asked = Asked(*(f"ns-{number:03}" for number in range(FIRST_ASKED_AT_ONCE + 5)))
    asked.turn()
    assert len(asked.reviews()) == FIRST_ASKED_AT_ONCE
    asked.turn()
    assert len(asked.reviews()) == FIRST_ASKED_AT_ONCE + 5


def test_a_target_that_is_away_keeps_its_last_answers() -> None:
    asked = Asked("b")
    asked.turn()
    asked.house.targets["west"].faults = lambda _call: REFUSE
    asked.house.clock.advance(REFUSED_TRUSTED + 1)
    asked.turn()
    asked.turn()
    assert asked.acceptance.refusal("b", "west") is not None
    for _ in range(2):
        asked.house.registry.get("west").probe()
    calls = len(asked.house.targets["west"].calls)
    asked.turn()
    assert len(asked.house.targets["west"].calls) == calls


def test_a_namespace_that_opted_out_is_forgotten() -> None:
    asked = Asked("b")
    asked.turn()
    asked.namespaces.clear()
    asked.turn()
    asked.namespaces.append("b")
    assert asked.acceptance.refusal("b", "west") is None


def test_a_drained_target_is_left_out_for_all_namespaces_until_it_is_undrained() -> None:
    asked = Asked("a")
    asked.turn()
    client = asked.house.registry.get("west")
    asked.house.register("west", **{"medea.dev/drain": "true"})
    assert asked.acceptance.refusal("a", "west") == "is being drained; `medea target undrain west` ends that"
    assert asked.acceptance.refusal("a", "east") is None
    assert asked.house.registry.get("west") is client
    asked.house.register("west")
    assert asked.acceptance.refusal("a", "west") is None


def _note(heard: threading.Event, _: Call) -> None:
    heard.set()


def test_every_target_is_asked_by_a_thread_of_its_own() -> None:
    asked = Asked("a")
    heard = {name: threading.Event() for name in asked.house.targets}
    for name, target in asked.house.targets.items():
        target.after = partial(_note, heard[name])
    asked.acceptance.start()
    try:
        assert all(event.wait(60) for event in heard.values())
    finally:
        asked.acceptance.stop()
