"""Which ticks are submitted: those that Argo would submit, each at most once, whatever dies."""

import datetime

import pytest

from tests.cron.world import CronWorld
from tests.support.fake_apiserver import LOSE, REFUSE, Call, Fault, answer
from webhook.kube.resources import CRON_WORKFLOWS, NAMESPACES, WORKFLOWS


@pytest.fixture
def world() -> CronWorld:
    return CronWorld()


def fail(world: CronWorld, fault: Fault, verb: str, resource: str = WORKFLOWS.plural, times: int = 10**6) -> None:
    """The next calls of this kind fail so."""
    left = [times]

    def faults(call: Call) -> Fault | None:
        if (call.verb, call.resource) != (verb, resource) or not left[0]:
            return None
        left[0] -= 1
        return fault

    world.front.faults = faults


def test_each_tick_becomes_one_workflow(world: CronWorld) -> None:
    world.apply("*/10 * * * *")
    world.wait(1900)
    assert world.made() == ["01-01 00:10:00", "01-01 00:20:00", "01-01 00:30:00"]


def test_several_schedules_tick_together(world: CronWorld) -> None:
    world.apply("0,30 * * * *", "@hourly", "15 * * * *")
    world.wait(3700)
    assert world.made() == ["01-01 00:15:00", "01-01 00:30:00", "01-01 01:00:00"]


def test_a_day_of_downtime_is_made_up_for_by_nothing(world: CronWorld) -> None:
    world.apply("* * * * *")
    world.wait(61)
    world.pass_away(24 * 3600 + 35)
    world.wait(30)
    assert world.made() == ["01-01 00:01:00", "01-02 00:02:00"]


def test_with_a_starting_deadline_it_is_made_up_for_by_the_last_tick_alone(world: CronWorld) -> None:
    world.apply("*/7 * * * *", startingDeadlineSeconds=400)
    world.wait(430)
    world.pass_away(24 * 3600)
    world.wait(1)
    assert world.made() == ["01-01 00:07:00", "01-02 00:07:00"]


def test_a_tick_missed_for_longer_than_the_starting_deadline_is_gone(world: CronWorld) -> None:
    world.apply("0 * * * *", startingDeadlineSeconds=60)
    world.wait(3610)
    world.pass_away(3600 + 55)
    world.wait(100)
    assert world.made() == ["01-01 01:00:00"]


def test_of_several_schedules_the_first_that_missed_one_makes_up_for_it(world: CronWorld) -> None:
    world.apply("10 * * * *", "0 * * * *", startingDeadlineSeconds=7200)
    world.wait(3610)
    world.pass_away(3600 - 10 + 1500)
    world.wait(1)
    assert world.made()[2:] == ["01-01 02:10:00"]


def test_what_never_ran_has_missed_nothing(world: CronWorld) -> None:
    world.apply("0 * * * *", startingDeadlineSeconds=7200)
    world.pass_away(3700)
    world.wait(60)
    assert world.made() == []


def test_a_new_schedule_has_missed_nothing(world: CronWorld) -> None:
    world.apply("0 * * * *", startingDeadlineSeconds=7200)
    world.wait(5400)
    world.apply("20 * * * *", startingDeadlineSeconds=7200)
    world.wait(10)
    world.apply("25 * * * *", startingDeadlineSeconds=7200)
    world.pass_away(10)
    world.wait(10)
    assert world.made() == ["01-01 01:00:00"]


def test_a_leader_that_follows_at_once_loses_no_tick(world: CronWorld) -> None:
    world.apply("*/10 * * * *")
    world.wait(595)
    world.pass_away(20)
    world.wait(1)
    assert world.made() == ["01-01 00:10:00"]


def test_nothing_ticks_from_before_it_was_made(world: CronWorld) -> None:
    world.clock.advance(605)
    world.apply("*/10 * * * *")
    world.wait(60)
    assert world.made() == []


def test_a_leader_that_died_before_it_wrote_the_status_has_submitted_the_tick(world: CronWorld) -> None:
    world.apply("0 * * * *", startingDeadlineSeconds=3000)
    world.wait(3590)
    fail(world, REFUSE, "patch", CRON_WORKFLOWS.plural)
    world.wait(15)
    world.front.faults = lambda _call: None
    assert "lastScheduledTime" not in world.status
    world.new_leader()
    world.wait(5)
    assert world.made() == ["01-01 01:00:00"]
    assert world.status["lastScheduledTime"] == "2026-01-01T01:00:00Z"
    assert [one["name"] for one in world.status["active"]] == ["cron-1767229200"]


def test_one_that_has_ended_meanwhile_is_counted_all_the_same(world: CronWorld) -> None:
    world.apply("0 * * * *")
    world.wait(3590)
    fail(world, REFUSE, "patch", CRON_WORKFLOWS.plural)
    world.wait(12)
    world.front.faults = lambda _call: None
    world.end_all("Failed")
    world.new_leader()
    world.wait(30)
    assert (world.status["failed"], world.status.get("active")) == (1, None)


def test_a_create_whose_answer_is_lost_is_found_done(world: CronWorld) -> None:
    world.apply("*/10 * * * *")
    world.wait(590)
    fail(world, LOSE, "create", times=1)
    world.wait(30)
    assert world.made() == ["01-01 00:10:00"]
    assert world.status["lastScheduledTime"] == "2026-01-01T00:10:00Z"
    assert world.condition is None


@pytest.mark.parametrize("deadline", [None, 300])
def test_one_that_is_gone_before_the_status_could_be_written_is_not_made_again(
    world: CronWorld, deadline: int | None
) -> None:
    world.apply("0 * * * *", startingDeadlineSeconds=deadline)
    world.wait(3595)
    fail(world, REFUSE, "patch", CRON_WORKFLOWS.plural)
    world.wait(7)
    world.front.remove(WORKFLOWS, "ns", "cron-1767229200")
    world.wait(2)
    world.front.faults = lambda _call: None
    world.wait(20)
    assert world.made() == ["01-01 01:00:00"]
    assert world.status["lastScheduledTime"] == "2026-01-01T01:00:00Z"


def test_one_that_is_gone_when_the_next_leader_comes_is_not_made_again(world: CronWorld) -> None:
    world.apply("0 * * * *", startingDeadlineSeconds=600)
    world.wait(3595)
    fail(world, REFUSE, "patch", CRON_WORKFLOWS.plural)
    world.wait(7)
    world.front.remove(WORKFLOWS, "ns", "cron-1767229200")
    world.front.faults = lambda _call: None
    world.pass_away(5)
    world.wait(20)
    assert world.made() == ["01-01 01:00:00"]
    assert world.status["lastScheduledTime"] == "2026-01-01T01:00:00Z"


def test_two_leaders_submit_a_tick_once(world: CronWorld) -> None:
    world.apply("* * * * *")
    first = world.leader
    second = world.new_leader()
    for _ in range(130):
        for one in (first, second):
            one.look()
        world.clock.advance(1)
    assert world.made() == ["01-01 00:01:00", "01-01 00:02:00"]


def test_a_leader_that_slept_past_another_ones_tick_submits_it_no_second_time(world: CronWorld) -> None:
    world.apply("*/10 * * * *", successfulJobsHistoryLimit=0)
    sleeper = world.leader
    sleeper.look()
    world.new_leader()
    world.wait(601)
    world.end_all()
    world.wait(5)
    assert world.front.all(WORKFLOWS, "ns") == []
    # It knows nothing of what happened; its watches have not told yet.
    sleeper.reconciler.reconcile("ns", "cron")
    assert world.made() == ["01-01 00:10:00"]


def test_every_goes_on_from_the_last_tick_whoever_leads(world: CronWorld) -> None:
    world.clock.advance(7)
    world.apply("@every 90s")
    world.wait(100)
    world.pass_away(40)
    world.wait(60)
    assert world.made() == ["01-01 00:01:37", "01-01 00:03:07"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-03-28T22:00:00+00:00", ["03-30 00:30:00"]),
        ("2026-10-24T22:00:00+00:00", ["10-25 00:30:00", "10-25 01:30:00"]),
    ],
)
def test_where_clocks_change_a_tick_is_left_out_or_comes_twice(when: str, expected: list[str]) -> None:
    world = CronWorld()
    world.clock.advance(datetime.datetime.fromisoformat(when).timestamp() - world.clock.time())
    world.apply("30 2 * * *", timezone="Europe/Berlin")
    world.wait(28 * 3600 if len(expected) == 1 else 4 * 3600, sweep=1800)
    assert world.made() == expected


def test_a_clock_set_back_submits_nothing_again(world: CronWorld) -> None:
    world.apply("* * * * *", startingDeadlineSeconds=600)
    world.wait(150)
    world.clock.skew = -120
    world.wait(100)
    assert world.made() == ["01-01 00:01:00", "01-01 00:02:00"]
    world.wait(60)
    assert len(world.made()) == 3


@pytest.mark.parametrize(
    "fault", [answer(503, "try again in 20 s"), answer(403, 'pods "x" is forbidden: exceeded quota: q'), REFUSE]
)
def test_what_is_refused_for_the_moment_is_tried_again(world: CronWorld, fault: Fault) -> None:
    world.apply("*/10 * * * *")
    world.wait(590)
    fail(world, fault, "create", times=5)
    world.wait(30)
    assert world.made() == ["01-01 00:10:00"]
    assert world.condition is None


def test_a_tick_that_waits_long_for_its_turn_in_the_work_queue_is_run_all_the_same(world: CronWorld) -> None:
    world.apply("*/10 * * * *")
    world.wait(590)
    world.clock.advance(90)
    world.wait(5)
    assert world.made() == ["01-01 00:10:00"]


def test_a_tick_that_waits_long_for_its_turn_and_is_refused_then_is_given_up_and_said(world: CronWorld) -> None:
    world.apply("*/10 * * * *")
    world.wait(590)
    world.clock.advance(90)
    fail(world, answer(503, "Medea is away"), "create")
    world.wait(30)
    assert (world.condition or ("",))[0] == "SubmissionError"


def test_after_a_while_it_is_given_up_and_said(world: CronWorld) -> None:
    world.apply("*/10 * * * *")
    world.wait(590)
    fail(world, answer(503, "Medea is away"), "create")
    world.wait(60)
    kind, words = world.condition or ("", "")
    assert (kind, world.status["failed"]) == ("SubmissionError", 1)
    assert "Failed to submit Workflow" in words
    assert "Medea is away" in words
    world.front.faults = lambda _call: None
    world.wait(600)
    assert world.made() == ["01-01 00:20:00"]
    assert world.condition is None


def test_what_is_refused_for_good_is_not_tried_again(world: CronWorld) -> None:
    world.apply("*/10 * * * *", startingDeadlineSeconds=300)
    world.wait(590)
    fail(world, answer(422, "nothing fits", "Invalid"), "create")
    world.wait(100)
    assert world.condition == ("SubmissionError", "Failed to submit Workflow: nothing fits")
    assert world.status["failed"] == 1
    assert len([call for call in world.front.calls if call.verb == "create"]) == 1


def test_a_name_that_is_somebody_elses_is_left_to_them(world: CronWorld) -> None:
    world.apply("0 * * * *")
    world.front.put(WORKFLOWS, {"metadata": {"name": "cron-1767229200", "namespace": "ns"}, "spec": {}})
    world.wait(3700)
    kind, words = world.condition or ("", "")
    assert kind == "SubmissionError"
    assert "already exists" in words
    assert "lastScheduledTime" not in world.status


@pytest.mark.parametrize(
    "labels", [{"medea.dev/hold": "plugin"}, {"medea.dev/enabled": "false"}, {"medea.dev/hold": "?"}]
)
def test_elsewhere_it_does_nothing(labels: dict[str, str]) -> None:
    world = CronWorld(**labels)
    world.apply("* * * * *")
    world.wait(130)
    assert world.made() == []
    assert world.status == {}


def test_it_begins_and_ends_with_the_hold(world: CronWorld) -> None:
    world.apply("* * * * *")
    world.wait(61)
    world.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": {"medea.dev/hold": "plugin"}}})
    world.wait(155)
    world.front.change(NAMESPACES, None, "ns", {"metadata": {"labels": {"medea.dev/hold": "none"}}})
    world.wait(40)
    assert world.made() == ["01-01 00:01:00", "01-01 00:04:00"]


def test_one_that_is_being_deleted_ticks_no_more(world: CronWorld) -> None:
    world.apply("* * * * *", metadata={"finalizers": ["keep"]})
    world.wait(61)
    world.front.remove(CRON_WORKFLOWS, "ns", "cron")
    world.wait(120)
    assert len(world.made()) == 1


def test_one_made_anew_under_the_same_name_begins_anew(world: CronWorld) -> None:
    world.apply("*/10 * * * *")
    world.wait(650)
    world.front.remove(CRON_WORKFLOWS, "ns", "cron")
    world.apply("*/20 * * * *")
    world.wait(600)
    assert world.made() == ["01-01 00:10:00", "01-01 00:20:00"]
    assert len(world.status["active"]) == 1


@pytest.mark.parametrize("change", [{"schedules": ["5 * * * *"]}, {}])
def test_while_the_watch_tells_nothing_it_neither_asks_again_and_again_nor_submits_twice(
    world: CronWorld, change: dict[str, list[str]]
) -> None:
    world.apply("* * * * *", startingDeadlineSeconds=600)
    world.wait(65)
    world.clock.advance(60)
    world.front.change(CRON_WORKFLOWS, "ns", "cron", {"spec": change})
    calls = len(world.front.calls)
    first, *later = [world.leader.look_unheard() for _ in range(4)]
    assert first == 0.0
    assert 0.0 not in later
    assert len(world.made()) == (1 if change else 2)
    assert len(world.front.calls) - calls < 8


def test_what_can_not_be_removed_stops_no_tick(world: CronWorld) -> None:
    world.apply("* * * * *", successfulJobsHistoryLimit=0)
    fail(world, answer(403, "not this one"), "delete")
    for _ in range(3):
        world.wait(60.5)
        world.end_all()
    assert len(world.made()) == 3
