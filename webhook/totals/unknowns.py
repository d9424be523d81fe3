"""What could not be known of a Workflow that was weighed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from webhook.totals.shape import Name
from webhook.totals.tags import UNKNOWN

RESOURCES = ("cpu", "memory")


@dataclass
class Unknowns:
    """What could not be known: containers without a limit, by resource, and sentences for people.

    `missing` are WorkflowTemplates that nobody has read yet, because their names come from parameters.
    """

    unlimited: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: {one: set() for one in RESOURCES})
    sentences: dict[str, None] = field(default_factory=dict)
    missing: dict[Name, None] = field(default_factory=dict)

    def say(self, sentence: str) -> None:
        """Add a sentence, unless it is there already."""
        self.sentences[sentence] = None

    def lack(self, to: Name, written: str) -> None:
        """Note that a WorkflowTemplate is not at hand; `written` is its name before parameters are filled in."""
        if UNKNOWN in to.name:
            self.say(f"WorkflowTemplate {written} is known only when it runs, and is not counted")
        else:
            self.say(f"WorkflowTemplate {to.name} does not exist, and is not counted")
            self.missing[to] = None

    def notes(self) -> tuple[str, ...]:
        """Everything unknown, as short sentences."""
        lacking: dict[frozenset[tuple[str, str]], list[str]] = {}
        for resource in RESOURCES:
            if self.unlimited[resource]:
                lacking.setdefault(frozenset(self.unlimited[resource]), []).append(f"limits.{resource}")
        return (*(_lacking(sorted(where), words) for where, words in lacking.items()), *self.sentences)


def _lacking(where: Sequence[tuple[str, str]], words: Sequence[str]) -> str:
    number = f"{len(where)} container{'s' if len(where) > 1 else ''}"
    which = "e.g. template" if len(where) > 1 else "template"
    return f"{number} without {' and '.join(words)}, {which} {where[0][0]}"
