"""Which Workflows are elastic, and what their users are told."""

import base64
from dataclasses import replace
from typing import Any

import jsonpatch
import pytest

from tests.support.workflows import Object, dag, need, pod, spec, task
from webhook.admission.answer import accepted
from webhook.admission.candidate import Candidate, candidate
from webhook.admission.gather import NOTHING_YET
from webhook.admission.refer import NOTHING_REFERRED
from webhook.admission.stub import AgentPods
from webhook.admission.submission import read_submission
from webhook.admission.weigh import Weighed
from webhook.admission.wire import Review
from webhook.model.contract import Hold
from webhook.model.submitter import Submitter
from webhook.scout.limits import Limit, Own, room
from webhook.scout.model import Decision, Outcome, Verdict
from webhook.totals.demands import one_kind
from webhook.totals.model import Totals

WIDE = spec(dag(task("1", "a", withItems=[1, 2, 3, 4])), pod("a", 400))
SIZES = {
    "executor_num": "2",
    "executor_cores_limit": "1",
    "executor_memory_limit": "1g",
    "driver_cores_limit": "1",
    "driver_memory_limit": "1g",
}
SPARK = spec(
    pod("main", 1), arguments={"parameters": [{"name": name, "value": value} for name, value in SIZES.items()]}
)


def wanted(written: Object, fit: str | None) -> Candidate:
    marks = {} if fit is None else {"medea.dev/fit": fit}
    workflow = {"metadata": {"name": "job", "annotations": marks}, "spec": written}
    review = Review("u", "CREATE", "Workflow", "ns", False, "ann", workflow)
    weighed = Weighed(need(written), NOTHING_YET)
    return candidate(
        review,
        read_submission(workflow),
        workflow,
        weighed,
        NOTHING_REFERRED,
        hold=Hold.NONE,
        caller=None,
        submitter=Submitter("ann"),
        agents=AgentPods(),
    )


@pytest.mark.parametrize(
    ("written", "fit", "largest"),
    [
        (WIDE, None, Totals(400, 400 << 20)),
        (WIDE, "elastic", Totals(400, 400 << 20)),
        (WIDE, "whole", None),
        (SPARK, None, None),
        (SPARK, "whole", None),
        (SPARK, "elastic", Totals(1000, 1 << 30)),
    ],
)
def test_a_spark_workflow_is_a_gang_and_others_are_elastic_unless_their_user_says_otherwise(
    written: Object, fit: str | None, largest: Totals | None
) -> None:
    assert wanted(written, fit).new.largest_pod == largest


def answer(reserved: Totals | None, *verdicts: Verdict) -> Any:
    made, decision = (
        wanted(WIDE, None),
        Decision(Outcome.PLACED, "west: free", "random", 1.0, "west", verdicts, reserved=reserved),
    )
    review = Review("u", "CREATE", "Workflow", "ns", False, "ann", made.workflow)
    return accepted(review, made, decision)["response"]


def test_who_submits_a_wide_one_is_told_that_it_runs_a_few_pods_at_a_time() -> None:
    assert answer(Totals(1000, 1 << 30))["warnings"] == [
        "medea: placed on west: free (needs cpu=1.6, ram=1.56Gi)",
        "medea: it runs a few pods at a time: at its peak it would need more than cpu=1, ram=1Gi",
    ]
    assert len(answer(None)["warnings"]) == 1


def test_who_submits_one_with_more_pods_than_the_quota_allows_is_told_which_quota() -> None:
    limit = room(Limit("q", "pods", 1, 0), one_kind({"pods": 4}, {"pods": 1}), {}, Own(), elastic=True)
    roomy = replace(limit, resource="requests.cpu", hard=1600, peak=1600)
    warnings = answer(None, Verdict("west", limits=(limit, roomy)), Verdict("east", limits=(limit,)))["warnings"]
    assert warnings[1:] == ["medea: it runs a few pods at a time: quota q allows 1 pods of 4"]


def test_who_waits_in_a_long_queue_is_told_its_place_and_why_it_waits() -> None:
    made, place = wanted(WIDE, None), "100 or more are queued before it"
    decision = Decision(Outcome.QUEUED, "west: full", "random", 1.0, place=place)
    review = Review("u", "CREATE", "Workflow", "ns", False, "ann", made.workflow)
    response = accepted(review, made, decision)["response"]
    assert response["warnings"][0] == f"medea: queued {place}; west: full (needs cpu=1.6, ram=1.56Gi)"
    patch = jsonpatch.JsonPatch.from_string(base64.b64decode(response["patch"]).decode())
    marks = patch.apply(made.workflow)["metadata"]["annotations"]
    assert (marks["medea.dev/reason"], marks["medea.dev/decision"]) == (place, "west: full")
