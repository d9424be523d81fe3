"""The Node that stands for a target: what it says, and when it has to say it again."""

import datetime

import pytest

from webhook.logs.node import Address, is_stale, lease_spec, node_object, node_status

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HERE = Address("10.0.0.7", 8444)


def after(seconds: float) -> datetime.datetime:
    return NOW + datetime.timedelta(seconds=seconds)


def test_the_apiserver_is_told_where_to_ask_and_the_scheduler_that_there_is_no_room() -> None:
    made = node_object("west", HERE, NOW)
    assert made["status"]["addresses"] == [{"type": "InternalIP", "address": "10.0.0.7"}]
    assert made["status"]["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 8444}}
    assert "capacity" not in made["status"] and "allocatable" not in made["status"]
    assert [taint["effect"] for taint in made["spec"]["taints"]] == ["NoSchedule"]


def test_a_fresh_status_need_not_be_written_again() -> None:
    assert not is_stale(node_object("west", HERE, NOW)["status"], HERE, after(100))


@pytest.mark.parametrize(
    ("change", "address", "moment"),
    [
        ({}, HERE, after(240)),
        ({}, Address("10.0.0.8", 8444), after(1)),
        ({}, Address("10.0.0.7", 9444), after(1)),
        ({"conditions": []}, HERE, after(1)),
        (
            {"conditions": [{"type": "Ready", "status": "Unknown", "lastHeartbeatTime": "2026-01-01T00:00:00Z"}]},
            HERE,
            NOW,
        ),
        ({"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": None}]}, HERE, NOW),
        ({"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "yesterday"}]}, HERE, NOW),
    ],
)
def test_a_status_that_is_old_or_wrong_is_written_again(
    change: dict[str, object], address: Address, moment: datetime.datetime
) -> None:
    assert is_stale({**node_object("west", HERE, NOW)["status"], **change}, address, moment)


def test_a_node_stays_ready_since_the_moment_it_was() -> None:
    first = node_status({}, HERE, NOW)
    later = node_status(first, HERE, after(600))
    assert later["conditions"][0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert later["conditions"][0]["lastHeartbeatTime"] == "2026-01-01T00:10:00Z"


def test_a_lease_is_renewed_to_the_microsecond_as_kubernetes_wants_it() -> None:
    assert lease_spec("west", after(0.25))["renewTime"] == "2026-01-01T00:00:00.250000Z"
