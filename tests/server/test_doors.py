"""Which doors there are, where they are, and what must be set for them."""

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from webhook.doors.broker import Address
from webhook.errors import Forbidden, MedeaError
from webhook.server.clients import Clients
from webhook.server.doors import DoorName, door_of, wanted_doors
from webhook.server.server import most_connections
from webhook.settings import Settings, setting_problems
from webhook.wiring.classes import around_command, classes_place, make_worker
from webhook.wiring.nodes import questions_place

AUTHORITY = {"subject": ((("commonName", "apiserver"),),)}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "ports", "metrics"),
    [
        (DoorName.WEBHOOK, [8443], 9095),
        (DoorName.PLUGIN, [8445], 9097),
        (DoorName.API, [8090, 8091], 9098),
        (DoorName.LOGS, [8444], 9099),
    ],
)
def test_each_door_has_ports_of_its_own_and_speaks_tls(name: DoorName, ports: list[int], metrics: int) -> None:
    door = door_of(name, Settings(medea_logs_certs=Path("logs")))
    assert door.addresses == tuple(f"0.0.0.0:{port}" for port in ports)
    assert door.metrics_port == metrics
    assert door.tls is not None


def test_the_door_for_logs_wants_certificates_of_its_own_and_of_its_clients() -> None:
    assert wanted_doors(Settings()) == [DoorName.WEBHOOK, DoorName.PLUGIN, DoorName.API]
    with pytest.raises(MedeaError, match="MEDEA_LOGS_CERTS"):
        door_of(DoorName.LOGS, Settings())
    logs = Settings(medea_logs_certs=Path("logs"))
    assert wanted_doors(logs) == [DoorName.WEBHOOK, DoorName.PLUGIN, DoorName.API, DoorName.LOGS]
    tls = door_of(DoorName.LOGS, logs).tls
    assert tls and tls.required and tls.clients == Path("logs/ca.crt")


FILES: dict[str, Any] = {
    "medea_files_namespace": "ns",
    "medea_s3_endpoint": "https://s3.example.com",
    "medea_s3_bucket": "jobs",
}


def test_the_door_for_files_is_there_once_it_is_set_up() -> None:
    assert wanted_doors(Settings(**FILES)) == [DoorName.WEBHOOK, DoorName.PLUGIN, DoorName.API, DoorName.FILES]
    door = door_of(DoorName.FILES, Settings(**FILES))
    assert door.addresses == ("0.0.0.0:5000",)
    assert door.tls and not door.tls.required


@pytest.mark.parametrize("missing", FILES)
def test_the_door_for_files_says_what_it_lacks(missing: str) -> None:
    with pytest.raises(MedeaError, match=missing.upper()):
        door_of(DoorName.FILES, Settings(**{name: value for name, value in FILES.items() if name != missing}))


def test_an_open_door_for_files_is_plain_http_on_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDEA_API", "open")
    door = door_of(DoorName.FILES, Settings(**FILES))
    assert (door.addresses, door.tls) == (("127.0.0.1:5000",), None)


CLASSES: dict[str, Any] = {"medea_classes_namespace": "ns", "rabbitmq_url": "amqp://me:it%27s@rabbit:5673/jobs"}


def test_the_door_for_job_classes_is_there_once_it_is_set_up() -> None:
    assert wanted_doors(Settings(**CLASSES)) == [DoorName.WEBHOOK, DoorName.PLUGIN, DoorName.API, DoorName.CLASSES]
    assert door_of(DoorName.CLASSES, Settings(**CLASSES)).addresses == ("0.0.0.0:8000",)
    place = classes_place(Settings(**CLASSES))
    assert place.broker == Address("rabbit", 5673, "me", "it's", vhost="jobs")


@pytest.mark.parametrize("missing", CLASSES)
def test_the_door_for_job_classes_says_what_it_lacks(missing: str) -> None:
    with pytest.raises(MedeaError, match=missing.upper()):
        door_of(DoorName.CLASSES, Settings(**{name: value for name, value in CLASSES.items() if name != missing}))


def test_without_workers_the_door_for_job_classes_needs_no_rabbitmq(tmp_path: Path) -> None:
    config = tmp_path / "classes.yaml"
    config.write_text("classes: {actor-jobs: {run_by: workflow}}")
    place = classes_place(Settings(medea_classes_namespace="ns", medea_classes_config=config))
    assert place.broker is None
    config.write_text("class: {}")
    with pytest.raises(MedeaError, match="class is"):
        classes_place(Settings(medea_classes_namespace="ns", medea_classes_config=config))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("amqp://a:b@rabbit", Address("rabbit", 5672, "a", "b")),
        ("amqp://a:b@rabbit/", Address("rabbit", 5672, "a", "b")),
        ("amqp://a:b@rabbit/%2F", Address("rabbit", 5672, "a", "b")),
        ("amqp://a:b@[::1]:1234/", Address("::1", 1234, "a", "b")),
    ],
)
def test_the_address_of_rabbitmq_is_read_as_its_clients_do(url: str, address: Address) -> None:
    assert classes_place(Settings(**{**CLASSES, "rabbitmq_url": url})).broker == address


@pytest.mark.parametrize("url", ["http://a:b@rabbit", "amqp://rabbit", "amqp://secret@rabbit", "amqp://a:secret@r:x/"])
def test_an_address_of_rabbitmq_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises((ValidationError, MedeaError)) as error:
        classes_place(Settings(**{**CLASSES, "rabbitmq_url": url}))
    words = "".join(setting_problems(error.value)) if isinstance(error.value, ValidationError) else str(error.value)
    assert "RABBITMQ_URL" in words and "secret" not in words


def test_a_workers_command_is_told_nothing_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSTGRESQL_PASS", "MEDEA_LEDGER_DSN", "RABBITMQ_URL"):
        monkeypatch.setenv(name, "amqp://a:hush@rabbit/" if name == "RABBITMQ_URL" else "postgresql://hush/x")
    monkeypatch.setenv("KEPT", "kept")
    around = around_command()
    assert around["KEPT"] == "kept" and not any("hush" in value for value in around.values())


@pytest.mark.parametrize("name", ["spark-jobs", "other"])
def test_a_worker_of_a_class_that_workers_do_not_run_ends_at_once(name: str) -> None:
    with pytest.raises(MedeaError, match="no class that workers run"):
        make_worker(Settings(**CLASSES), name, ["true"], threading.Event())


def test_a_limit_of_a_service_that_is_none_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_EXAMPLE_RUNS_PER_USER", "many")
    with pytest.raises(MedeaError, match="SERVICE_EXAMPLE_RUNS_PER_USER is 'many'"):
        door_of(DoorName.FILES, Settings(**FILES))


RABBIT = {"mq_ip": "mq", "mq_id": "rabbit", "mq_passwd": "rabbit", "mq_resource_que": "queue1", "argo_namespace": "ns"}


def test_questions_over_rabbitmq_are_set_up_by_the_originals_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in RABBIT.items():
        monkeypatch.setenv(name.upper(), value)
    place = questions_place(Settings())
    assert place is not None
    assert (place.address.host, place.address.port, place.address.user) == ("mq", 5672, "rabbit")
    assert (place.queue.name, place.queue.durable) == ("queue1", False)
    monkeypatch.delenv("MQ_IP")
    assert questions_place(Settings()) is None


@pytest.mark.parametrize("missing", sorted(RABBIT.keys() - {"mq_ip"}))
def test_questions_over_rabbitmq_say_what_they_lack_at_the_start(missing: str) -> None:
    some: dict[str, Any] = {name: value for name, value in RABBIT.items() if name != missing}
    with pytest.raises(MedeaError, match=missing.upper()):
        door_of(DoorName.API, Settings(**some))


def test_an_open_api_is_plain_http_on_the_loopback_whatever_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDEA_API", "open")
    monkeypatch.setenv("MEDEA_BIND", "0.0.0.0")
    door = door_of(DoorName.API, Settings())
    assert door.addresses == ("127.0.0.1:8090", "127.0.0.1:8091")
    assert door.tls is None


@pytest.mark.parametrize("value", ["", "OPEN ", "yes", "true"])
def test_anything_but_the_word_leaves_the_api_closed(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDEA_API", value)
    if value:
        with pytest.raises(ValidationError, match="closed"):
            Settings()
    else:
        assert Settings().medea_api == "closed"


@pytest.mark.parametrize("setting", ["MEDEA_ARGO_SERVER", "MEDEA_SCOUT_URL"])
@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://argo-server.argo.svc:2746", True),
        ("http://localhost:2746", True),
        ("http://127.0.0.1:2746/argo", True),
        ("http://[::1]:2746", True),
        ("http://argo-server.argo.svc:2746", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost@evil.example", False),
        ("http://localhost:2746@evil.example/", False),
    ],
)
def test_no_token_is_sent_anywhere_in_plain_text(
    setting: str, url: str, safe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, url)
    if safe:
        assert Settings()
    else:
        with pytest.raises(ValidationError, match="https://"):
            Settings()


def test_an_authority_of_clients_and_the_clients_name_are_set_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = tmp_path / "ca.crt"
    authority.touch()
    monkeypatch.setenv("MEDEA_WEBHOOK_CLIENT_CA", str(authority))
    with pytest.raises(ValidationError, match="set together"):
        Settings()
    monkeypatch.setenv("MEDEA_WEBHOOK_CLIENT_NAME", "apiserver")
    tls = door_of(DoorName.WEBHOOK, Settings()).tls
    # Probes come without one: it is each review that must have it.
    assert tls and tls.clients == authority and not tls.required
    monkeypatch.delenv("MEDEA_WEBHOOK_CLIENT_CA")
    with pytest.raises(ValidationError, match="set together"):
        Settings()


class Connection:
    """A TLS connection of a client that showed this certificate."""

    def __init__(self, certificate: object) -> None:
        self._certificate = certificate

    def getpeercert(self) -> object:
        return self._certificate


@pytest.mark.parametrize("shown", [None, {}, {"subject": ((("commonName", "system:node:a"),),)}])
def test_reviews_are_taken_from_the_pinned_client_only(shown: object) -> None:
    pinned = Clients("apiserver")
    pinned.check({"gunicorn.socket": Connection(AUTHORITY)})
    with pytest.raises(Forbidden, match="only who has the client certificate of apiserver"):
        pinned.check({"gunicorn.socket": Connection(shown)})


def test_without_a_pinned_client_reviews_are_taken_from_everybody() -> None:
    with capture_logs() as lines:
        Clients(None).check({})
    assert lines == []


def test_no_more_connections_are_taken_than_the_process_may_have_files() -> None:
    assert 0 < most_connections() <= 16_384
