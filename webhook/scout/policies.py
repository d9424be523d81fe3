"""Policies choose among the targets that fit. Each takes the fitting verdicts and a random generator."""

from collections.abc import Callable, Sequence
from random import Random

from webhook.scout.model import Verdict

Policy = Callable[[Sequence[Verdict], Random], str]


def pick_random(fitting: Sequence[Verdict], chance: Random) -> str:
    """Any of them with equal probability, as in the original Scout."""
    return chance.choice([verdict.cluster for verdict in fitting])


_DEFAULT = "random"
POLICIES: dict[str, Policy] = {_DEFAULT: pick_random}


def policy_called(name: str) -> tuple[str, Policy]:
    """The policy of that name, and the name of the policy actually used.

    Admission refuses unknown names, but a row written by another version may still have one. It was accepted, so it is
    placed by the default policy.
    """
    known = name if name in POLICIES else _DEFAULT
    return known, POLICIES[known]
