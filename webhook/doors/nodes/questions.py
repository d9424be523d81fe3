"""Questions about nodes over RabbitMQ: a Workflow comes in by one queue, and goes out by another.

There are two kinds. A Workflow, in JSON or YAML, with the queue for the answer in `reply_to`. Or the node allocator's
own: `{"hash", "containers": [{"name", "image", "limits", "requests"}]}`, which is answered with the same and a
`nodeSelector` in each, in the queue whose name is the hash.

A question is done when its answer is confirmed, so it may be answered twice, and never not at all. Nothing is
submitted here: who asks is known to RabbitMQ alone.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from webhook.doors.broker import Broker, Message, Outcome, Queue
from webhook.doors.nodes.allocator import answer_of, is_allocators, workflow_of
from webhook.doors.nodes.manifest import Form, Manifest, read_manifest
from webhook.doors.nodes.nodes import Nodes
from webhook.errors import BadRequest, MedeaError, NoQueue, NoRoom, NotTaken, TooLarge, Unavailable, wrong_field
from webhook.kube.client import Cluster
from webhook.model.json_input import parse_json
from webhook.model.limits.nodes import LARGEST_MESSAGE, LONGEST_HEADER_NAME, LONGEST_HEADERS, LONGEST_REASON
from webhook.model.objects import Object

log = structlog.get_logger(__name__)
_HASH = re.compile(r"[0-9a-f]{32}")
_OWN_OF_ONE_CLIENT = ("amq.gen-", "amq.rabbitmq.reply-to.")
_DONE = 200


def dead_letters_of(name: str) -> Queue:
    """The queue for questions that are wrong."""
    return Queue(f"{name}.dead")


@dataclass(frozen=True)
class _Reply:
    """An answer, its HTTP status, and why the question was wrong if it was."""

    body: bytes
    media: str
    status: int = _DONE
    wrong: str | None = None


@dataclass(frozen=True)
class _Question:
    """The queue for the answer, what makes that, and whether the queue is made where there is none."""

    where: str
    answer: Callable[[], _Reply]
    makes_queue: bool


class Questions:
    """Answers them. `front` is Medea's own client of the front door: nothing is done through it but a dry run."""

    def __init__(self, broker: Broker, front: Cluster, nodes: Nodes, queue: str, dead_letters: str) -> None:
        self._broker, self._front, self._nodes = broker, front, nodes
        self._queue, self._dead_letters = queue, dead_letters

    def handle(self, message: Message) -> Outcome:
        """Answer one question. What is wrong is answered with why, and a dead letter too.

        Raises Unavailable while something that it needs is away: it comes again then.
        """
        try:
            asked = self._question(message)
        except BadRequest as error:
            return self._dead(message, error.message)
        reply = self._reply(asked.answer)
        try:
            self._send(asked, _message(message, reply))
        except NoQueue:
            return self._dead(message, f"nobody waits for the answer: there is no queue {asked.where}")
        except NotTaken as error:
            return self._dead(message, f"the answer can't be put into queue {asked.where}: {error.message}")
        return Outcome.DONE if reply.wrong is None else self._dead(message, reply.wrong)

    def _send(self, asked: "_Question", answer: Message) -> None:
        """Raises NoQueue if nobody waits for the answer, NotTaken if their queue takes nothing."""
        try:
            self._broker.publish(asked.where, answer)
        except NoQueue:
            if not asked.makes_queue:
                raise
            # As the original's clients declare it, who may be later than the answer; or come just now.
            with suppress(NotTaken):
                self._broker.declare(Queue(asked.where, durable=False))
            self._broker.publish(asked.where, answer)

    def _question(self, message: Message) -> "_Question":
        """Raises BadRequest if it can't be known where the answer goes."""
        asked = _allocators(message.body)
        if asked is not None:
            where = asked.get("hash")
            if not isinstance(where, str) or not _HASH.fullmatch(where):
                raise wrong_field(BadRequest, "hash", where, "it must be 32 hexadecimal digits")
            return _Question(where, lambda: self._allocated(asked), makes_queue=True)
        # pika has bytes for what is no UTF-8.
        where = message.reply_to if isinstance(message.reply_to, str) else ""
        # Whoever may write to the queue with questions is not to write to others' queues by Medea.
        if not where.startswith((*_OWN_OF_ONE_CLIENT, f"{self._queue}.")) or where == self._dead_letters:
            expected = f"it must be a queue that RabbitMQ has named, or one whose name begins with {self._queue}."
            raise wrong_field(BadRequest, "reply_to", where, expected)
        return _Question(where, lambda: self._placed(message.body), makes_queue=False)

    def _reply(self, answer: Callable[[], _Reply]) -> _Reply:
        try:
            return answer()
        except Unavailable:
            raise
        except MedeaError as error:
            wrong = None if isinstance(error, NoRoom) else error.message
            return _Reply(json.dumps(error.as_json()).encode(), Form.JSON, error.status, wrong)
        except Exception:
            log.exception("bug", queue=self._queue)
            bug = MedeaError("something is wrong inside Medea; its log has the details")
            return _Reply(json.dumps(bug.as_json()).encode(), Form.JSON, bug.status, bug.message)

    def _placed(self, body: bytes) -> _Reply:
        if len(body) > LARGEST_MESSAGE:
            raise TooLarge(f"the message is larger than {LARGEST_MESSAGE} bytes")
        manifest = read_manifest(body)
        answer = self._nodes.place(self._front, self._namespace(manifest), manifest)
        return _Reply(answer.text.encode(), answer.media)

    def _allocated(self, asked: Object) -> _Reply:
        try:
            manifest = Manifest("", Form.JSON, workflow_of(asked))
            choice = self._nodes.choice(self._front, self._namespace(manifest), manifest)
            return _Reply(json.dumps(answer_of(asked, choice)).encode(), Form.JSON)
        except Unavailable:
            raise
        except MedeaError as error:
            # Its clients look for containers, and take one without a selector for one that goes anywhere.
            told = {"hash": asked["hash"], "containers": [], **error.as_json()}
            wrong = None if isinstance(error, NoRoom) else error.message
            return _Reply(json.dumps(told).encode(), Form.JSON, error.status, wrong)

    def _namespace(self, manifest: Manifest) -> str:
        """The one that is set, and no other: whoever reaches the queue is to learn of no other's targets."""
        return self._nodes.namespace_of(self._nodes.namespace, manifest)

    def _dead(self, message: Message, why: str) -> Outcome:
        """Keep it among the dead letters: a queue of the original's passes none on by itself."""
        log.warning("a question about nodes is a dead letter", reason=why, id=message.message_id)
        letter = Message(
            body=message.body[:LARGEST_MESSAGE],
            message_id=message.message_id,
            correlation_id=message.correlation_id,
            content_type=message.content_type,
            headers={**_short(message.headers), "medea-reason": why[:LONGEST_REASON]},
        )
        self._broker.publish(self._dead_letters, letter)
        return Outcome.DONE


def _message(question: Message, reply: _Reply) -> Message:
    return Message(
        body=reply.body,
        message_id=question.message_id,
        correlation_id=question.correlation_id,
        content_type=reply.media,
        headers={"medea-status": str(reply.status)},
    )


def _short(headers: Mapping[str, str]) -> dict[str, str]:
    """As many of them as fit into one frame with what Medea adds: RabbitMQ takes no message with more."""
    kept, left = {}, LONGEST_HEADERS
    for name, value in headers.items():
        if len(name.encode()) > LONGEST_HEADER_NAME:
            continue
        left -= len(name) + len(value)
        if left < 0:
            break
        kept[name] = value
    return kept


def _allocators(body: bytes) -> Object | None:
    """A question of the node allocator's own; None if it is none."""
    if len(body) > LARGEST_MESSAGE or not body.lstrip().startswith(b"{"):
        return None
    try:
        found: Any = parse_json(body)
    except BadRequest:
        return None
    return found if is_allocators(found) else None
