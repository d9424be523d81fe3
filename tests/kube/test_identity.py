"""A cluster is known by the uid of its namespace kube-system: another one that answers in its place is not used."""

from typing import Any

import pytest
from kubernetes.client import Configuration

from tests.support.fake_apiserver import HANG, FakeApiserver, answer
from tests.support.fake_clock import FakeClock
from webhook.errors import Blocked, ClusterUnavailable, LedgerUnavailable
from webhook.kube.client import Cluster
from webhook.kube.identity import SYSTEM
from webhook.kube.resources import NAMESPACES, WORKFLOWS
from webhook.ledger import identities
from webhook.ledger.pool import Pool
from webhook.model.limits.kube import IDENTIFY_EVERY

FORBIDDEN = answer(
    403, 'namespaces "kube-system" is forbidden: User "medea" cannot get resource "namespaces"', "Forbidden"
)


class Place:
    """One address, where different clusters may answer, and what is remembered of it."""

    def __init__(self, *uids: str | None) -> None:
        self.clock = FakeClock()
        self.remembered: str | None = None
        self.ledger_away = False
        self.clusters = [FakeApiserver(f"cluster-{number}", clock=self.clock) for number in range(len(uids))]
        for fake, uid in zip(self.clusters, uids, strict=True):
            fake.namespace("ns")
            if uid:
                fake.put(NAMESPACES, {"metadata": {"name": SYSTEM, "uid": uid}})
        self.answers = self.clusters[0]
        self.cluster = self.client()

    def client(self) -> Cluster:
        """A client of that address, as for a Secret that has changed."""
        return Cluster("west", Configuration(), http=self, breaker=True, expected=self.expected, clock=self.clock)

    def request(self, method: str, url: str, **options: Any) -> Any:
        """What answers at the address now."""
        return self.answers.request(method, url, **options)

    def expected(self, name: str, uid: str | None) -> str | None:
        """As the ledger has it."""
        assert name == "west"
        if self.ledger_away:
            raise LedgerUnavailable("the ledger (Postgres) did not answer")
        self.remembered = self.remembered or uid
        return self.remembered

    def asked(self) -> int:
        """How many calls about its identity were made."""
        return len([call for call in self.answers.calls if call.resource == "namespaces"])


def test_the_first_call_makes_it_known_and_later_ones_ask_no_more() -> None:
    place = Place("a")
    for _ in range(3):
        place.cluster.list(WORKFLOWS, "ns")
    assert (place.remembered, place.asked()) == ("a", 1)


def test_no_call_gets_to_another_cluster_under_the_same_name() -> None:
    place = Place("a", "b")
    place.cluster.list(WORKFLOWS, "ns")
    place.answers = place.clusters[1]
    other = place.client()
    with pytest.raises(ClusterUnavailable, match="is another cluster now: its uid is b, expected a"):
        other.create(WORKFLOWS, "ns", {"metadata": {"name": "x"}})
    assert place.answers.all(WORKFLOWS) == []
    assert "medea target forget west" in str(other.health.away)


def test_an_address_that_leads_elsewhere_is_noticed_by_a_probe_and_so_is_its_return() -> None:
    place = Place("a", "b")
    place.cluster.probe()
    place.answers = place.clusters[1]
    place.clock.advance(IDENTIFY_EVERY)
    place.cluster.probe()
    assert place.cluster.health.away and not place.cluster.health.well
    place.answers = place.clusters[0]
    place.cluster.probe()
    assert place.cluster.health.away is None and place.cluster.health.well


def test_probes_ask_for_it_only_now_and_then() -> None:
    place = Place("a")
    for _ in range(10):
        place.cluster.probe()
    assert place.asked() == 1


def test_whoever_must_be_certain_asks_at_once() -> None:
    place = Place("a", "b")
    place.cluster.confirm()
    place.answers = place.clusters[1]
    with pytest.raises(ClusterUnavailable, match="another cluster"):
        place.cluster.confirm()


@pytest.mark.parametrize("why", ["the right is missing", "there is no such namespace"])
def test_without_a_way_to_tell_it_goes_on_and_is_known_once_there_is_one(why: str) -> None:
    place = Place("a" if why == "the right is missing" else None)
    place.answers.faults = lambda call: FORBIDDEN if call.resource == "namespaces" and why[4:9] == "right" else None
    place.cluster.list(WORKFLOWS, "ns")
    place.cluster.confirm()
    assert (place.cluster.health.away, place.remembered) == (None, None)
    place.answers.faults = lambda _call: None
    place.answers.put(NAMESPACES, {"metadata": {"name": SYSTEM, "uid": "a"}})
    place.clock.advance(IDENTIFY_EVERY)
    place.cluster.probe()
    assert place.remembered == "a"


def test_one_that_was_known_and_can_no_longer_be_told_is_used_but_nothing_is_concluded_from_it() -> None:
    place = Place("a")
    place.cluster.confirm()
    place.answers.faults = lambda call: FORBIDDEN if call.resource == "namespaces" else None
    place.cluster.list(WORKFLOWS, "ns")
    with pytest.raises(Blocked, match="give Medea the right to get the namespace kube-system"):
        place.cluster.confirm()
    assert place.cluster.health.away is None


def test_nothing_is_sent_while_it_can_not_be_told_which_cluster_answers() -> None:
    place = Place("a")
    place.ledger_away = True
    with pytest.raises(ClusterUnavailable, match="which cluster answers for west can't be told"):
        place.cluster.list(WORKFLOWS, "ns")
    place.ledger_away = False
    place.answers.faults = lambda call: HANG if call.resource == "namespaces" else None
    with pytest.raises(ClusterUnavailable, match="did not answer"):
        place.cluster.list(WORKFLOWS, "ns")
    place.answers.faults = lambda _call: None
    place.cluster.list(WORKFLOWS, "ns")


def test_the_ledger_keeps_the_first_uid_of_each_name_until_it_is_forgotten(pool: Pool) -> None:
    assert identities.expected(pool, "west", None) is None
    assert identities.expected(pool, "west", "a") == "a"
    assert identities.expected(pool, "west", "b") == "a"
    assert identities.expected(pool, "west", None) == "a"
    assert identities.expected(pool, "east", "b") == "b"
    assert identities.forget(pool, "west") is True
    assert identities.forget(pool, "west") is False
    assert identities.expected(pool, "west", "b") == "b"
