"""Whatever dies, is lost or is done twice: no tick is submitted twice, and when all is well the next one comes."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cron.world import CronWorld
from tests.support.fake_apiserver import LOSE, REFUSE, Call, Fault, answer
from webhook.kube.resources import CRON_WORKFLOWS, WORKFLOWS


class _Story:
    """A world in which things happen; `others` are controllers that led before and think they still do."""

    def __init__(self, deadline: int | None, keep: int) -> None:
        self.world = CronWorld()
        spec: dict[str, Any] = {
            "successfulJobsHistoryLimit": keep,
            "failedJobsHistoryLimit": keep,
            "startingDeadlineSeconds": deadline,
        }
        self.world.apply("* * * * *", **spec)
        self.others = [self.world.leader]

    def die(self) -> None:
        self.others.append(self.world.new_leader())

    def meddle(self) -> None:
        for other in self.others:
            other.look_unheard()

    def go_wrong(self, verb: str, resource: str, fault: Fault) -> Callable[[], None]:
        def begin() -> None:
            def faults(call: Call) -> Fault | None:
                return fault if (call.verb, call.resource) == (verb, resource) else None

            self.world.front.faults = faults

        return begin

    def heal(self) -> None:
        self.world.front.faults = lambda _call: None

    def happenings(self) -> list[Callable[[], None]]:
        return [
            lambda: self.world.wait(3),
            lambda: self.world.wait(61),
            lambda: self.world.pass_away(75),
            self.die,
            self.meddle,
            self.world.end_all,
            self.heal,
            self.go_wrong("create", WORKFLOWS.plural, LOSE),
            self.go_wrong("create", WORKFLOWS.plural, REFUSE),
            self.go_wrong("create", WORKFLOWS.plural, answer(422, "no", "Invalid")),
            self.go_wrong("patch", CRON_WORKFLOWS.plural, REFUSE),
            self.go_wrong("patch", CRON_WORKFLOWS.plural, LOSE),
            self.go_wrong("get", CRON_WORKFLOWS.plural, answer(503, "away")),
        ]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([None, 0, 45, 600]), st.sampled_from([0, 3]), st.lists(st.integers(0, 12), max_size=14))
def test_no_tick_is_submitted_twice_and_the_next_one_comes(deadline: int | None, keep: int, story: list[int]) -> None:
    told = _Story(deadline, keep)
    happenings = told.happenings()
    for one in story:
        happenings[one]()
        told.world.leader.look()
    made = told.world.made()
    assert len(made) == len(set(made))
    told.heal()
    told.world.wait(125)
    after = told.world.made()
    assert len(after) == len(set(after))
    assert len(after) >= len(made) + 2
