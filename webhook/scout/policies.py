"""Policies: which of the targets that fit. Each is a function of the fitting verdicts and a source of chance."""

from collections.abc import Callable, Sequence
from random import Random

from webhook.scout.model import Verdict

Policy = Callable[[Sequence[Verdict], Random], str]


def pick_random(fitting: Sequence[Verdict], chance: Random) -> str:
    """Any of them, each as likely: the original Scout's rule."""
    return chance.choice([verdict.cluster for verdict in fitting])


_DEFAULT = "random"
POLICIES: dict[str, Policy] = {_DEFAULT: pick_random}


def policy_called(name: str) -> tuple[str, Policy]:
    """The policy of that name, with the name it really has.

    Admission refuses names that there are not; a row may still carry one, from a version that knew it. It was accepted,
    so it is placed all the same, by the default.
    """
    known = name if name in POLICIES else _DEFAULT
    return known, POLICIES[known]
