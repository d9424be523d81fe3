"""The episodes bite: a bug that is put into Medea on purpose is found. `make faults PLANTED=all` finds them all."""

import pytest

from tests.faults import episode
from tests.faults.ledger import LedgerServer
from tests.faults.planted import PLANTED
from tests.faults.schedule import load, path_of


@pytest.mark.parametrize(
    ("planted", "schedule"),
    [
        ("adopt_without_labels", "strangers-names"),
        ("refused_without_looking", "lost-create-then-quota"),
        ("end_from_a_late_watch", "retry-and-a-late-watch"),
        ("strays_stay", "deleted-while-created"),
        ("verbs_taken_off_first", "stop-while-dying"),
        ("refused_ends_the_queue", "no-quota-for-a-while"),
        ("expired_without_asking", "origins-unseen-for-minutes"),
    ],
)
def test_a_planted_bug_is_found(ledger: LedgerServer, planted: str, schedule: str) -> None:
    kept = load(path_of(schedule))
    with PLANTED[planted]():
        assert episode.run(ledger, kept.events, kept.seed).wrong
