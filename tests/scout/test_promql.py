"""Prometheus' answer as snapshots."""

from typing import Any

import pytest

from webhook.scout.promql import UNLIMITED, snapshots
from webhook.totals.model import Defaults, Totals


def series(value: str, **labels: str) -> dict[str, Any]:
    return {"metric": {"cluster": "west", "namespace": "ns", **labels}, "value": [0, value]}


def quota(name: str, resource: str, hard: str, used: str) -> list[dict[str, Any]]:
    return [
        series(hard, resourcequota=name, resource=f"limits.{resource}", fact="hard"),
        series(used, resourcequota=name, resource=f"limits.{resource}", fact="used"),
    ]


TIME = series("100.5", fact="time")


def test_quota_use_own_pods_and_time_make_a_snapshot() -> None:
    own = series("0.5", created_by_name="run1", resource="cpu", fact="own")
    made = snapshots([*quota("q", "cpu", "10", "2.5"), *quota("q", "memory", "1024", "10"), TIME, own])
    west = made[("west", "ns")]
    assert (west.hard, west.used, west.sampled_at) == (Totals(10_000, 1024), Totals(2500, 10), 100.5)
    assert west.own == {"run1": Totals(500, 0)}


def test_of_several_quotas_the_one_with_least_room_counts() -> None:
    made = snapshots([*quota("wide", "cpu", "10", "2"), *quota("tight", "cpu", "5", "2"), TIME])
    assert made[("west", "ns")].hard.cpu_milli == 5000


def test_a_resource_without_a_quota_is_unlimited() -> None:
    assert snapshots([*quota("q", "cpu", "10", "2"), TIME])[("west", "ns")].hard.memory_bytes == UNLIMITED.memory_bytes


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "1e300"])
def test_a_value_that_makes_no_sense_voids_the_namespace(value: str) -> None:
    assert snapshots([*quota("q", "cpu", "10", value), TIME]) == {}


def test_a_quota_without_a_time_or_without_its_use_is_no_snapshot() -> None:
    assert snapshots(quota("q", "cpu", "10", "2")) == {}
    assert snapshots([quota("q", "cpu", "10", "2")[0], TIME]) == {}


def test_own_pods_alone_are_no_snapshot() -> None:
    assert snapshots([series("1", created_by_name="run1", resource="cpu", fact="own"), TIME]) == {}


def test_the_limits_a_namespace_gives_to_containers_without_are_read_with_its_quota() -> None:
    ranges = [
        series("0.5", limitrange="one", resource="cpu", type="Container", constraint="default", fact="default"),
        series("0.2", limitrange="two", resource="cpu", type="Container", constraint="default", fact="default"),
    ]
    west = snapshots([*quota("q", "cpu", "10", "2"), TIME, *ranges])[("west", "ns")]
    assert west.defaults == Defaults(500, None)
    assert snapshots([*quota("q", "cpu", "10", "2"), TIME])[("west", "ns")].defaults == Defaults()
    assert snapshots(ranges) == {}
