"""What answers questions about nodes over RabbitMQ. Nothing is created at import."""

import threading
from dataclasses import dataclass

from webhook.doors.broker import Address, Broker, Consumer, Queue
from webhook.doors.nodes.nodes import Nodes
from webhook.doors.nodes.questions import Questions, dead_letters_of
from webhook.kube.client import Cluster
from webhook.settings import Settings
from webhook.wiring.parts import check_set


@dataclass(frozen=True)
class QuestionsPlace:
    """Where RabbitMQ is, and the queue with the questions."""

    address: Address
    queue: Queue


def questions_place(settings: Settings) -> QuestionsPlace | None:
    """None where RabbitMQ is not set up. Raises MedeaError with the setting that is missing."""
    if settings.mq_ip is None:
        return None
    wanted = {
        "MQ_RESOURCE_QUE": settings.mq_resource_que,
        "MQ_ID": settings.mq_id,
        "MQ_PASSWD": settings.mq_passwd,
        "ARGO_NAMESPACE": settings.argo_namespace,
    }
    check_set("questions over RabbitMQ (MQ_IP) need", wanted)
    login = str(settings.mq_id), str(settings.mq_passwd)
    address = Address(settings.mq_ip, settings.mq_port, *login, settings.medea_mq_ca)
    return QuestionsPlace(address, Queue(str(settings.mq_resource_que), durable=settings.medea_mq_durable))


def make_questions(
    place: QuestionsPlace, front: Cluster, nodes: Nodes, stopping: threading.Event
) -> list[Broker | Consumer]:
    """What takes them and what sends the answers, not started. `front` is Medea's own client."""
    dead = dead_letters_of(place.queue.name)
    broker = Broker(place.address, [dead])
    questions = Questions(broker, front, nodes, place.queue.name, dead.name)
    return [broker, Consumer(place.address, place.queue, questions.handle, stopping)]
