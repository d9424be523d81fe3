"""Whether a name that a submission was given is free, asked before room is promised for what could never come."""

from webhook.admission.submission import Submission
from webhook.errors import AlreadyExists, BadRequest
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.model.deadline import Deadline
from webhook.model.limits import NAME_TIMEOUT


def check_free(front: Cluster, namespace: str, submission: Submission, deadline: Deadline) -> None:
    """Raises AlreadyExists, in the words and with the reason of an apiserver: it would refuse the origin later.

    Somebody who tries again and again under one name would hold all the room there is, until each try expires.
    """
    if submission.name is None:
        return
    try:
        name = checked_name("metadata.name", submission.name)
    except BadRequest:
        # The apiserver has words of its own for a name that is none.
        return
    timeout = deadline.timeout(NAME_TIMEOUT, f"to look whether {name} is free")
    if front.find(WORKFLOWS, namespace, name, read_timeout=timeout) is not None:
        raise AlreadyExists(f'workflows.argoproj.io "{name}" already exists')
