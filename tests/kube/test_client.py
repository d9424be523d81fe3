"""What Medea makes of a cluster's answers, and of none."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import Configuration

from certs.files import ensure
from tests.support.scripted_apiserver import Answer, Script, apiserver, cut, reply
from webhook.errors import (
    AlreadyExists,
    BadRequest,
    Clash,
    ClusterUnavailable,
    Conflict,
    Expired,
    MedeaError,
    NamespaceGoes,
    NotThere,
    QuotaExceeded,
    Rejected,
)
from webhook.kube.client import Cluster, front_door, front_door_for_others
from webhook.kube.resources import WORKFLOWS

FOUND = {"metadata": {"name": "a"}}
TERMINATING = "unable to create new content in namespace ns because it is being terminated"


def status(message: str, reason: str = "") -> dict[str, Any]:
    details = {"name": "a", "kind": "workflows"}
    return {"kind": "Status", "message": message, "reason": reason, "details": details}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, Rejected),
        (403, Rejected),
        (404, NotThere),
        (409, Clash),
        (422, Rejected),
        (401, ClusterUnavailable),
        (429, ClusterUnavailable),
        (500, ClusterUnavailable),
        (503, ClusterUnavailable),
    ],
)
def test_each_status_is_one_of_our_errors_with_the_clusters_words(code: int, error: type[MedeaError]) -> None:
    with (
        apiserver(Script(reply(code, status("no, because")))) as west,
        pytest.raises(error, match="no, because") as raised,
    ):
        west.create(WORKFLOWS, "ns", {"metadata": {}})
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("code", "reason", "message", "error"),
    [
        (409, "AlreadyExists", 'workflows "a" already exists', AlreadyExists),
        (409, "Conflict", "the object has been modified", Conflict),
        (409, "", "some proxy says so", Clash),
        (
            403,
            "Forbidden",
            'workflows "a" is forbidden: exceeded quota: q, requested: count/workflows=1',
            QuotaExceeded,
        ),
        (403, "Forbidden", 'pods "a" is forbidden: status unknown for quota: q, resources: pods', QuotaExceeded),
        (403, "Forbidden", 'pods "a" is forbidden: failed quota: q: must specify limits.cpu', Rejected),
        (403, "Forbidden", f'workflows "a" is forbidden: {TERMINATING}', NamespaceGoes),
        (410, "Expired", "too old resource version", Expired),
    ],
)
def test_errors_are_told_apart_by_their_reason(code: int, reason: str, message: str, error: type[MedeaError]) -> None:
    with apiserver(Script(reply(code, status(message, reason)))) as west, pytest.raises(error) as raised:
        west.create(WORKFLOWS, "ns", {"metadata": {}})
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "said",
    ['a is forbidden: User "medea" cannot create this on Fridays', "a is forbidden: not yet ready to handle request"],
)
def test_a_policy_that_repeats_an_apiservers_own_words_refuses_only_its_object(said: str) -> None:
    words = f'admission webhook "p" denied the request: {said}'
    with apiserver(Script(reply(403, status(words, "Forbidden")))) as west, pytest.raises(Rejected):
        west.create(WORKFLOWS, "ns", {"metadata": {}})


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"x"', b'{"message": "m", "details": []}', b'{"details": {}}', b"[" * 100_000],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("code", [403, 404, 409, 500])
def test_an_error_of_any_shape_is_one_of_our_errors(code: int, body: bytes) -> None:
    with apiserver(Script(reply(code, body))) as west, pytest.raises(MedeaError):
        west.create(WORKFLOWS, "ns", {"metadata": {}})


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"metadata": []}', b'{"metadata": {}, "items": 5}', b"[" * 100_000])
def test_a_list_of_any_shape_is_no_bug(body: bytes) -> None:
    with apiserver(Script(reply(200, body))) as west, pytest.raises(ClusterUnavailable):
        west.list(WORKFLOWS)


def test_a_list_comes_in_pages_and_only_what_has_a_name() -> None:
    first = {"items": [FOUND, None, {}], "metadata": {"resourceVersion": "7", "continue": "c&c"}}
    second = {"items": [FOUND], "metadata": {"resourceVersion": "7"}}
    script = Script(reply(200, first), reply(200, second))
    with apiserver(script) as west:
        assert west.list(WORKFLOWS, selector="a=b") == ([FOUND, FOUND], "7")
    assert script.requests[1].endswith("?limit=500&labelSelector=a%3Db&continue=c%26c")


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, {"message": "the server could not find the requested resource", "details": {}}),
        reply(404, b"404 page not found"),
        reply(403, status('workflows is forbidden: User "medea" cannot create resource "workflows" in API group "x"')),
        reply(403, status('workflows "a" is forbidden: not yet ready to handle request')),
    ],
    ids=["a kind it does not serve", "no status at all", "rights that Medea lacks", "it has just started"],
)
def test_an_answer_that_says_nothing_about_the_object_is_as_good_as_none(answer: Answer) -> None:
    with apiserver(Script(answer)) as west, pytest.raises(ClusterUnavailable):
        west.create(WORKFLOWS, "ns", {"metadata": {}})
    with apiserver(Script(answer)) as west, pytest.raises(ClusterUnavailable):
        west.find(WORKFLOWS, "ns", "a")


def test_a_read_is_asked_once_because_whoever_asks_knows_when_to_ask_again() -> None:
    script = Script(cut, reply(200, FOUND))
    with apiserver(script) as west, pytest.raises(ClusterUnavailable):
        west.get(WORKFLOWS, "ns", "a")
    assert len(script.requests) == 1


def test_a_create_is_never_repeated_because_it_may_have_happened() -> None:
    script = Script(cut, reply(201, FOUND))
    with apiserver(script) as west, pytest.raises(ClusterUnavailable):
        west.create(WORKFLOWS, "ns", {"metadata": {}})
    assert len(script.requests) == 1


def test_an_answer_that_is_no_apiservers_is_as_good_as_none() -> None:
    with apiserver(Script(reply(200, b"<html>proxy</html>"))) as west, pytest.raises(ClusterUnavailable, match="proxy"):
        west.get(WORKFLOWS, "ns", "a")


def test_what_is_gone_already_is_deleted() -> None:
    with apiserver(Script(reply(404, status("not found")))) as west:
        west.delete(WORKFLOWS, "ns", "a", uid="u")
        assert west.find(WORKFLOWS, "ns", "a") is None


def test_an_error_that_is_no_json_is_repeated_as_text() -> None:
    with apiserver(Script(reply(403, b"<html>proxy</html>"))) as west, pytest.raises(Rejected, match="proxy"):
        west.create(WORKFLOWS, "ns", {"metadata": {}})


def test_a_cluster_that_does_not_listen_is_away() -> None:
    configuration = Configuration()
    configuration.host = "http://127.0.0.1:1"
    with pytest.raises(ClusterUnavailable, match="west did not answer"):
        Cluster("west", configuration).list(WORKFLOWS)


def test_a_cluster_that_hangs_is_away_after_the_deadline() -> None:
    def hang(handler: object) -> None:
        getattr(handler, "connection").recv(1)  # noqa: B009

    with apiserver(Script(hang)) as west, pytest.raises(ClusterUnavailable):
        west.create(WORKFLOWS, "ns", {"metadata": {}}, read_timeout=0.2)


@pytest.mark.parametrize("name", ["..", "a/b", "a?b", "a%2fb", "A", "", "a b", "-a", "a" * 254, "ä"])
def test_a_path_is_never_built_from_what_is_no_name(name: str) -> None:
    with pytest.raises(BadRequest):
        WORKFLOWS.path("ns", name or ".")
    with pytest.raises(BadRequest):
        WORKFLOWS.path(name or ".", "a")


def test_a_client_for_others_has_nothing_of_medeas_but_the_way_there(tmp_path: Path) -> None:
    files = ensure(tmp_path)
    seen: list[str | None] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Authorization"))
        reply(200, FOUND)(handler)

    with apiserver(Script(answer), tls=files) as front:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "front",
            "clusters": [
                {"name": "front", "cluster": {"server": front.address, "certificate-authority": str(files.ca)}}
            ],
            "users": [
                {
                    "name": "medea",
                    "user": {
                        "token": "medeas",
                        "client-certificate": str(files.certificate),
                        "client-key": str(files.key),
                    },
                }
            ],
            "contexts": [{"name": "front", "context": {"cluster": "front", "user": "medea"}}],
        }
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config))
        others = front_door_for_others(str(kubeconfig))
        assert others.authorization() is None
        ann, bob = others.bearing("Bearer anns"), others.bearing("Bearer bobs")
        for client in (ann, bob, others, front_door(str(kubeconfig))):
            assert client.get(WORKFLOWS, "ns", "a") == FOUND
    assert seen == ["Bearer anns", "Bearer bobs", None, "Bearer medeas"]
    # A connection that shows Medea's certificate would act as Medea, whatever header it carries.
    pool = others._transport._api.rest_client.pool_manager
    assert not {"cert_file", "key_file"} & {key for key, value in pool.connection_pool_kw.items() if value}


def test_a_client_that_acts_as_somebody_says_so_and_the_others_do_not() -> None:
    seen: list[tuple[str | None, list[str] | None]] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        seen.append((handler.headers["Impersonate-User"], handler.headers.get_all("Impersonate-Group")))
        reply(200, FOUND)(handler)

    with apiserver(Script(note)) as cluster:
        ann = cluster.acting_as("änn", ("team-a", "CN=team, O=b"))
        for client in (ann, cluster, cluster.acting_as("bob", ())):
            client.get(WORKFLOWS, "ns", "a")
    # As UTF-8, which Python's server reads as Latin-1.
    assert seen == [("änn".encode().decode("latin-1"), ["team-a", "CN=team, O=b"]), (None, None), ("bob", None)]
