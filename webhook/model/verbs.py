"""Verbs: what a person did to an origin and the run has yet to follow. Pure.

Argo's CLI, its UI and kubectl all act on a Workflow by changing the object. The webhook sees the change and writes what
it means for the run into an annotation of the same object; the controller applies it on the target and removes the
annotation. So a verb exists exactly if the change it came with does, and it waits there while the target is away.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from webhook.errors import Refused
from webhook.model.bounded_json import read_json
from webhook.model.contract import VERBS
from webhook.model.limits.model import LONGEST_VERBS, PLAIN_VERBS
from webhook.model.nodes import pack, unpacked
from webhook.model.objects import Object, annotations


@dataclass(frozen=True)
class Edit:
    """A changed node: the phase it had before, and the new value of every changed field; None removes a field."""

    phase: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Retry:
    """A retry of a run that has ended. `ended` is the `finishedAt` it had, which tells retries apart."""

    ended: str | None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verb:
    """One change to an origin. `edits` and `removed` use the nodes' ids at the origin."""

    user: str
    shutdown: str | None = None
    suspend: bool | None = None
    edits: Mapping[str, Edit] = field(default_factory=dict)
    removed: Sequence[str] = ()
    outputs: Sequence[Mapping[str, Any]] = ()
    """Output parameters of the Workflow that were set together with a node's."""
    retry: Retry | None = None

    def __bool__(self) -> bool:
        return any((self.shutdown, self.suspend is not None, self.edits, self.removed, self.outputs, self.retry))

    @property
    def word(self) -> str:
        """The verb's name in Argo's CLI."""
        if self.retry:
            return "retry"
        if self.shutdown:
            return self.shutdown.lower()
        if self.suspend:
            return "suspend"
        phases = [edit.fields.get("phase") for edit in self.edits.values()]
        if self.suspend is False or "Succeeded" in phases:
            return "resume"
        return "stop of a node" if "Failed" in phases else "set"


def pending(workflow: Mapping[str, Any]) -> list[Verb]:
    """The verbs that an origin still carries, oldest first; none if the annotation can't be read."""
    text = annotations(workflow).get(VERBS)
    if not text:
        return []
    try:
        return [_read(verb) for verb in (read_json(text.encode()) if text.startswith("[") else unpacked(text))]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def written(verbs: Sequence[Verb]) -> str:
    """The annotation's text. Raises Refused if it is too long to store."""
    plain = [_plain(verb) for verb in verbs]
    text = json.dumps(plain)
    if len(text) > PLAIN_VERBS:
        text = pack(plain)
    if len(text) > LONGEST_VERBS:
        raise Refused(f"{verbs[-1].word} touches more nodes than Medea can pass on at once; do it on the target itself")
    return text


def _plain(verb: Verb) -> Object:
    return {key: value for key, value in asdict(verb).items() if value not in (None, {}, (), [])}


def _read(plain: Object) -> Verb:
    known = dict(plain)
    edits = {node: Edit(edit["phase"], dict(edit["fields"])) for node, edit in known.pop("edits", {}).items()}
    removed, outputs = tuple(known.pop("removed", ())), tuple(dict(one) for one in known.pop("outputs", ()))
    retry = known.pop("retry", None)
    again = Retry(retry["ended"], dict(retry["parameters"])) if retry else None
    if not isinstance(known.get("shutdown"), str | None) or not isinstance(known.get("suspend"), bool | None):
        raise TypeError("no verb of Medea's")
    return Verb(**known, edits=edits, removed=tuple(str(one) for one in removed), outputs=outputs, retry=again)
