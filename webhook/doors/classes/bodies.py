"""Bodies of requests and answers. Their docstrings appear on the OpenAPI page."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel


class SubmitBody(BaseModel):
    """What a job says of itself. Each of the pairs has two names for the same; nothing has to be there."""

    model_config = ConfigDict(extra="forbid")

    rows: int = Field(default=1000, ge=0, description="how many rows it works on; also nr_of_rows")
    nr_of_rows: int | None = None
    estimated_runtime_sec: float = Field(default=10, ge=0, description="in seconds; also estimated_runtime")
    estimated_runtime: float | None = None
    priority: Literal["low", "normal", "high"] = "normal"
    latency_sensitive: bool = Field(default=False, description="also latency_sensitivity")
    latency_sensitivity: bool | None = None
    data: dict[str, Any] = Field(default_factory=dict, description="whatever else its class wants to know")


class SubmittedBody(BaseModel):
    """A job that is accepted, and where it went."""

    status: str = "submitted"
    job_id: str
    id: str = Field(description="the same")
    job_class: str = Field(serialization_alias="class", examples=["spark-jobs"])
    cost: float
    platform: str = Field(description="workflow or workers")
    target: str = Field(description="the name of its Workflow at the front door, or of the queue")


class JobBody(BaseModel):
    """How a job is."""

    job_id: str
    job_class: str = Field(serialization_alias="class")
    cost: float
    status: str = Field(description="queued, submitted, running, done or failed")
    reason: str = Field(description="why it has failed, or why it was begun again")
    platform: str
    target: str
    deliveries: int = Field(description="how often a worker has begun it")


class QueueBody(BaseModel):
    """How a queue is, which is named as its class."""

    depth: int = Field(description="jobs that wait")
    oldest: float | None = Field(description="seconds that the first of these has waited")
    running: int
    platform: str
    pools: dict[str, int] = Field(description="how many run where: by target, or by `workers`")


class QueuesBody(RootModel[dict[str, QueueBody]]):
    """Each queue, by the name of its class."""


class HealthBody(BaseModel):
    """That the door answers."""

    status: str
