"""Bodies of requests and answers, as pydantic models. Their docstrings appear on the OpenAPI page."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Pairs = Annotated[str, Field(description="key=value, with commas between", examples=["team=blue"])]
Amount = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]


class AskBody(BaseModel):
    """The scout's question, as the original Scout took it: cores, and GiB."""

    model_config = ConfigDict(extra="forbid")

    namespace: str = Field(examples=["argo-workflows"])
    cpu: Amount = Field(description="cores", examples=[3])
    ram: Amount = Field(description="GiB", examples=[12.25])


class Chosen(BaseModel):
    """The scout's answer."""

    cluster: str
    reason: str


class SubmitOptions(BaseModel):
    """The part of argo-server's submit options that a WorkflowTemplate is submitted with."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    generateName: str | None = None
    labels: Pairs = ""
    annotations: Pairs = ""
    parameters: list[str] = Field(default_factory=list, examples=[["executor_num=2"]])
    entryPoint: str | None = None
    serviceAccount: str | None = None
    priority: int | None = None


class SubmitBody(BaseModel):
    """Submit a WorkflowTemplate, as argo-server's submit call takes it."""

    model_config = ConfigDict(extra="forbid")

    namespace: str | None = None
    resourceKind: Literal["WorkflowTemplate", "ClusterWorkflowTemplate"]
    resourceName: str
    submitOptions: SubmitOptions = SubmitOptions()


class VerbBody(BaseModel):
    """A verb, as argo-server takes it. What of the path is repeated here must be the same."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    namespace: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The verb's options, without those that were not set."""
        return self.model_dump(exclude={"name", "namespace"}, exclude_defaults=True)


NodeSelector = Annotated[str, Field(description="which nodes, by Argo's fields", examples=["displayName=approve"])]


class ResumeBody(VerbBody):
    """Resume the Workflow, or only those of its suspended nodes that the selector matches."""

    nodeFieldSelector: NodeSelector = ""


class StopBody(ResumeBody):
    """Stop the Workflow, or end the suspended nodes that the selector matches as failed."""

    message: str = ""


class SetBody(StopBody):
    """Set phase, message or outputs of suspended nodes."""

    phase: str = ""
    outputParameters: str = Field(default="", description="names and values, a JSON object as text")


class RetryBody(ResumeBody):
    """Run what failed once more."""

    restartSuccessful: bool = False
    parameters: list[str] = Field(default_factory=list, examples=[["executor_num=2"]])


class ResubmitBody(VerbBody):
    """Submit it once more as a new Workflow."""

    memoized: bool = False
    parameters: list[str] = Field(default_factory=list, examples=[["executor_num=2"]])


VERB_BODIES: dict[str, type[VerbBody]] = {
    "stop": StopBody,
    "terminate": VerbBody,
    "suspend": VerbBody,
    "resume": ResumeBody,
    "retry": RetryBody,
    "resubmit": ResubmitBody,
    "set": SetBody,
}


class StepBody(VerbBody):
    """A step about another Workflow, which `name` names."""

    name: str
    call: str = Field(default="", description="any text, to set apart two calls that are the same otherwise")

    @property
    def options(self) -> dict[str, Any]:
        """The verb's options that argo-server knows, without those that were not set."""
        return self.model_dump(exclude={"name", "namespace", "call"}, exclude_defaults=True)


class StopStep(StopBody, StepBody):
    """Stop another Workflow, and wait until it has ended."""


class ResumeStep(ResumeBody, StepBody):
    """Resume another Workflow."""


class RetryStep(RetryBody, StepBody):
    """Retry another Workflow."""


STEP_BODIES: dict[str, type[StepBody]] = {
    "get": StepBody,
    "delete": StepBody,
    "stop": StopStep,
    "terminate": StepBody,
    "suspend": StepBody,
    "resume": ResumeStep,
    "retry": RetryStep,
}


class RunStep(BaseModel):
    """Place a sub-Workflow."""

    model_config = ConfigDict(extra="forbid")

    class Manifest(BaseModel):
        """A Workflow as people write it."""

        model_config = ConfigDict(extra="forbid")

        class Metadata(BaseModel):
            """What of it a sub-Workflow may have."""

            model_config = ConfigDict(extra="forbid")

            name: str | None = None
            generateName: str | None = None
            namespace: str | None = None
            labels: dict[str, str] = Field(default_factory=dict)
            annotations: dict[str, str] = Field(default_factory=dict)

        apiVersion: Literal["argoproj.io/v1alpha1"] = "argoproj.io/v1alpha1"
        kind: Literal["Workflow"] = "Workflow"
        metadata: Metadata = Metadata()
        spec: dict[str, Any] = Field(min_length=1)

    workflow: Manifest
    call: str = Field(default="", description="any text, to set apart two calls that are the same otherwise")


class PluginBody(BaseModel):
    """What the executor plugin forwards: which Workflow asks, and for what."""

    model_config = ConfigDict(extra="forbid")

    class Workflow(BaseModel):
        """The Workflow whose agent asks."""

        name: str
        namespace: str
        uid: str = ""

    workflow: Workflow
    call: dict[str, dict[str, Any]]


class ErrorBody(BaseModel):
    """The one shape of errors."""

    class Error(BaseModel):
        """A stable word for programs, and a sentence for people."""

        model_config = ConfigDict(extra="allow")

        code: str
        message: str

    error: Error
