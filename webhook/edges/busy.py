"""Keeps Medea busy with jobs, as the edge power scheduler's job requester does: some at a time, of any power."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from webhook.errors import MedeaError
from webhook.model.objects import Object

_PATIENCE = 10
"""How often a job is asked for, a second apart, before its failure counts. Its name makes it one job."""

Post = Callable[[Object], Object]
"""Asks for a job; raises MedeaError."""


@dataclass(frozen=True)
class Wish:
    """`rate` are jobs a second; each has from `least` to `most` watt-seconds."""

    rate: float
    least: int
    most: int
    seed: int
    namespace: str | None

    def job(self, number: int) -> Object:
        """The body of a job: for a seed and a number always the same."""
        power = random.Random(f"{self.seed} {number}").randint(self.least, self.most)
        body: Object = {"power": power, "name": f"busy-{self.seed}-{number}"}
        return body if self.namespace is None else {**body, "namespace": self.namespace}


def keep_busy(
    wish: Wish,
    post: Post,
    tell: Callable[[str], None],
    *,
    count: int | None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Ask for `count` jobs, or for ever; returns how many were asked for. Raises MedeaError if one is not taken."""
    number = 0
    while count is None or number < count:
        body = wish.job(number)
        answer = _patiently(post, body, sleep)
        tell(f"job {answer['id']} of {body['power']} watt-seconds: {answer['state']['phase']}")
        number += 1
        sleep(1 / wish.rate)
    return number


def _patiently(post: Post, body: Object, sleep: Callable[[float], None]) -> Object:
    for _ in range(_PATIENCE - 1):
        try:
            return post(body)
        except MedeaError:
            sleep(1.0)
    return post(body)
