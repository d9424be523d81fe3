"""The queue of a class whose jobs are run by workers, and what is put into it. Pure."""

import json
import uuid

from webhook.doors.broker import Message, Queue


def queue_of(name: str) -> Queue:
    """The queue of a class. It is there after RabbitMQ was killed, and so are its messages."""
    return Queue(name, dead_letters=f"{name}.dead")


def message_of(job: str) -> Message:
    """A message that says that there is a job; all else about it is in the ledger."""
    return Message(json.dumps({"job_id": job}).encode(), message_id=job)


def job_in(message: Message) -> str | None:
    """The id of the job that a message speaks of; None if it is none of these."""
    try:
        return checked_id(str(json.loads(message.body)["job_id"]))
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def checked_id(text: str) -> str | None:
    """An id as they are given to jobs; None if it can't be one."""
    try:
        found = str(uuid.UUID(text))
    except ValueError:
        return None
    return found if found == text else None
