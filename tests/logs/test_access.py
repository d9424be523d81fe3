"""The port for logs: who is known there, and who may pass."""

import pytest

from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.errors import ClusterUnavailable, Forbidden
from webhook.logs.access import Access, identity

APISERVER = {"subject": ((("organizationName", "masters"),), (("organizationName", "b"),), (("commonName", "api"),))}
YES, NO = reply(201, {"status": {"allowed": True}}), reply(201, {"status": {"allowed": False}})


def test_a_certificate_says_user_and_groups_as_kubernetes_reads_it() -> None:
    assert identity(APISERVER) == ("api", ("masters", "b"))
    assert identity({}) == ("", ())


def test_whom_the_front_door_lets_speak_to_kubelets_is_asked_about_once() -> None:
    script = Script(YES)
    with apiserver(script) as front:
        access = Access(front)
        access.check(APISERVER, verb="get")
        access.check(APISERVER, verb="get")
    assert len(script.requests) == 1


def test_a_no_is_asked_about_again_and_no_answer_is_no_yes() -> None:
    with apiserver(Script(NO, reply(503, {}), YES)) as front:
        access = Access(front)
        with pytest.raises(Forbidden, match="'api' may not"):
            access.check(APISERVER, verb="get")
        with pytest.raises(ClusterUnavailable):
            access.check(APISERVER, verb="get")
        access.check(APISERVER, verb="get")


def test_who_may_read_is_asked_about_again_before_they_may_act() -> None:
    script = Script(YES, NO)
    with apiserver(script) as front:
        access = Access(front)
        access.check(APISERVER, verb="get")
        with pytest.raises(Forbidden, match="create nodes/proxy"):
            access.check(APISERVER, verb="create")
    assert len(script.requests) == 2
