"""Where a target lets Medea act as others, it decides by the submitter's own rights whether it takes a Workflow."""

from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.admission.test_preflight import TAKES_IT, admission, placement_in, review, reviewed
from tests.support.scripted_apiserver import Answer, reply
from webhook.admission.review import Admission
from webhook.admission.wire import Review
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.submitter import Submitter

OTHERS = "system:serviceaccount:medea-system:medea"


def refuses(words: str) -> Answer:
    return reply(403, {"message": words, "reason": "Forbidden"})


def no_right(user: str) -> str:
    what = 'cannot create resource "workflows" in API group "argoproj.io" in the namespace "ns"'
    return f'workflows.argoproj.io is forbidden: User "{user}" {what}'


NO_SUCH_USER = f'users "ann" is forbidden: User "{OTHERS}" cannot impersonate resource "users" in API group ""'


class Asked:
    """A target that takes everything, and notes as whom it is asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, list[str] | None]] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        if handler.command == "POST":
            self.seen.append((handler.headers["Impersonate-User"], handler.headers.get_all("Impersonate-Group")))
        TAKES_IT(handler)


def acting(asked: Admission, **groups: frozenset[str]) -> Admission:
    """On these targets Medea acts as others."""
    registry: Any = asked.registry
    registry.impersonated = groups
    return asked


def by(user: str, *groups: str, **metadata: Any) -> Review:
    return replace(review(**metadata), user=user, groups=groups)


def test_the_target_is_asked_as_who_submits_in_the_groups_that_count_there(pool: Pool) -> None:
    west = Asked()
    with admission(pool, west=west) as asked:
        acting(asked, west=frozenset({"team-a", "team-c", "system:masters"}))
        answer = reviewed(asked, by("ann", "team-a", "team-b", "system:masters", "system:authenticated"))
    assert west.seen == [("ann", ["team-a"])]
    row = placements.get(pool, placement_in(answer))
    everything = ("team-a", "team-b", "system:masters", "system:authenticated")
    assert row is not None and row.submitter == Submitter("ann", everything)


def test_an_account_is_put_into_its_groups_by_the_target(pool: Pool) -> None:
    west, robot = Asked(), "system:serviceaccount:ns:robot"
    with admission(pool, west=west) as asked:
        acting(asked, west=frozenset({"system:serviceaccounts"}))
        reviewed(asked, by(robot, "system:serviceaccounts", "system:authenticated"))
    assert west.seen == [(robot, None)]


def test_elsewhere_medea_asks_in_its_own_name(pool: Pool) -> None:
    west = Asked()
    with admission(pool, west=west) as asked:
        reviewed(asked, by("ann", "team-a"))
    assert west.seen == [(None, None)]


@pytest.mark.parametrize(
    ("words", "more"), [(no_right("ann"), ""), (NO_SUCH_USER, ": west does not let Medea act as ann in team-a")]
)
def test_who_may_not_is_told_who_may_not_do_what_where(pool: Pool, words: str, more: str) -> None:
    with admission(pool, west=refuses(words)) as asked:
        acting(asked, west=frozenset({"team-a"}))
        response = reviewed(asked, by("ann", "team-a"))["response"]
    assert not response["allowed"] and response["status"]["code"] == 422
    said = response["status"]["message"]
    assert f"ann may not create workflows.argoproj.io in namespace ns on west{more}" in said
    assert placements.unbound(pool, 0) == []


def test_another_target_may_take_what_one_does_not_permit(pool: Pool) -> None:
    with admission(pool, west=refuses(no_right("ann")), east=TAKES_IT) as asked:
        acting(asked, west=frozenset())
        for _ in range(10):
            row = placements.get(pool, placement_in(reviewed(asked, by("ann"))))
            assert row is not None and row.cluster == "east"


@pytest.mark.parametrize("user", ["system:admin", "system:kube-controller-manager", " ann", "ann\n", "a\tb"])
def test_medea_acts_as_nobody_of_kubernetes_own_and_says_so(pool: Pool, user: str) -> None:
    west = Asked()
    with admission(pool, west=west) as asked:
        acting(asked, west=frozenset({"system:masters"}))
        response = reviewed(asked, by(user, "system:masters"))["response"]
    assert not response["allowed"] and "does not act as" in response["status"]["message"]
    assert west.seen == []


def test_a_step_of_medeas_acts_as_the_account_of_its_workflow_and_nobody_else_names_one(pool: Pool) -> None:
    west, robot = Asked(), "system:serviceaccount:ns:robot"
    others = {"medea.dev/identity": "system:serviceaccount:elsewhere:robot"}
    with admission(pool, west=west) as asked:
        acting(asked, west=frozenset())
        reviewed(asked, by("medea", annotations={"medea.dev/identity": robot}))
        reviewed(asked, by("medea", annotations=others))
        reviewed(asked, by("medea", annotations={"medea.dev/identity": "boss"}))
        reviewed(asked, by("ann", annotations={"medea.dev/identity": robot}))
    assert [user for user, _ in west.seen] == [robot, "medea", "medea", "ann"]
