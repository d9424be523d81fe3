"""Policies: which of the targets that fit. Each is a function of the fitting verdicts and a source of chance."""

from collections.abc import Callable, Sequence
from random import Random

from webhook.scout.model import Verdict

Policy = Callable[[Sequence[Verdict], Random], str]


def pick_random(fitting: Sequence[Verdict], chance: Random) -> str:
    """Any of them, each as likely: the original Scout's rule."""
    return chance.choice([verdict.cluster for verdict in fitting])


POLICIES: dict[str, Policy] = {"random": pick_random}
