"""Which versions of Kubernetes and Argo Workflows Medea works with, and what a check says of the one found. Pure."""

import re
from dataclasses import dataclass
from enum import Enum

from webhook.model.limits.targets import ARGO_TRIED, KUBERNETES_TRIED, OLDEST_ARGO, OLDEST_KUBERNETES

Minor = tuple[int, int]


class Age(Enum):
    """How a version stands to those that are known to work."""

    TOO_OLD = "too old"
    UNTRIED = "untried"
    TRIED = "tried"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Product:
    """What Medea builds on.

    `oldest` is the first (major, minor) that it works with, `tried` the first and the last that it was run with.
    """

    name: str
    oldest: Minor
    tried: tuple[Minor, Minor]

    def age(self, version: str) -> Age:
        """What is known of a version, as the product writes it: `v1.35.4`, `v3.7.4`, `v4.0.5-fips`."""
        found = re.match(r"v?(\d+)\.(\d+)", version)
        if not found:
            return Age.UNKNOWN
        minor = int(found[1]), int(found[2])
        if minor < self.oldest:
            return Age.TOO_OLD
        return Age.TRIED if self.tried[0] <= minor <= self.tried[1] else Age.UNTRIED

    def words(self, version: str) -> str:
        """The version found, and unless it is one that was tried, the version wanted."""
        match self.age(version):
            case Age.TOO_OLD:
                return f"{self.name} {version}, and Medea needs {_text(self.oldest)} or newer"
            case Age.UNTRIED:
                first, last = map(_text, self.tried)
                seen = first if first == last else f"{first} to {last}"
                return f"{self.name} {version}, and Medea was only run with {seen}"
            case Age.TRIED:
                return f"{self.name} {version}"
        told = version or "none is told"
        return f"{self.name} of an unknown version ({told}), and Medea needs {_text(self.oldest)} or newer"


def _text(minor: Minor) -> str:
    return f"{minor[0]}.{minor[1]}"


KUBERNETES = Product("Kubernetes", OLDEST_KUBERNETES, KUBERNETES_TRIED)
ARGO = Product("Argo Workflows", OLDEST_ARGO, ARGO_TRIED)
