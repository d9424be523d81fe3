"""The filter of targets that lack what a Workflow refers to. Pure.

Unlike room, nothing frees what is missing: somebody has to make it there. So a new Workflow that no target has all for
is refused; one that was accepted before waits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from webhook.references.model import NO_SHORTFALL, References, Shortfall
from webhook.scout.model import Decision, Obstacle, Target, Verdict


class Presence(Protocol):
    """What is known of what targets have."""

    @property
    def changes(self) -> int:
        """How often that has become something else."""

    def shortfalls(self, namespace: str, references: References, targets: Iterable[str]) -> Mapping[str, Shortfall]:
        """What each of these targets lacks, as far as is known now. Never waits."""


class NothingKnown:
    """For those who place nothing that refers to anything."""

    changes = 0

    def shortfalls(self, _namespace: str, _references: References, _targets: Iterable[str]) -> Mapping[str, Shortfall]:
        """Nothing."""
        return {}


NOTHING_KNOWN: Presence = NothingKnown()


def with_shortfalls(targets: Sequence[Target], found: Mapping[str, Shortfall]) -> Sequence[Target]:
    """The targets, with what each lacks for one request."""
    return [replace(one, shortfall=found.get(one.name, NO_SHORTFALL)) for one in targets] if found else targets


def unsure_of(targets: Iterable[Target], cluster: str) -> str:
    """What to add to the reason for placing something on `cluster`: what it is not known to have."""
    unsure = next((one.shortfall.unsure for one in targets if one.name == cluster), None)
    return f"; {unsure}" if unsure else ""


def lacking(decision: Decision) -> tuple[str, ...]:
    """The targets that lack something, in order of their names."""
    return tuple(sorted(one.cluster for one in decision.verdicts if one.obstacle is Obstacle.LACKING))


def none_has_it(verdicts: Sequence[Verdict]) -> bool:
    """Whether no target can take it, and something is lacking on one at least."""
    hopeless = (Obstacle.LACKING, Obstacle.TOO_SMALL)
    return any(one.obstacle is Obstacle.LACKING for one in verdicts) and all(
        one.obstacle in hopeless for one in verdicts
    )
