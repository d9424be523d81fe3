"""What a job costs, and the class that follows from it. Pure.

The numbers are those of the placement configuration; as they stand here, they are the Cloud Job Orchestrator's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ACTOR, SPARK, ML, BATCH = "actor-jobs", "spark-jobs", "ml-jobs", "batch-jobs"


class Priority(StrEnum):
    """How urgent a job is. It counts in what a job costs, and nowhere else."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class RunBy(StrEnum):
    """What runs the jobs of a class."""

    WORKFLOW = "workflow"
    """A Workflow at the front door, placed like any other."""
    WORKERS = "workers"
    """Processes that take messages from RabbitMQ, and are there already."""


@dataclass(frozen=True)
class Submission:
    """What a job says of itself. `rows` is a number of rows, `runtime` is in seconds; both are 0 or more."""

    rows: int = 1000
    runtime: float = 10.0
    priority: Priority = Priority.NORMAL
    latency_sensitive: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else its class wants to know."""


@dataclass(frozen=True)
class Costs:
    """What makes a job cost 1: so many rows, or so many seconds. `factors` are by priority."""

    rows: float = 1e6
    seconds: float = 10.0
    factors: Mapping[Priority, float] = field(
        default_factory=lambda: {Priority.LOW: 1.0, Priority.NORMAL: 1.0, Priority.HIGH: 1.5}
    )


@dataclass(frozen=True)
class JobClass:
    """One class, which is also the name of its queue."""

    run_by: RunBy = RunBy.WORKFLOW
    clusters: tuple[str, ...] = ()
    """The targets that its Workflows may go to; empty for all."""
    deliveries: int = 3
    """How often a worker may begin a job of it."""
    longest: float = 3600.0
    """Seconds that a worker's command may take."""


@dataclass(frozen=True)
class Rules:
    """The placement configuration. `above` is in falling order of the costs; every class named is in `classes`."""

    classes: Mapping[str, JobClass] = field(
        default_factory=lambda: {ACTOR: JobClass(RunBy.WORKERS), SPARK: JobClass(), ML: JobClass(), BATCH: JobClass()}
    )
    costs: Costs = field(default_factory=Costs)
    latency_sensitive: str | None = ACTOR
    """The class of latency-sensitive jobs, whatever they cost; None if they are as all others."""
    above: tuple[tuple[float, str], ...] = ((10.0, SPARK), (4.0, ML))
    """The class of jobs that cost more than so much."""
    otherwise: str = BATCH


@dataclass(frozen=True)
class Classified:
    """The class of a job, and what it costs."""

    name: str
    cost: float


def cost_of(submission: Submission, costs: Costs) -> float:
    """What a job costs, without a unit."""
    cost = submission.rows / costs.rows + submission.runtime / costs.seconds
    return cost * costs.factors[submission.priority]


def classify(submission: Submission, rules: Rules) -> Classified:
    """The class of a job."""
    cost = cost_of(submission, rules.costs)
    if submission.latency_sensitive and rules.latency_sensitive is not None:
        return Classified(rules.latency_sensitive, cost)
    return Classified(next((name for least, name in rules.above if cost > least), rules.otherwise), cost)
