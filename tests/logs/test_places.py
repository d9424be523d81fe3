"""Nobody can take all places in pods away from others."""

from contextlib import ExitStack

import pytest

from webhook.errors import Busy
from webhook.logs.places import Places
from webhook.logs.session_request import Kind


def test_a_namespace_has_half_of_all_places_and_all_together_no_more_than_there_are() -> None:
    places = Places(4)
    with ExitStack() as stack:
        for namespace in ("a", "a"):
            stack.enter_context(places.one(Kind.EXEC, namespace))
        with pytest.raises(Busy, match="2 connections into pods of namespace a are open"), places.one(Kind.EXEC, "a"):
            pass
        for namespace in ("b", "c"):
            stack.enter_context(places.one(Kind.ATTACH, namespace))
        with pytest.raises(Busy, match="4 connections into pods are open, as many as MEDEA_LOGS_SESSIONS=4"):
            stack.enter_context(places.one(Kind.EXEC, "d"))
    with places.one(Kind.EXEC, "a"):
        pass


def test_a_place_is_given_back_whatever_happens() -> None:
    places = Places(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), places.one(Kind.EXEC, "a"):
            raise ZeroDivisionError


def test_none_may_be_allowed() -> None:
    with pytest.raises(Busy, match="MEDEA_LOGS_SESSIONS=0"), Places(0).one(Kind.EXEC, "a"):
        pass
