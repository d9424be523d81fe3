"""Bodies of requests and answers. Their docstrings appear on the OpenAPI page."""

from pydantic import BaseModel, Field


class AskedJob(BaseModel):
    """A job: so much power, in watt-seconds."""

    power: int = Field(description="watt-seconds; the original's name powerNeeded is taken too", examples=[100])
    name: str | None = Field(default=None, description="a name of the caller's own: the same job is made once")
    namespace: str | None = Field(default=None, description="else that of MEDEA_JOBS_NAMESPACE")
    split: str = Field(default="auto", description="into how many chunks, as the annotation medea.dev/split says it")
    template: str | None = Field(default=None, description="the WorkflowTemplate that serves power, else the default")


class NodeExecution(BaseModel):
    """What a target does, or has done, of a job. Times are Unix seconds, 0 if not yet."""

    powerRequested: int
    startTime: int
    endTime: int
    progress: int = Field(description="percent")


class JobState(BaseModel):
    """How far a job is."""

    phase: str = Field(description="Pending, Running, Succeeded, Failed, Error or Deleted")
    message: str
    percentCompleted: int
    startTime: int
    endTime: int
    execution: dict[str, NodeExecution] = Field(description="by target")


class JobBody(BaseModel):
    """A job."""

    id: int
    name: str
    namespace: str
    powerNeeded: int = Field(description="watt-seconds")
    creationTime: int
    workflow: str = Field(description="its Workflow at the front door")
    state: JobState


class InventoryTarget(BaseModel):
    """A target as it is found: nothing here was asked for."""

    name: str
    usable: bool
    why: str = Field(description="why it can't be used now; empty if it can")
    cpu: dict[str, float | None] = Field(description="cores: quota, usedByOthers, reserved, free; null if not known")
    memory: dict[str, float | None] = Field(description="the same in GiB")
    sampleAge: float | None = Field(description="seconds")
    clusterProfile: str | None = Field(description="the ClusterProfile in which Medea shows the same, if there is one")


class Inventory(BaseModel):
    """What is discovered."""

    namespace: str
    targets: list[InventoryTarget]


class ConfigJob(BaseModel):
    """A job, or another split Workflow, as people asked for it."""

    workflow: str
    job: int | None
    name: str | None
    powerNeeded: int | None
    split: str
    items: int
    submittedBy: str
    creationTime: int


class Config(BaseModel):
    """What people asked for, the newest first."""

    namespace: str
    chunks: str = Field(description="what becomes of chunks on a target that is lost or slow: stay or move")
    jobs: list[ConfigJob]
    truncated: bool


class DesiredRun(BaseModel):
    """What a target shall run."""

    workflow: str
    chunkOf: str | None = Field(description="the Workflow that it is a chunk of")
    state: str
    cpu: float
    memory: float


class DesiredTarget(BaseModel):
    """A target, and what it shall run."""

    name: str
    runs: list[DesiredRun]


class Desired(BaseModel):
    """What each target shall run now, as the ledger has it."""

    namespace: str
    targets: list[DesiredTarget]
    waiting: int = Field(description="Workflows that no target is chosen for yet")
    truncated: bool
