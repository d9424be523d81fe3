"""argo-server as Medea's API speaks with it: what it is asked, and what each of its errors becomes."""

import socket
from http.server import BaseHTTPRequestHandler

import pytest

from tests.support.scripted_apiserver import Answer, Script, apiserver, cut, reply
from webhook.api.argoserver import ArgoServer, error_of
from webhook.api.limits import ConcurrencyLimit
from webhook.errors import (
    ArgoServerUnavailable,
    BadRequest,
    Clash,
    Forbidden,
    MedeaError,
    Missing,
    Refused,
    Unauthenticated,
    Unavailable,
)

WORKFLOW = {"metadata": {"name": "job"}}


def _asked(*answers: Answer, slots: int = 1) -> tuple[Script, object]:
    script = Script(*answers)
    with apiserver(script) as cluster:
        server = ArgoServer(cluster.address, None, ConcurrencyLimit(slots))
        try:
            return script, server.steer("ns", "job", "stop", {"message": "enough"}, "Bearer mine")
        except MedeaError as error:
            return script, error


def test_a_verb_is_put_to_the_workflows_path_and_its_answer_is_handed_on() -> None:
    script, answer = _asked(reply(200, WORKFLOW))
    assert script.requests == ["PUT /api/v1/workflows/ns/job/stop"]
    assert answer == WORKFLOW


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (404, 'workflows.argoproj.io "job" not found', Missing),
        (409, "the object has been modified", Clash),
        (500, 'cannot shutdown a completed workflow: workflow: "job", namespace: "ns"', Clash),
        (500, "cannot suspend completed workflows", Clash),
        (400, "Cannot retry a workflow in phase Running", Clash),
        (400, "workflow must be Failed/Error to resubmit in memoized mode", Clash),
        (400, 'admission webhook "steer.medea.dev" denied the request: the run is gone', Refused),
        (500, "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector: id=x", Refused),
        (400, "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector", Refused),
        (400, "json: cannot unmarshal", BadRequest),
        (403, "workflows.argoproj.io is forbidden", Forbidden),
        (500, "dial tcp 10.0.0.1:443: connect: connection refused", ArgoServerUnavailable),
        (429, "slow down", ArgoServerUnavailable),
        (503, "no upstream", ArgoServerUnavailable),
    ],
)
def test_each_of_its_errors_has_one_of_medeas_own(status: int, words: str, kind: type[MedeaError]) -> None:
    error = error_of(status, words, with_token=False)
    assert type(error) is kind
    assert words in error.message


def test_who_sends_no_token_is_told_to_and_whose_token_is_not_accepted_that_it_is_not() -> None:
    assert type(error_of(401, "token not valid", with_token=True)) is Forbidden
    unknown = error_of(401, "token not valid", with_token=False)
    assert type(unknown) is Unauthenticated
    assert "send your own header Authorization: token not valid" in str(unknown)


@pytest.mark.parametrize("header", ["Bearer mine", None])
def test_it_is_sent_the_callers_token_or_none(header: str | None) -> None:
    seen: list[str | None] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Authorization"))
        reply(200, WORKFLOW)(handler)

    with apiserver(Script(answer)) as cluster:
        ArgoServer(cluster.address, None, ConcurrencyLimit(1)).steer("ns", "job", "stop", {}, header)
    assert seen == [header]


@pytest.mark.parametrize("answer", [cut, reply(200, b"<html>"), reply(200, []), reply(502, b"<html>bad gateway")])
def test_whatever_else_answers_is_an_argo_server_that_is_away_and_is_not_asked_twice(answer: Answer) -> None:
    script, error = _asked(answer)
    assert isinstance(error, ArgoServerUnavailable)
    assert len(script.requests) == 1


def test_one_that_does_not_listen_is_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ArgoServerUnavailable):
            ArgoServer(url, None, ConcurrencyLimit(1)).steer("ns", "job", "stop", {}, None)


def test_without_an_address_the_setting_is_named() -> None:
    with pytest.raises(ArgoServerUnavailable, match="MEDEA_ARGO_SERVER"):
        ArgoServer(None, None, ConcurrencyLimit(1)).steer("ns", "job", "stop", {}, None)


def test_more_changes_at_once_than_there_are_slots_are_refused_for_now() -> None:
    slots = ConcurrencyLimit(1)
    with slots.one(), pytest.raises(Unavailable, match="at once"), slots.one():
        pass
    with slots.one():
        pass
