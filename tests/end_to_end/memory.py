"""What was seen on a cluster without Medea, from one run of the tests to the next.

That depends on Argo, and on what is submitted, and on nothing of Medea's. To see it takes as many pods as the test
itself, so that is done when one of them has changed, or the cache is empty. What differs from it is seen anew: it may
have been chance then.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from tests.lab.golang import CACHE


class Memory:
    """A file of the cache: values of JSON by their keys."""

    def __init__(self, name: str) -> None:
        self._file = CACHE / f"{name}.json"

    def known(self) -> dict[str, Any]:
        """All that is there."""
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}

    def keep(self, seen: Mapping[str, Any]) -> None:
        """Keep these for the next run, too."""
        fresh = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        fresh.write_text(json.dumps({**self.known(), **seen}, indent=1))
        fresh.rename(self._file)


def key(*texts: str) -> str:
    """A key that changes with each of these texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
