"""Bodies of requests and answers, as the Orchestrator has them. Their docstrings appear on the OpenAPI page."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema

_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}}


class UploadForm(BaseModel):
    """Files, and for whom and by what they are to be worked on. `file` may be there any number of times."""

    file: Annotated[Any, WithJsonSchema(_FILES)]
    user_id: str = Field(description="whose job it is; believed from callers who may speak for others", examples=["1"])
    service: str = Field(description="the label medea.dev/service of a WorkflowTemplate", examples=["example"])


class JobBody(BaseModel):
    """A job."""

    id: int
    user_id: int | str = Field(description="a number if it was sent as one")
    service: str
    status: str = Field(description="Queued, Submitted, Completed, Failed or Cleaned")
    loc: str = Field(description="where its files are in the store")
    dest_id: str = Field(description="its Workflow at the front door; empty until it is submitted")


class HealthBody(BaseModel):
    """That the door answers, and Postgres."""

    status: str
    database: str


class PingBody(BaseModel):
    """That the door answers."""

    message: str
