"""The class of a job: what it costs by the placement configuration, and which class that leads to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.doors.classes.config import read_rules
from webhook.doors.classes.rules import Classified, JobClass, Priority, Rules, RunBy, Submission, classify, cost_of
from webhook.errors import BadRequest

submissions = st.builds(
    Submission,
    rows=st.integers(0, 10**15),
    runtime=st.floats(0, 1e9),
    priority=st.sampled_from(Priority),
    latency_sensitive=st.booleans(),
)


@pytest.mark.parametrize(
    ("submission", "expected"),
    [
        # The three calls of the Cloud Job Orchestrator's README.
        (Submission(100, 1, latency_sensitive=True), Classified("actor-jobs", 0.1001)),
        (Submission(50_000_000, 300, Priority.HIGH), Classified("spark-jobs", 120.0)),
        (Submission(5_000_000, 100), Classified("spark-jobs", 15.0)),
        (Submission(), Classified("batch-jobs", 1.001)),
        (Submission(4_000_000, 0), Classified("batch-jobs", 4.0)),
        (Submission(4_000_001, 0), Classified("ml-jobs", 4.000001)),
        (Submission(10_000_000, 0), Classified("ml-jobs", 10.0)),
        (Submission(10_000_001, 0), Classified("spark-jobs", 10.000001)),
        (Submission(4_000_000, 0, Priority.HIGH), Classified("ml-jobs", 6.0)),
        (Submission(8_000_000, 0, Priority.HIGH), Classified("spark-jobs", 12.0)),
        (Submission(8_000_000, 0, Priority.LOW), Classified("ml-jobs", 8.0)),
        (Submission(10**15, 1e9, latency_sensitive=True), Classified("actor-jobs", 1_100_000_000.0)),
    ],
)
def test_a_job_has_the_class_that_its_cost_leads_to(submission: Submission, expected: Classified) -> None:
    found = classify(submission, Rules())
    assert found.name == expected.name
    assert found.cost == pytest.approx(expected.cost)


@given(submissions)
def test_a_latency_sensitive_job_is_an_actors_whatever_it_costs(submission: Submission) -> None:
    found = classify(submission, Rules())
    assert (found.name == "actor-jobs") == submission.latency_sensitive


@given(submissions, st.integers(0, 10**15))
def test_more_rows_never_cost_less(submission: Submission, rows: int) -> None:
    more = Submission(max(rows, submission.rows), submission.runtime, submission.priority)
    assert cost_of(more, Rules().costs) >= cost_of(submission, Rules().costs)


@given(submissions)
def test_each_class_is_one_that_is_set_up(submission: Submission) -> None:
    assert classify(submission, Rules()).name in Rules().classes


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "cost: {}\n"])
def test_a_configuration_that_says_nothing_is_the_original_one(text: str) -> None:
    assert read_rules(text) == Rules()


def test_a_configuration_changes_what_it_says() -> None:
    rules = read_rules(
        """
        cost: {rows: 2000000, seconds: 60, priorities: {high: 2}}
        latency_sensitive: null
        above:
        - {cost: 7, class: big}
        - {cost: 0.5, class: spark-jobs}
        otherwise: small
        classes:
          big: {clusters: [west, east]}
          spark-jobs: {run_by: workers, deliveries: 1, longest: 60}
        """
    )
    assert rules.classes == {
        "big": JobClass(clusters=("west", "east")),
        "spark-jobs": JobClass(RunBy.WORKERS, deliveries=1, longest=60.0),
        "small": JobClass(),
    }
    assert classify(Submission(4_000_000, 120, Priority.HIGH, latency_sensitive=True), rules) == Classified("big", 8.0)
    assert classify(Submission(1_000_000, 60), rules) == Classified("spark-jobs", 1.5)
    assert classify(Submission(0, 0), rules) == Classified("small", 0.0)


def test_what_runs_a_class_stays_if_only_its_limits_are_named() -> None:
    rules = read_rules("classes: {actor-jobs: {deliveries: 5}}")
    assert rules.classes["actor-jobs"] == JobClass(RunBy.WORKERS, deliveries=5)
    assert rules.classes["spark-jobs"] == JobClass()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[1", "MEDEA_CLASSES_CONFIG"),
        ("- 1", "MEDEA_CLASSES_CONFIG"),
        ("a: 1\n---\nb: 2\n", "documents"),
        ("costs: {rows: 1}", "costs"),
        ("cost: {rows: 1.0e-300}", "cost.rows"),
        ("cost: {priorities: {high: 1.0e+300}}", "priorities.high"),
        ("cost: {rows: 0}", "cost.rows"),
        ("cost: {rows: -1}", "cost.rows"),
        ("cost: {seconds: .nan}", "cost.seconds"),
        ("cost: {seconds: .inf}", "cost.seconds"),
        ("cost: {seconds: '10'}", "cost.seconds"),
        ("cost: {priorities: {urgent: 2}}", "urgent"),
        ("cost: {priorities: {high: -1}}", "priorities.high"),
        ("latency_sensitive: Actor Jobs", "latency_sensitive"),
        ("above: [{cost: 1, class: a-b}, {cost: 2, class: c}]", "above"),
        ("above: [{cost: 1, class: a-b}, {cost: 1, class: c}]", "above"),
        ("above: [{cost: 1}]", "class"),
        ("otherwise: ../x", "otherwise"),
        ("classes: {sparks: {}}", "sparks"),
        ("classes: {spark-jobs: {run_by: magic}}", "run_by"),
        ("classes: {spark-jobs: {deliveries: 0}}", "deliveries"),
        ("classes: {spark-jobs: {deliveries: true}}", "deliveries"),
        ("classes: {spark-jobs: {clusters: ['a,b']}}", "clusters"),
        ("classes: {actor-jobs: {clusters: [west]}}", "clusters"),
        ("a: &a [1]\nb: &b [*a,*a]\n" * 3, "MEDEA_CLASSES_CONFIG"),
    ],
)
def test_a_wrong_configuration_is_refused_by_the_name_of_its_part(text: str, named: str) -> None:
    with pytest.raises(BadRequest, match=named.replace(".", r"\.")):
        read_rules(text)
