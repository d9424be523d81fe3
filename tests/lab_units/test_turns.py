"""Who may be in the laboratory at once: locks on files, here between threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event

import pytest

from tests.end_to_end import turns
from tests.end_to_end.turns import Company, among, together

LONG, MOMENT = 60.0, 0.2


class Visitor:
    """Somebody who goes in, says so, and stays until asked to leave."""

    def __init__(self, people: ThreadPoolExecutor, room: Callable[[], AbstractContextManager[None]]) -> None:
        self.inside, self._leave = Event(), Event()
        self._done = people.submit(self._visit, room)

    def _visit(self, room: Callable[[], AbstractContextManager[None]]) -> None:
        with room():
            self.inside.set()
            assert self._leave.wait(LONG)

    def leave(self) -> None:
        self._leave.set()
        self._done.result(LONG)


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadPoolExecutor]:
    monkeypatch.setattr(turns, "STATE", tmp_path)
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("company", [Company.ANYBODY, Company.WITHOUT_ARGO])
def test_files_of_a_kind_are_there_at_once(people: ThreadPoolExecutor, company: Company) -> None:
    both = [Visitor(people, lambda: among(company)) for _ in range(2)]
    assert all(one.inside.wait(LONG) for one in both)
    for one in both:
        one.leave()


@pytest.mark.parametrize("second", Company)
@pytest.mark.parametrize("first", Company)
def test_all_others_wait_until_those_who_are_there_have_left(
    people: ThreadPoolExecutor, first: Company, second: Company
) -> None:
    one = Visitor(people, lambda: among(first))
    assert one.inside.wait(LONG)
    other = Visitor(people, lambda: among(second))
    beside = first == second != Company.ALONE
    assert other.inside.wait(LONG if beside else MOMENT) == beside
    one.leave()
    assert other.inside.wait(LONG)
    other.leave()


def test_what_several_need_is_begun_before_each_and_ended_by_the_last(people: ThreadPoolExecutor) -> None:
    done: list[str] = []

    def room() -> AbstractContextManager[None]:
        return together("thing", lambda: done.append("begun"), lambda: done.append("ended"))

    first, second = Visitor(people, room), Visitor(people, room)
    assert first.inside.wait(LONG) and second.inside.wait(LONG)
    first.leave()
    assert done == ["begun", "begun"]
    second.leave()
    assert done == ["begun", "begun", "ended"]
    third = Visitor(people, room)
    assert third.inside.wait(LONG)
    third.leave()
    assert done[3:] == ["begun", "ended"]
