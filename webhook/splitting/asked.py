"""The annotation that asks for a Workflow to be split. Pure."""

from dataclasses import dataclass

from webhook.errors import Refused, wrong_field
from webhook.model.contract import SPLIT
from webhook.model.limits.splitting import MOST_CHUNKS

AUTO = "auto"


@dataclass(frozen=True)
class Asked:
    """Into how many chunks; None: as the room of the targets suggests."""

    chunks: int | None

    def __str__(self) -> str:
        return AUTO if self.chunks is None else str(self.chunks)


@dataclass(frozen=True)
class NewSplit:
    """What is to be split: how, and how many items there are."""

    asked: Asked
    items: int

    @property
    def words(self) -> str:
        """For people."""
        if self.asked.chunks is None:
            return f"{self.items} items into chunks by the room of the targets"
        return f"{self.items} items into {min(self.asked.chunks, self.items)} chunks"


def asked(value: str | None) -> Asked | None:
    """What the annotation says; None if there is none. Raises Refused."""
    if value is None:
        return None
    text = value.strip()
    if text == AUTO:
        return Asked(None)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
    if not 1 <= number <= MOST_CHUNKS:
        expected = f'it must be "{AUTO}", or how many chunks there shall be, from 1 to {MOST_CHUNKS}'
        raise wrong_field(Refused, f"annotation {SPLIT}", value, expected)
    return Asked(number)
