"""Each process's folder is what is in the Secret."""

import base64
from pathlib import Path

import pytest
from kubernetes.client import Configuration
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from certs.files import ensure
from tests.certificates.house import SYSTEM, House
from tests.support.fake_apiserver import REFUSE
from webhook.certificates import folder
from webhook.certificates.delivery import Delivery, authority_bundle
from webhook.errors import Unavailable
from webhook.kube.client import Cluster
from webhook.kube.resources import SECRETS


class Process:
    """A process with a folder."""

    def __init__(self, to: Path) -> None:
        self.house, self.to = House(), to
        front = Cluster("front", Configuration(), http=self.house.front, clock=self.house.clock)
        self.delivery = Delivery(front, SYSTEM, "medea-tls", to)

    def follow(self) -> None:
        """What its threads do: hear of all changes, then deliver."""
        self.delivery._watch.step()
        self.delivery._watch.step()
        self.delivery.step()

    def has_what_is_there(self) -> bool:
        return folder.read(self.to) == self.house.secret("medea-tls")


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path / "tls")


def events(process: Process) -> list[str]:
    with capture_logs() as logs:
        process.follow()
    return [one["event"] for one in logs if "certificate" in one["event"]]


def test_each_new_certificate_is_delivered_once(process: Process) -> None:
    process.house.keeper.step()
    assert events(process) == ["certificate delivered"]
    assert process.has_what_is_there()
    assert events(process) == []
    process.house.clock.advance(41)
    process.house.keeper.step()
    assert not process.has_what_is_there()
    assert events(process) == ["certificate delivered"]
    assert process.has_what_is_there()


def test_a_folder_that_somebody_emptied_is_filled_again(process: Process) -> None:
    process.house.keeper.step()
    process.follow()
    (process.to / "..data").unlink()
    process.follow()
    assert process.has_what_is_there()


def test_when_it_expires_is_a_metric(process: Process) -> None:
    process.house.keeper.step()
    process.follow()
    labels = {"certificate": "serving"}
    shown = REGISTRY.get_sample_value("medea_certificate_expiry_timestamp_seconds", labels)
    assert shown == process.house.leaf().not_valid_after_utc.timestamp()


def test_other_secrets_are_not_even_read(process: Process) -> None:
    process.house.keeper.step()
    process.house.front.calls.clear()
    process.follow()
    assert {call.query.get("fieldSelector") for call in process.house.front.calls} == {"metadata.name=medea-tls"}
    assert [one["metadata"]["name"] for one in process.delivery._watch.all()] == ["medea-tls"]


@pytest.mark.parametrize("damage", [{"tls.crt": b"garbage"}, {"tls.key": b"garbage"}, {"tls.key": b""}])
def test_what_can_not_be_served_is_not_delivered_and_said_once(damage: dict[str, bytes], process: Process) -> None:
    process.house.keeper.step()
    process.follow()
    before = folder.read(process.to)
    process.house.put_secret("medea-tls", {**process.house.secret("medea-tls"), **damage})
    assert events(process) == ["certificate not delivered"]
    assert events(process) == []
    assert folder.read(process.to) == before
    process.house.keeper.step()
    assert events(process) == ["certificate delivered"]


def test_what_is_deleted_stays_in_the_folder_until_there_is_a_new_one(process: Process) -> None:
    process.house.keeper.step()
    process.follow()
    before = folder.read(process.to)
    process.house.delete_secret("medea-tls")
    process.follow()
    assert folder.read(process.to) == before
    process.house.keeper.step()
    process.follow()
    assert process.has_what_is_there() and folder.read(process.to) != before


def test_a_folder_that_can_not_be_written_is_said_once_and_tried_again(process: Process) -> None:
    process.house.keeper.step()
    process.to.write_text("no folder")
    assert events(process) == ["certificate not delivered"]
    assert events(process) == []
    process.to.unlink()
    assert events(process) == ["certificate delivered"]


def test_a_server_waits_for_the_first_certificate(process: Process) -> None:
    waited: list[float] = []

    def pause(seconds: float) -> None:
        assert not process.to.exists()
        waited.append(seconds)
        match len(waited):
            case 1:
                process.house.front.faults = lambda _: REFUSE
            case 2:
                process.house.front.faults = lambda _: None
                garbage = {"tls.crt": base64.b64encode(b"garbage").decode(), "tls.key": ""}
                process.house.front.put(
                    SECRETS, {"metadata": {"name": "medea-tls", "namespace": SYSTEM}, "data": garbage}
                )
            case 3:
                process.house.keeper.step()

    with capture_logs() as logs:
        process.delivery.wait_for_first(pause=pause)
    assert len(waited) == 3
    assert process.has_what_is_there()
    assert [one["event"] for one in logs].count("waiting for the certificate") == 1


def test_a_server_that_has_one_already_does_not_wait_for_the_front_door(process: Process) -> None:
    process.house.keeper.step()
    process.follow()
    process.house.front.faults = lambda _: REFUSE
    process.delivery.wait_for_first(pause=lambda _: pytest.fail("it waits"))


def test_the_bundle_is_that_of_the_folder_whoever_fills_it(process: Process, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"ca\.crt"):
        authority_bundle(process.to)
    process.house.keeper.step()
    process.follow()
    assert authority_bundle(process.to) == process.house.bundles()[0]
    assert authority_bundle(ensure(tmp_path / "laptop").ca.parent).startswith("-----BEGIN CERTIFICATE-----")
