"""The Workflow of a job: its service's WorkflowTemplate, with the files as an artifact. Pure.

Only keys are given: each target has the store in its own configuration of Argo, with credentials of its own.
"""

from webhook.ledger.file_jobs import Job
from webhook.model.contract import FILE_JOB, FILE_USER, IDENTITY, SERVICE
from webhook.model.objects import Object

INPUT = "input"
"""The artifact with the files, a zip."""
RESULTS = "results"
"""The parameter with the key under which the template leaves its results, as Argo packs them: a .tgz."""


def input_key(folder: str) -> str:
    """Where the files of a job are in the store."""
    return f"{folder}/input.zip"


def results_key(folder: str) -> str:
    """Where its results will be."""
    return f"{folder}/results.tgz"


def workflow_of(job: Job, template: str) -> Object:
    """What is created at the front door. Its name is the job's own, so that it is made once."""
    annotations = {FILE_USER: job.user_id, **({IDENTITY: job.uploader} if job.uploader else {})}
    artifact = {"name": INPUT, "s3": {"key": input_key(job.folder)}, "archive": {"zip": {}}}
    return {
        "metadata": {
            "name": job.workflow,
            "labels": {SERVICE: job.service, FILE_JOB: str(job.id)},
            "annotations": annotations,
        },
        "spec": {
            "workflowTemplateRef": {"name": template},
            "arguments": {
                "artifacts": [artifact],
                "parameters": [{"name": RESULTS, "value": results_key(job.folder)}],
            },
        },
    }
