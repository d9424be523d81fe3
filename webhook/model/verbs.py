"""Verbs: what a person did to an origin, on its way to the run. Pure.

Argo's CLI, its UI and kubectl all steer a Workflow by changing the object. The webhook sees the change, puts what it
means for the run into an annotation of the same object, and the controller carries it out on the target and takes it
off again. So a verb exists exactly if the change it came with does, and waits there for as long as the target is away.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from webhook.errors import Refused
from webhook.model.contract import VERBS
from webhook.model.nodes import pack, unpacked
from webhook.model.objects import Object, annotations

_PLAIN = 2048
"""Characters up to which the annotation can be read with the naked eye."""
# All annotations of an object together may have 256 KiB.
_LONGEST = 180 * 1024


@dataclass(frozen=True)
class Edit:
    """A changed node: the phase it had before, and every field that has another value now; None removes one."""

    phase: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Retry:
    """A run that has ended is to go on. `ended` is the `finishedAt` it had: a second retry is another one."""

    ended: str | None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verb:
    """One change. `edits` and `removed` name nodes by the ids they have at the origin."""

    user: str
    shutdown: str | None = None
    suspend: bool | None = None
    edits: Mapping[str, Edit] = field(default_factory=dict)
    removed: Sequence[str] = ()
    outputs: Sequence[Mapping[str, Any]] = ()
    """Output parameters of the Workflow that were set with a node's."""
    retry: Retry | None = None

    def __bool__(self) -> bool:
        return any((self.shutdown, self.suspend is not None, self.edits, self.removed, self.outputs, self.retry))

    @property
    def word(self) -> str:
        """The verb as Argo's CLI calls it."""
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
    """The verbs that an origin still carries, oldest first. What can't be read was not written by Medea: no verb."""
    text = annotations(workflow).get(VERBS)
    if not text:
        return []
    try:
        return [_read(verb) for verb in (json.loads(text) if text.startswith("[") else unpacked(text))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def written(verbs: Sequence[Verb]) -> str:
    """The annotation's text. Raises Refused when it is too long to be kept."""
    plain = [_plain(verb) for verb in verbs]
    text = json.dumps(plain)
    if len(text) > _PLAIN:
        text = pack(plain)
    if len(text) > _LONGEST:
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
