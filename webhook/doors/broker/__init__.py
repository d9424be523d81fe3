"""RabbitMQ: the only room that knows its client."""

from webhook.doors.broker.calls import Broker
from webhook.doors.broker.consumer import Consumer
from webhook.doors.broker.messages import Address, Message, Outcome, Queue, Size

__all__ = ["Address", "Broker", "Consumer", "Message", "Outcome", "Queue", "Size"]
