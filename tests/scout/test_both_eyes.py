"""Prometheus first; the target's own apiserver where there is no sample, an old one, or one of something else."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from webhook.scout.both_eyes import BothEyes, chosen
from webhook.scout.eye import Namespaces
from webhook.scout.model import Snapshot, Source
from webhook.totals.model import GIB, NOTHING, Totals

NOW = 1000.0
SAMPLE = Snapshot("west", "ns", NOW - 5, Totals(10_000, GIB), NOTHING, good_for=15)
LIVE = replace(SAMPLE, sampled_at=NOW, source=Source.APISERVER)
OLD = replace(SAMPLE, sampled_at=NOW - 16)


def believed(sample: Snapshot | None, live: Snapshot | None, *, sees: bool = True) -> Snapshot | None:
    return chosen(sample, live, sees=sees, now=NOW)[0]


def test_a_fresh_sample_of_prometheus_comes_first() -> None:
    assert believed(SAMPLE, LIVE) is SAMPLE
    assert believed(SAMPLE, None, sees=False) is SAMPLE


def test_without_a_sample_the_apiserver_is_asked() -> None:
    assert believed(None, LIVE) is LIVE
    assert believed(None, None) is None


def test_an_old_sample_gives_way_to_anything_newer() -> None:
    assert believed(OLD, LIVE) is LIVE
    assert believed(OLD, None, sees=False) is OLD
    older = replace(LIVE, sampled_at=NOW - 60)
    assert believed(OLD, older, sees=False) is OLD


@pytest.mark.parametrize("hard", [Totals(9000, GIB), Totals(10_000, 2 * GIB)])
def test_a_sample_with_other_limits_than_the_targets_own_is_not_believed(hard: Totals) -> None:
    other = replace(LIVE, hard=hard)
    assert believed(SAMPLE, other) is other
    assert believed(SAMPLE, other, sees=False) is SAMPLE


def test_a_sample_of_a_quota_that_the_target_does_not_have_is_not_believed() -> None:
    assert believed(SAMPLE, None, sees=True) is None


class Eye:
    """Sees what it is given."""

    def __init__(self, *seen: Snapshot) -> None:
        self.seen: Mapping[str, Snapshot] = {one.cluster: one for one in seen}
        self.waits, self.complete = list[float](), True
        self.started = False

    def narrow_to(self, namespaces: Namespaces) -> None:
        pass

    def on_read(self, listener: Callable[[], None]) -> None:
        pass

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.started = False

    def of_namespace(self, _: str) -> Mapping[str, Snapshot]:
        return self.seen

    def wait_for(self, _: str, seconds: float) -> bool:
        self.waits.append(seconds)
        return self.complete

    def blind(self, cluster: str) -> str | None:
        return f"{cluster} is not seen"

    def sees(self, cluster: str) -> bool:
        return cluster in self.seen


def test_each_target_is_seen_by_the_better_eye_and_the_same_object_is_given_until_something_changes() -> None:
    east = replace(LIVE, cluster="east")
    prometheus, watch = Eye(SAMPLE), Eye(LIVE, east)
    eyes = BothEyes(prometheus, watch, clock=lambda: NOW)
    seen = eyes.of_namespace("ns")
    assert seen == {"west": SAMPLE, "east": east}
    # Made anew, as it is every second: nothing of it is used.
    watch.seen = {"west": replace(LIVE), "east": east}
    assert eyes.of_namespace("ns") is seen
    watch.seen = {"west": LIVE, "east": replace(east, used=Totals(1, 1))}
    assert eyes.of_namespace("ns")["east"].used == Totals(1, 1)


def test_whether_a_namespace_is_covered_is_said_by_whichever_has_looked() -> None:
    prometheus, watch = Eye(), Eye()
    eyes = BothEyes(prometheus, watch)
    assert eyes.wait_for("ns", 2.0)
    assert (watch.waits, prometheus.waits) == ([2.0], [])
    watch.complete = False
    assert eyes.wait_for("ns", 2.0)
    prometheus.complete = False
    assert not eyes.wait_for("ns", 2.0)
    assert eyes.blind("west") == "west is not seen"


def test_both_start_and_stop_together() -> None:
    prometheus, watch = Eye(), Eye()
    eyes = BothEyes(prometheus, watch)
    eyes.start()
    assert prometheus.started and watch.started
    eyes.stop()
    assert not prometheus.started and not watch.started
