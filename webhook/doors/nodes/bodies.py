"""Bodies of requests and answers. Their docstrings appear on the OpenAPI page."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class WorkflowBody(BaseModel):
    """A Workflow, as argo, kfp 1.8 or Hera write it; YAML is taken as well as JSON."""

    model_config = ConfigDict(extra="allow")

    apiVersion: Literal["argoproj.io/v1alpha1"]
    kind: Literal["Workflow"]
    metadata: dict[str, Any] = Field(examples=[{"generateName": "boston-housing-pipeline-"}])
    spec: dict[str, Any]


class SubmittedBody(BaseModel):
    """Where a submitted Workflow is."""

    status: str = Field(description="success: it is at the front door")
    name: str
    namespace: str
    cluster: str | None = Field(description="the target it was placed on; null while it waits for room")
    state: str = Field(description="placed or queued")
    reason: str


class PlaceQuery(BaseModel):
    """Which namespace."""

    namespace: str | None = Field(default=None, description="else metadata.namespace, else ARGO_NAMESPACE")
