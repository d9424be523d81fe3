"""What is known of a Workflow that is split."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from webhook.controller.plan import Facts
from webhook.ledger import placements, splits
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.ledger.splits import Chunk, Split
from webhook.model.limits.splitting import ORIGINALS_KEPT
from webhook.model.objects import Object, spec_of
from webhook.splitting.shape import Fanout, fanout_of


@dataclass(frozen=True)
class Known:
    """A split, as it is now. `original` is the Workflow as its user sent it."""

    row: Placement
    origin: Object
    original: Object
    fanout: Fanout
    split: Split
    chunks: list[Chunk]

    @property
    def name(self) -> str:
        """The origin's name."""
        return str(self.origin["metadata"]["name"])

    @property
    def suspended(self) -> bool:
        """Whether people have suspended the whole: nothing more begins."""
        return bool(spec_of(self.origin).get("suspend"))

    @property
    def waiting(self) -> int:
        """Chunks that have no target yet."""
        return sum(one.phase is None and one.cluster is None for one in self.chunks)

    @property
    def over(self) -> bool:
        """Whether all items are in chunks that have ended."""
        return self.split.cut >= self.split.items and all(one.phase is not None for one in self.chunks)


class Reader:
    """Reads it from the ledger. Originals never change, and some are kept: they may be large."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._lock = pool, threading.Lock()
        self._originals: OrderedDict[str, tuple[Object, Fanout]] = OrderedDict()

    def read(self, facts: Facts) -> Known | None:
        """What is known now; None if the ledger has lost what was to run. Raises Refused if that can't be split."""
        row, origin = facts.row, facts.origin
        assert row is not None and origin is not None
        original, split = self._original(row.placement), splits.get(self._pool, row.placement)
        if original is None or split is None:
            return None
        return Known(row, origin, *original, split, splits.chunks(self._pool, row.placement))

    def _original(self, placement: str) -> tuple[Object, Fanout] | None:
        with self._lock:
            if placement in self._originals:
                self._originals.move_to_end(placement)
                return self._originals[placement]
        found = placements.original(self._pool, placement)
        if found is None:
            return None
        made = found["workflow"], fanout_of(spec_of(found["workflow"]))
        with self._lock:
            self._originals[placement] = made
            while len(self._originals) > ORIGINALS_KEPT:
                self._originals.popitem(last=False)
        return made
