"""In a namespace that wants it, the target's node pools decide with, and the reason says where the steps go."""

import base64
import json
from typing import Any

import pytest

from tests.admission.test_preflight import TAKES_IT, Held, admission, review, reviewed
from tests.support.scripted_apiserver import Answer, reply
from webhook.admission.review import Admission
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import DECISION, NODE_PLACEMENT, NODE_POOLS, PLACEMENT, Hold
from webhook.model.deadline import Deadline
from webhook.namespaces.hold import OptedIn

SPEC = {
    "entrypoint": "train",
    "templates": [
        {"name": "train", "container": {"image": "x", "resources": {"limits": {"cpu": "4", "memory": "1Gi"}}}}
    ],
}


class Wanting(Held):
    """A namespace whose steps go to node pools."""

    def opted_in(self, namespace: str, deadline: Deadline) -> OptedIn | None:
        found = super().opted_in(namespace, deadline)
        if found is not None:
            found.object["metadata"]["labels"] = {NODE_PLACEMENT: "true"}
        return found


def pools(**cpu: int) -> str:
    return json.dumps(
        [{"selector": {"pool": name}, "sizes": {"cpu": size, "memory": "8Gi"}} for name, size in cpu.items()]
    )


def with_pools(asked: Admission, **notes: str) -> None:
    registry: Any = asked.registry
    registry.secret = lambda name: {"metadata": {"annotations": {NODE_POOLS: notes[name]} if name in notes else {}}}
    wanting: Any = Wanting(Hold.PLUGIN)
    asked.holds = wanting


def marks(answer: dict[str, Any]) -> dict[str, str]:
    patch = json.loads(base64.b64decode(answer["response"]["patch"]))
    found: dict[str, str] = next(one["value"] for one in patch if one["path"] == "/metadata/annotations")
    return found


def test_the_reason_says_where_the_steps_go_and_the_ledger_keeps_what_was_sent(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        with_pools(asked, west=pools(small=2, large=8))
        answer = reviewed(asked, review(SPEC))
    assert marks(answer)[DECISION].endswith("; nodes: train on pool=large")
    assert "nodes: train on pool=large" in answer["response"]["warnings"][0]
    kept = placements.original(pool, marks(answer)[PLACEMENT])
    assert kept is not None and kept.get("node_placement") is True
    assert kept["workflow"]["spec"] == SPEC


def test_the_target_is_asked_about_the_run_with_its_selectors(pool: Pool) -> None:
    seen: list[Any] = []

    def takes(handler: Any) -> None:
        seen.append(json.loads(handler.body))
        reply(201, {"metadata": {"name": "x"}})(handler)

    takes_it: Answer = takes
    with admission(pool, west=takes_it) as asked:
        with_pools(asked, west=pools(large=8))
        reviewed(asked, review(SPEC))
    assert [one["spec"]["templates"][0]["nodeSelector"] for one in seen] == [{"pool": "large"}]


@pytest.mark.parametrize("east", [pools(small=2), "not JSON"], ids=["too small", "unreadable"])
def test_a_target_whose_nodes_are_too_small_or_not_known_is_passed_over(pool: Pool, east: str) -> None:
    with admission(pool, east=TAKES_IT, west=TAKES_IT) as asked:
        with_pools(asked, west=pools(large=8), east=east)
        for _ in range(10):
            row = placements.get(pool, marks(reviewed(asked, review(SPEC)))[PLACEMENT])
            assert row is not None and row.cluster == "west"


def test_where_the_note_of_nodes_is_wrong_for_now_it_is_accepted_and_waits(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        with_pools(asked, west="not JSON")
        answer = reviewed(asked, review(SPEC))
    row = placements.get(pool, marks(answer)[PLACEMENT])
    assert row is not None and (row.cluster, row.refused_by) == (None, {})
    assert "the node pools of west are not known" in str(row.reason)


def test_what_fits_no_node_anywhere_is_refused_with_the_step_and_the_largest_pool(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        with_pools(asked, west=pools(small=2))
        response = reviewed(asked, review(SPEC))["response"]
    assert not response["allowed"]
    assert "template train asks for cpu 4, memory 1Gi" in response["status"]["message"]
    assert "pool=small, have cpu 2, memory 8Gi" in response["status"]["message"]


def test_a_target_that_names_no_pools_takes_it_as_it_is(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        with_pools(asked)
        answer = reviewed(asked, review(SPEC))
    assert marks(answer)[DECISION].endswith("; nodes: west names no node pools")


def test_in_other_namespaces_nothing_is_said_or_done(pool: Pool) -> None:
    with admission(pool, west=TAKES_IT) as asked:
        answer = reviewed(asked, review(SPEC))
    assert "nodes:" not in marks(answer)[DECISION]
