"""What a Workflow refers to, and what is known of that on a target. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from webhook.model.objects import Object, mappings, texts


class Kind(StrEnum):
    """The kinds that are looked up, by their names in Kubernetes."""

    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105 a kind
    CLAIM = "PersistentVolumeClaim"
    ACCOUNT = "ServiceAccount"
    PRIORITY_CLASS = "PriorityClass"


@dataclass(frozen=True, order=True)
class Reference:
    """One object that a run needs in its namespace on a target.

    `keys` are what parameters read of a ConfigMap, whose label must then say that it has parameters. What is
    `elsewhere_too` Argo takes from its own namespace where this one lacks it, so that its absence means nothing.
    """

    kind: Kind
    name: str
    keys: tuple[str, ...] = ()
    elsewhere_too: bool = False

    @property
    def words(self) -> str:
        """What people call it."""
        return f"{self.kind} {self.name}"

    def as_json(self) -> Object:
        """For the ledger."""
        rest = {"keys": list(self.keys), "elsewhere_too": self.elsewhere_too}
        return {"kind": str(self.kind), "name": self.name, **{key: value for key, value in rest.items() if value}}


References = tuple[Reference, ...]


def references_of(written: Any) -> References:
    """References from the ledger. Those of kinds that only a newer version knows are left out."""
    kinds = {str(kind): kind for kind in Kind}
    return tuple(
        Reference(kinds[one["kind"]], one["name"], tuple(texts(one.get("keys"))), one.get("elsewhere_too") is True)
        for one in mappings(written)
        if one.get("kind") in kinds and isinstance(one.get("name"), str)
    )


@dataclass(frozen=True)
class Seen:
    """What a target answered about one reference. `there` is None if that is not known.

    `words` say what is wrong if it isn't there as it must be, or why that is not known. `values` are those of the
    reference's keys.
    """

    there: bool | None
    words: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Shortfall:
    """What one target lacks, what it is still being asked for, and what it could not say whether it has.

    Each a sentence without a subject, or None.
    """

    lacks: str | None = None
    pending: str | None = None
    unsure: str | None = None


NO_SHORTFALL = Shortfall()


def shortfall(answers: Iterable[tuple[Reference, Seen | None]]) -> Shortfall:
    """What a target's answers come to; None is one that it has not given yet."""
    lacks, pending, unsure = list[str](), list[str](), dict[str, list[str]]()
    for reference, seen in answers:
        if seen is None:
            pending.append(reference.words)
        elif seen.there is None:
            unsure.setdefault(seen.words, []).append(reference.words)
        elif not seen.there and reference.elsewhere_too:
            unsure.setdefault("only Argo's own namespace may have it", []).append(reference.words)
        elif not seen.there:
            lacks.append(seen.words)
    known = "; ".join(f"not known whether it has {', '.join(words)}: {why}" for why, words in unsure.items())
    asked = f"is being asked whether it has {', '.join(pending)}" if pending else None
    return Shortfall("; ".join(lacks) or None, asked, known or None)
