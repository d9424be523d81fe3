"""The port for logs: who is known there, and who may pass."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.errors import ClusterUnavailable, Forbidden, MedeaError
from webhook.logs.access import Access, identity
from webhook.server.sockets import by_port, known_clients_only

APISERVER = {"subject": ((("organizationName", "masters"),), (("organizationName", "b"),), (("commonName", "api"),))}
YES, NO = reply(201, {"status": {"allowed": True}}), reply(201, {"status": {"allowed": False}})


def test_a_certificate_says_user_and_groups_as_kubernetes_reads_it() -> None:
    assert identity(APISERVER) == ("api", ("masters", "b"))
    assert identity({}) == ("", ())


def test_whom_the_front_door_lets_speak_to_kubelets_is_asked_about_once() -> None:
    script = Script(YES)
    with apiserver(script) as front:
        access = Access(front)
        access.check(APISERVER)
        access.check(APISERVER)
    assert len(script.requests) == 1


def test_a_no_is_asked_about_again_and_no_answer_is_no_yes() -> None:
    with apiserver(Script(NO, reply(503, {}), YES)) as front:
        access = Access(front)
        with pytest.raises(Forbidden, match="'api' may not"):
            access.check(APISERVER)
        with pytest.raises(ClusterUnavailable):
            access.check(APISERVER)
        access.check(APISERVER)


def test_a_file_that_is_missing_is_named_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").touch()
    with pytest.raises(MedeaError, match=r"MEDEA_LOGS_CERTS is .*, where tls.key, ca.crt is missing"):
        known_clients_only(tmp_path)


def test_the_port_of_the_connection_says_which_application_answers() -> None:
    class Connection:
        def __init__(self, port: int) -> None:
            self._port = port

        def getsockname(self) -> tuple[str, int]:
            return "0.0.0.0", self._port

    def named(name: bytes) -> Any:
        return lambda *_: [name]

    application = by_port(named(b"default"), {8444: named(b"logs")})
    for port, name in ((8444, b"logs"), (8443, b"default")):
        environ = {"gunicorn.socket": Connection(port), "SERVER_PORT": "8444", "HTTP_HOST": "medea:8444"}
        assert application(environ, None) == [name]
