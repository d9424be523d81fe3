"""Prometheus' answer as snapshots."""

from typing import Any

import pytest

from webhook.scout.model import UNLIMITED, Snapshot
from webhook.scout.promql import query
from webhook.scout.promql import snapshots as snapshots_at
from webhook.totals.model import Defaults, Totals


def series(value: str, **labels: str) -> dict[str, Any]:
    return {"metric": {"cluster": "west", "namespace": "ns", **labels}, "value": [110.5, value]}


def quota(name: str, resource: str, hard: str, used: str) -> list[dict[str, Any]]:
    return [
        series(hard, resourcequota=name, resource=f"limits.{resource}", fact="hard"),
        series(used, resourcequota=name, resource=f"limits.{resource}", fact="used"),
    ]


TIME = series("100.5", fact="time")


def snapshots(answer: list[dict[str, Any]]) -> dict[tuple[str, str], Snapshot]:
    return snapshots_at(answer, asked_at=130.0)


def test_quota_use_own_pods_and_time_make_a_snapshot() -> None:
    own = series("0.5", created_by_kind="Workflow", created_by_name="run1", resource="cpu", fact="own")
    made = snapshots([*quota("q", "cpu", "10", "2.5"), *quota("q", "memory", "1024", "10"), TIME, own])
    west = made[("west", "ns")]
    assert (west.hard, west.used, west.sampled_at) == (Totals(10_000, 1024), Totals(2500, 10), 120.0)
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
    assert (
        snapshots([series("1", created_by_kind="Workflow", created_by_name="run1", resource="cpu", fact="own"), TIME])
        == {}
    )


def test_the_limits_a_namespace_gives_to_containers_without_are_read_with_its_quota() -> None:
    ranges = [
        series("0.5", limitrange="one", resource="cpu", type="Container", constraint="default", fact="default"),
        series("0.2", limitrange="two", resource="cpu", type="Container", constraint="default", fact="default"),
    ]
    west = snapshots([*quota("q", "cpu", "10", "2"), TIME, *ranges])[("west", "ns")]
    assert west.defaults == Defaults(500, None)
    assert snapshots([*quota("q", "cpu", "10", "2"), TIME])[("west", "ns")].defaults == Defaults()
    assert snapshots(ranges) == {}


def test_executors_that_a_spark_driver_made_belong_to_the_drivers_workflow() -> None:
    pods = [
        series("1", created_by_kind="Workflow", created_by_name="job", resource="cpu", fact="own"),
        series("9", created_by_kind="Pod", created_by_name="job-driver", resource="cpu", fact="own"),
        series("5", created_by_kind="Pod", created_by_name="job-driver", resource="memory", fact="own"),
        series("1", pod="job-driver", created_by_name="job", fact="driver"),
    ]
    west = snapshots([*quota("q", "cpu", "20", "10"), TIME, *pods])[("west", "ns")]
    assert west.own == {"job": Totals(10_000, 5)}


def test_pods_of_a_pod_that_is_no_workflows_or_of_which_two_say_it_is_theirs_are_strangers() -> None:
    pods = [
        series("9", created_by_kind="Pod", created_by_name="theirs", resource="cpu", fact="own"),
        series("9", created_by_kind="Pod", created_by_name="twice", resource="cpu", fact="own"),
        series("1", pod="twice", created_by_name="one", fact="driver"),
        series("1", pod="twice", created_by_name="two", fact="driver"),
    ]
    assert snapshots([*quota("q", "cpu", "20", "18"), TIME, *pods])[("west", "ns")].own == {}


def test_few_namespaces_are_asked_for_alone_and_many_or_unknown_ones_like_all() -> None:
    narrow = query(["team-b", "team-a", 'x"} or vector(1'])
    assert narrow.count('namespace=~"team-a|team-b"') == 8
    assert "vector" not in narrow
    assert "namespace=~" not in query(None)
    assert query([f"namespace-{number}" for number in range(100)]) == query(None)
    assert 'namespace=~""' in query([])
