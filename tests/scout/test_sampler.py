"""What the scout knows when Prometheus answers, and when it doesn't."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.prometheus import Prometheus, listening
from webhook.errors import SamplesUnavailable
from webhook.scout.sampler import Sampler
from webhook.scout.steady import steady_time

_LABELS = {"cluster": "west", "namespace": "ns", "resourcequota": "q", "resource": "limits.cpu"}


def answer(used: str, at: float, *, age: float = 0) -> tuple[int, bytes]:
    """Prometheus' answer for one quota of ten cores, given at that time by its own clock."""
    series = [
        {"metric": {**_LABELS, "fact": "hard"}, "value": [at, "10"]},
        {"metric": {**_LABELS, "fact": "used"}, "value": [at, used]},
        {"metric": {"cluster": "west", "namespace": "ns", "fact": "time"}, "value": [at, str(at - age)]},
    ]
    return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}}).encode()


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    """One that knows of two cores in use."""
    with listening() as made:
        made.answer = answer("2", 1000.0)
        yield made


def test_a_read_is_known_by_namespace_and_tells_its_listeners(prometheus: Prometheus) -> None:
    sampler, told = Sampler(url=prometheus.url, interval=60, clock=lambda: 1000.0), list[bool]()
    sampler.on_read(lambda: told.append(True))
    sampler.read()
    assert sampler.of_namespace("ns")["west"].used.cpu_milli == 2000
    assert sampler.of_namespace("other") == {}
    assert told == [True]


@pytest.mark.parametrize(
    "broken",
    [
        (503, b"starting"),
        (200, b"<html>"),
        (200, b"{}"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"NaN"),
        (200, b"["),
        (200, b"[" * 100_000),
        (200, b'{"data": []}'),
        (200, b'{"data": {"result": null}}'),
        (200, b'{"data": {"result": [[]]}}'),
        (200, b'{"data": {"result": ["text"]}}'),
        (200, b'{"data": {"result": [{"metric": {}}]}}'),
        (200, b'{"data": {"result": [{"metric": [], "value": [1, "1"]}]}}'),
        (200, b'{"data": {"result": [{"metric": {"cluster": []}, "value": [1, "1"]}]}}'),
        (200, b'{"data": {"result": [{"metric": {}, "value": "1"}]}}'),
        (200, b'{"data": {"result": [{"metric": {}, "value": [1, {}]}]}}'),
        (200, b'{"data": {"result": [{"metric": {}, "value": []}]}}'),
        (200, b'{"data": {"resultType": "scalar", "result": [1, "1"]}}'),
        (204, b""),
    ],
)
def test_what_was_known_stays_known_and_ages_when_prometheus_fails(
    prometheus: Prometheus, broken: tuple[int, bytes]
) -> None:
    sampler = Sampler(url=prometheus.url, interval=60, clock=lambda: 1000.0)
    sampler.read()
    prometheus.answer = broken
    with pytest.raises(SamplesUnavailable):
        sampler.read()
    assert sampler.of_namespace("ns")["west"].sampled_at == 1000.0


def test_a_target_that_prometheus_no_longer_shows_is_forgotten_only_after_an_hour(prometheus: Prometheus) -> None:
    now = [1000.0]
    sampler = Sampler(url=prometheus.url, interval=60, clock=lambda: now[0])
    sampler.read()
    prometheus.answer = (200, b'{"data": {"result": []}}')
    now[0] += 3500
    sampler.read()
    assert "west" in sampler.of_namespace("ns")
    now[0] += 200
    sampler.read()
    assert sampler.of_namespace("ns") == {}


def test_a_prometheus_that_does_not_listen_is_said_to_be_away() -> None:
    with pytest.raises(SamplesUnavailable, match="did not answer"):
        Sampler(url="http://127.0.0.1:1", interval=60).read()


@pytest.mark.parametrize("theirs", [10.0, 1000.0, 9999.0])
def test_how_old_a_sample_is_says_the_clock_of_prometheus_and_it_grows_older_by_our_own(
    prometheus: Prometheus, theirs: float
) -> None:
    now = [1000.0]
    sampler = Sampler(url=prometheus.url, interval=60, clock=lambda: now[0])
    for age in (0, 7, 90):
        prometheus.answer = answer("2", theirs + age, age=age)
        now[0] = 1000.0 + age
        sampler.read()
        assert sampler.of_namespace("ns")["west"].sampled_at == 1000.0


def test_what_a_slow_answer_says_is_as_old_as_the_question(
    prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    sampler = Sampler(url=prometheus.url, interval=60, clock=lambda: now[0])
    ask = sampler._prometheus.custom_query

    def slowly(query: str) -> Any:
        now[0] += 8
        return ask(query)

    monkeypatch.setattr(sampler._prometheus, "custom_query", slowly)
    sampler.read()
    west = sampler.of_namespace("ns")["west"]
    assert (west.sampled_at, west.slack) == (1000.0, 8.0)


def test_a_clock_that_is_set_back_or_ahead_makes_no_sample_younger_or_older(monkeypatch: pytest.MonkeyPatch) -> None:
    before = steady_time()
    for moved in (-3600.0, 3600.0):
        monkeypatch.setattr("time.time", lambda moved=moved: before + moved)
        assert 0 <= steady_time() - before < 3000


def test_only_namespaces_of_interest_are_read_and_those_that_somebody_has_looked_at_lately(
    prometheus: Prometheus,
) -> None:
    now, opted_in = [1000.0], list[list[str] | None]([None])
    sampler = Sampler(url=prometheus.url, interval=60, clock=lambda: now[0])
    sampler.narrow_to(lambda: opted_in[0])
    sampler.read()
    assert "namespace=~" not in prometheus.asked[-1]
    assert sampler.covers("other")
    opted_in[0] = ["team-a"]
    sampler.read()
    assert 'namespace=~"team-a"' in prometheus.asked[-1]
    assert not sampler.covers("other")
    sampler.of_namespace("other")
    sampler.read()
    assert 'namespace=~"other|team-a"' in prometheus.asked[-1]
    assert sampler.covers("other")
    now[0] += 3601
    opted_in[0] = None
    sampler.read()
    assert 'namespace=~"team-a"' in prometheus.asked[-1]


def test_a_namespace_that_was_not_read_yet_is_read_at_once(prometheus: Prometheus) -> None:
    sampler, reads = Sampler(url=prometheus.url, interval=600), threading.Semaphore(0)
    sampler.narrow_to(lambda: [])
    sampler.on_read(reads.release)
    sampler.start()
    assert reads.acquire(timeout=60)
    sampler.of_namespace("ns")
    assert reads.acquire(timeout=60)
    assert sampler.covers("ns")
    sampler.stop()


def test_whoever_asks_about_a_namespace_for_the_first_time_may_wait_for_its_quotas(prometheus: Prometheus) -> None:
    sampler = Sampler(url=prometheus.url, interval=600)
    sampler.narrow_to(lambda: [])
    sampler.read()
    assert not sampler.wait_for("ns", 0)
    sampler.start()
    assert sampler.wait_for("ns", 20)
    sampler.stop()


def test_what_nobody_thought_of_ends_neither_the_thread_nor_the_other_listeners(
    prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler, told = Sampler(url=prometheus.url, interval=60), list[bool]()

    def fails() -> None:
        raise ArithmeticError

    sampler.on_read(fails)
    sampler.on_read(lambda: told.append(True))
    sampler.turn()
    assert told == [True]
    monkeypatch.setattr(sampler, "_namespaces", fails)
    assert sampler.turn()[1] == 60


def test_where_an_answer_takes_long_it_is_asked_for_less_often(
    prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 4.0])
    sampler = Sampler(url=prometheus.url, interval=5)
    monkeypatch.setattr("webhook.scout.sampler.time.monotonic", lambda: next(ticks))
    monkeypatch.setattr(sampler, "read", lambda: None)
    assert sampler.turn() == (12.0, 12.0)


def test_looking_at_ever_more_namespaces_takes_no_more_memory(prometheus: Prometheus) -> None:
    sampler = Sampler(url=prometheus.url, interval=60)
    sampler.narrow_to(lambda: ["team-a"])
    sampler.read()
    for number in range(1000):
        sampler.of_namespace(f"n{number}")
    sampler.read()
    assert [sampler.covers(name) for name in ("team-a", "n999", "n900", "n899")] == [True, True, True, False]
