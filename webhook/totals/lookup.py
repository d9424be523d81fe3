"""Finds the template that a task, a step or a hook calls."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.model.objects import mapping
from webhook.totals.shape import Name, Spec, named_templates, text
from webhook.totals.tags import UNKNOWN, Bindings, filled
from webhook.totals.unknowns import Unknowns


@dataclass(frozen=True)
class Lookup:
    """Where names are looked up: in the Workflow itself (`key` is empty), or in the WorkflowTemplate around them."""

    key: str
    templates: Mapping[str, Spec]
    library: Mapping[Name, Spec]

    def find(self, caller: Spec, known: Bindings, unknowns: Unknowns) -> "Found | None":
        """The template that is called. None, with a note in `unknowns`, if it can't be known or doesn't exist."""
        if isinstance(caller.get("inline"), Mapping):
            return Found(caller["inline"], self, f"{self.key}/inline {id(caller)}")
        reference = mapping(caller.get("templateRef"))
        there = self._elsewhere(reference, known, unknowns) if reference else self
        wanted = text(reference.get("template") if reference else caller.get("template")) or ""
        name = filled(wanted, known)
        if there is None:
            return None
        template = there.templates.get(name)
        if template is None:
            why = "is known only when it runs" if UNKNOWN in name else "does not exist"
            unknowns.say(f"template {wanted or 'without a name'} {why}, and is not counted")
            return None
        return Found(template, there, f"{there.key}/{name}")

    def _elsewhere(self, reference: Spec, known: Bindings, unknowns: Unknowns) -> "Lookup | None":
        to = Name(filled(str(reference.get("name")), known), reference.get("clusterScope") is True)
        spec = self.library.get(to)
        if spec is None:
            unknowns.lack(to, str(reference.get("name")))
            return None
        return Lookup(f"{'cluster ' if to.cluster else ''}{to.name}", named_templates(spec), self.library)


@dataclass(frozen=True)
class Found:
    """A template, where names inside it are looked up, and a key unique to it."""

    template: Spec
    lookup: Lookup
    key: str
