"""Checks that a submission's name is free, before room is reserved for a Workflow that could never be created."""

from webhook.admission.submission import Submission
from webhook.errors import AlreadyExists, BadRequest
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.model.deadline import Deadline
from webhook.model.limits.admission import NAME_TIMEOUT


def check_free(front: Cluster, namespace: str, submission: Submission, deadline: Deadline) -> None:
    """Raises AlreadyExists, with an apiserver's message and reason, since the apiserver would refuse the origin later.

    Otherwise somebody who keeps trying with the same name would hold all the room, until each attempt expires.
    """
    if submission.name is None:
        return
    try:
        name = checked_name("metadata.name", submission.name)
    except BadRequest:
        # The apiserver itself refuses an invalid name, with its own message.
        return
    timeout = deadline.timeout(NAME_TIMEOUT, f"to look whether {name} is free")
    if front.find(WORKFLOWS, namespace, name, read_timeout=timeout) is not None:
        raise AlreadyExists(f'workflows.argoproj.io "{name}" already exists')
