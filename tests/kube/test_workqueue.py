"""The queue of placements to look at: nothing is lost, nothing is worked on twice at once, no failure is a storm."""

import threading
from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from webhook.kube.workqueue import WorkQueue


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def work(clock: Clock) -> WorkQueue:
    return WorkQueue(lane_limit=2, clock=clock)


def everything(work: WorkQueue) -> list[str]:
    """What may be handed out now, in order; nothing of it is done."""
    found = []
    while (key := work.get(wait=False)) is not None:
        found.append(key)
    return found


def fail(work: WorkQueue, key: str) -> None:
    assert work.get(wait=False) == key
    work.add_rate_limited(key)
    work.done(key)


def tries(work: WorkQueue, clock: Clock, seconds: float, *, step: float = 0.1) -> int:
    """How often keys are handed out within so many seconds if each try fails."""
    count, end = 0, clock.now + seconds
    while clock.now < end:
        while (key := work.get(wait=False)) is not None:
            count += 1
            work.add_rate_limited(key)
            work.done(key)
        clock.now += step
    return count


def test_a_key_waits_at_most_once(work: WorkQueue) -> None:
    work.add("a")
    work.add("a")
    assert everything(work) == ["a"]
    work.done("a")
    assert len(work) == 0


def test_a_key_that_changes_while_it_is_worked_on_comes_back_after_that_and_not_before(work: WorkQueue) -> None:
    work.add("a")
    assert work.get() == "a"
    work.add("a")
    work.add("b")
    assert everything(work) == ["b"]
    work.done("a")
    assert everything(work) == ["a"]


def test_one_failure_of_a_kind_that_is_put_off_for_long_comes_back_soon_however_often_others_came_before(
    work: WorkQueue, clock: Clock
) -> None:
    """An apiserver that was away for a while refuses everything in its first moments."""
    for _ in range(50):
        work.add_rate_limited("a", longest=5.0)
        clock.now += 10.0
        assert work.get(wait=False) == "a"
        work.done("a")
    work.add_rate_limited("a", longest=60.0)
    clock.now += 15.0
    assert work.get(wait=False) == "a"


def test_a_key_that_fails_comes_back_ever_later_but_within_six_seconds(work: WorkQueue, clock: Clock) -> None:
    work.add("a")
    pauses = []
    for _ in range(8):
        fail(work, "a")
        began = clock.now
        while work.get(wait=False) is None:
            clock.now += 0.01
        pauses.append(clock.now - began)
        work.done("a")
        work.add("a")
    assert 0.2 <= pauses[0] < 0.3
    assert pauses[:4] == sorted(pauses[:4])
    assert all(5 <= pause <= 6.1 for pause in pauses[5:])


def test_a_key_may_fail_a_million_times(work: WorkQueue, clock: Clock) -> None:
    for _ in range(5000):
        work.add("a")
        fail(work, "a")
        clock.now += 10
        assert work.get(wait=False) == "a"
        work.done("a")
    work.forget("a")
    work.add("a")
    fail(work, "a")
    clock.now += 0.25
    assert everything(work) == ["a"]


def test_an_hour_of_sweeps_does_not_hasten_a_key_that_fails(work: WorkQueue, clock: Clock) -> None:
    work.add("a")
    tries(work, clock, 60)
    alone = tries(work, clock, 30)
    for _ in range(120):
        work.add("a", sweep=True)
        assert tries(work, clock, 30) <= alone + 1
    assert len(work) == 1


def test_a_sweep_while_a_key_is_worked_on_does_not_hasten_it_either(work: WorkQueue) -> None:
    work.add("a")
    assert work.get() == "a"
    work.add("a", sweep=True)
    work.add_rate_limited("a")
    work.done("a")
    assert everything(work) == []


def test_news_make_a_failed_key_ready_at_once_and_leave_no_second_time_behind(work: WorkQueue, clock: Clock) -> None:
    work.add("a")
    fail(work, "a")
    work.add("a")
    assert everything(work) == ["a"]
    work.done("a")
    clock.now += 60
    assert everything(work) == []


def test_news_during_work_that_fails_are_looked_at_at_once(work: WorkQueue) -> None:
    work.add("a")
    assert work.get() == "a"
    work.add("a")
    work.add_rate_limited("a")
    work.done("a")
    assert everything(work) == ["a"]


def test_of_two_times_for_one_key_the_earlier_wins(work: WorkQueue, clock: Clock) -> None:
    work.add_after("a", 5)
    work.add_after("a", 1)
    work.add_after("a", 3)
    assert len(work) == 1
    clock.now += 0.9
    assert everything(work) == []
    clock.now += 0.1
    assert everything(work) == ["a"]
    work.done("a")
    clock.now += 60
    assert everything(work) == []


def test_a_time_that_comes_while_the_key_is_worked_on_is_not_lost(work: WorkQueue, clock: Clock) -> None:
    work.add("a")
    assert work.get() == "a"
    work.add_after("a", 1)
    clock.now += 2
    assert everything(work) == []
    work.done("a")
    assert everything(work) == ["a"]


def test_many_times_that_were_replaced_leave_nothing_behind(work: WorkQueue, clock: Clock) -> None:
    for _ in range(2000):
        work.add_after("a", 3600)
        work.add_after("a", 0)
        assert work.get(wait=False) == "a"
        work.done("a")
        clock.now += 0.01
    assert len(work._later) < 100


def test_what_a_sweep_adds_stands_behind_all_that_is_fresh(work: WorkQueue) -> None:
    for number in range(1000):
        work.add(f"old-{number}", sweep=True)
    work.add("new")
    work.add("old-999")
    assert everything(work)[:3] == ["new", "old-999", "old-0"]


def test_a_sweep_does_not_put_fresh_news_back(work: WorkQueue) -> None:
    work.add("a", sweep=True)
    work.add("b")
    work.add("b", sweep=True)
    assert everything(work) == ["b", "a"]


def test_a_lane_takes_no_more_threads_than_its_limit_and_the_others_go_on(work: WorkQueue) -> None:
    for number in range(100):
        work.add(f"west-{number}", lane="west")
    work.add("east-0", lane="east")
    for number in range(5):
        work.add(f"none-{number}")
    handed = everything(work)
    assert sum(key.startswith("west") for key in handed) == 2
    assert {"east-0", *(f"none-{number}" for number in range(5))} <= set(handed)
    work.done("west-0")
    assert everything(work) == ["west-2"]


def test_lanes_are_served_in_turn(work: WorkQueue) -> None:
    for number in range(3):
        work.add(f"west-{number}", lane="west")
    work.add("east", lane="east")
    work.add("north", lane="north")
    assert everything(work) == ["west-0", "east", "north", "west-1"]


@pytest.fixture
def four(clock: Clock) -> WorkQueue:
    """A queue whose lanes have room for four."""
    return WorkQueue(lane_limit=4, clock=clock)


def test_one_share_of_a_lane_leaves_some_of_it_to_the_others(four: WorkQueue) -> None:
    for number in range(9):
        four.add(f"hangs-{number}", lane="west", share="hangs")
    assert everything(four) == ["hangs-0", "hangs-1", "hangs-2"]
    for number in range(3):
        four.add(f"goes-{number}", lane="west", share="goes", sweep=True)
        assert everything(four) == [f"goes-{number}"]
        four.done(f"goes-{number}")
    four.done("hangs-1")
    assert everything(four) == ["hangs-3"]


def test_the_shares_of_a_lane_are_served_in_turn_and_another_lane_has_its_own(four: WorkQueue) -> None:
    for number in range(4):
        four.add(f"a-{number}", lane="west", share="a")
    four.add("b", lane="west", share="b")
    four.add("none", lane="west")
    four.add("east", lane="east", share="a")
    assert everything(four) == ["a-0", "east", "b", "none", "a-1"]
    four.add("a-9", share="a")
    assert everything(four) == ["a-9"]


def test_a_full_lane_does_not_keep_the_sweep_of_others_waiting(work: WorkQueue) -> None:
    for number in range(3):
        work.add(f"west-{number}", lane="west")
    work.add("east", lane="east", sweep=True)
    assert "east" in everything(work)


def test_a_key_moves_to_the_lane_given_last_and_stays_in_it_when_it_fails(work: WorkQueue, clock: Clock) -> None:
    for number in range(3):
        work.add(f"west-{number}", lane="west")
    work.add("west-2", lane="east")
    assert set(everything(work)) == {"west-0", "west-1", "west-2"}
    work.add_rate_limited("west-2")
    work.done("west-2")
    work.add("east-0", lane="east")
    work.add("east-1", lane="east")
    assert everything(work) == ["east-0", "east-1"]
    clock.now += 1
    assert everything(work) == []
    work.done("east-0")
    assert everything(work) == ["west-2"]


def test_shutting_down_wakes_those_who_wait() -> None:
    work = WorkQueue(lane_limit=1)
    got: list[str | None] = ["nothing yet"]
    waiting = threading.Thread(target=lambda: got.append(work.get()))
    waiting.start()
    work.shut_down()
    waiting.join(60)
    assert got[-1] is None
    work.add("a")
    assert work.get() is None


def test_a_time_is_kept_although_the_thread_that_watched_the_clock_is_busy() -> None:
    work = WorkQueue(lane_limit=1)
    got: list[str | None] = []
    first, second = (threading.Thread(target=lambda: got.append(work.get()), daemon=True) for _ in range(2))
    first.start()
    second.start()
    work.add_after("late", 0.3)
    work.add("now")
    first.join(60)
    second.join(60)
    # On a busy machine the time may have come before the other was added.
    assert sorted(map(str, got)) == ["late", "now"]


def test_a_time_further_off_than_a_thread_can_wait_ends_no_thread() -> None:
    work = WorkQueue(lane_limit=1)
    work.add_after("in ten thousand years", 3e11)
    news = threading.Timer(0.1, work.add, ["now"])
    news.start()
    assert work.get() == "now"
    news.join(60)


def test_many_threads_never_work_on_one_key_at_once() -> None:
    work, busy, clashes, looked = WorkQueue(lane_limit=2), set[str](), list[str](), list[str]()
    lock = threading.Lock()

    def worker() -> None:
        while (key := work.get()) is not None:
            with lock:
                clashes.extend([key] if key in busy else [])
                busy.add(key)
            looked.append(key)
            with lock:
                busy.discard(key)
            work.done(key)

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        work.add(f"key-{number % 7}", lane=f"lane-{number % 2}")
    while len(work):
        threading.Event().wait(0.01)
    work.shut_down()
    for thread in threads:
        thread.join(60)
    assert clashes == []
    assert {f"key-{number}" for number in range(7)} == set(looked)


KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
LANES = st.sampled_from(["", "west", "east"])
SHARES = st.sampled_from(["", "one", "two"])


class AnyOrder(RuleBasedStateMachine):
    """Whatever is done in whatever order: nothing that was added is lost, and no limit is passed."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.work = WorkQueue(lane_limit=2, clock=self.clock)
        self.owed: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.lanes: dict[str, tuple[str, str]] = {}
        self.busy: dict[str, tuple[str, str]] = {}

    @rule(key=KEYS, lane=LANES, share=SHARES, sweep=st.booleans())
    def add(self, key: str, lane: str, share: str, sweep: bool) -> None:
        self.work.add(key, lane=lane, share=share, sweep=sweep)
        self.owed.add(key)
        self.asked[key] += 1
        self.lanes[key] = lane, share

    @rule(key=KEYS, lane=LANES, share=SHARES, delay=st.floats(0, 20))
    def add_after(self, key: str, lane: str, share: str, delay: float) -> None:
        self.work.add_after(key, delay, lane=lane, share=share)
        self.owed.add(key)
        self.asked[key] += 1
        self.lanes[key] = lane, share

    @rule()
    def get(self) -> None:
        key = self.work.get(wait=False)
        if key is not None:
            assert self.asked[key] > 0
            assert key not in self.busy
            self.asked[key] -= 1
            self.owed.discard(key)
            self.busy[key] = self.lanes[key]

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), well=st.booleans())
    def done(self, data: st.DataObject, well: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.busy)))
        if well:
            self.work.forget(key)
        else:
            self.work.add_rate_limited(key)
            self.owed.add(key)
            self.asked[key] += 1
        del self.busy[key]
        self.work.done(key)

    @rule(seconds=st.floats(0, 10))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def no_lane_and_no_share_has_more_than_its_limit(self) -> None:
        lanes = Counter(lane for lane, _ in self.busy.values() if lane)
        shares = Counter((lane, share) for lane, share in self.busy.values() if lane and share)
        assert all(count <= 2 for count in lanes.values())
        assert all(count <= 1 for count in shares.values())

    def teardown(self) -> None:
        for key in list(self.busy):
            self.work.done(key)
        self.clock.now += 30
        while (ready := self.work.get(wait=False)) is not None:
            self.owed.discard(ready)
            self.work.done(ready)
        assert self.owed == set()
        self.clock.now += 30
        while (ready := self.work.get(wait=False)) is not None:
            self.work.done(ready)
        assert len(self.work) == 0


TestAnyOrder = AnyOrder.TestCase
