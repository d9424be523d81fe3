"""The Workflow of a job: its class' WorkflowTemplate, with what the job says of itself as parameters. Pure."""

import json

from webhook.ledger.class_jobs import Job
from webhook.model.contract import CLASS_JOB, CLUSTERS, IDENTITY, JOB_CLASS
from webhook.model.objects import Object

_DIGITS = 12


def workflow_name(name: str, job: str) -> str:
    """The name that the Workflow of a job of a class has, from before it is created."""
    return f"{name}-{job.replace('-', '')[:_DIGITS]}"


def workflow_of(job: Job, template: str, *, clusters: tuple[str, ...] = (), results: str | None = None) -> Object:
    """What is created at the front door. Its name is the job's own, so that it is made once.

    `results` is the key under which it may leave files in the store, if there is one.
    """
    annotations = {
        **({IDENTITY: job.submitter} if job.submitter else {}),
        **({CLUSTERS: ",".join(clusters)} if clusters else {}),
    }
    values = {
        "id": job.id,
        "rows": str(job.rows),
        "runtime": f"{job.runtime:.15g}",
        "priority": job.priority,
        "data": json.dumps(job.data),
        **({"results": results} if results else {}),
    }
    return {
        "metadata": {
            "name": job.workflow,
            "labels": {JOB_CLASS: job.name, CLASS_JOB: job.id},
            "annotations": annotations,
        },
        "spec": {
            "workflowTemplateRef": {"name": template},
            "arguments": {"parameters": [{"name": name, "value": value} for name, value in values.items()]},
        },
    }
