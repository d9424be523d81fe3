"""What an uninstallation tells: what was done, and what was not, with the command that does it by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from webhook.errors import MedeaError


@dataclass
class Report:
    """`say` prints a line."""

    say: Callable[[str], None]
    left: list[str] = field(default_factory=list)

    def done(self, line: str) -> None:
        """Something was done."""
        self.say(line)

    def leave(self, what: str, by_hand: str = "") -> None:
        """Something could not be done."""
        self.left.append(what)
        self.say(f"NOT DONE: {what}")
        if by_hand:
            self.say(f"  by hand: {by_hand}")

    @contextmanager
    def step(self, what: str, by_hand: str = "") -> Iterator[None]:
        """A step that may fail without keeping others from being done."""
        try:
            yield
        except MedeaError as error:
            self.leave(f"{what}: {error.message}", by_hand)
