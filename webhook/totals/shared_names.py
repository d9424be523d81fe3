"""Which locks and caches a Workflow names: its own, and those of every template that it may run."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from webhook.model.limits.admission import (
    SHARED_MOST_CALLS,
    SHARED_MOST_NAMES,
    SHARED_MOST_NOTES,
    WEIGH_DEEPEST_CREATED,
)
from webhook.model.objects import mapping
from webhook.totals.lookup import Found, Lookup
from webhook.totals.loops import rounds_of
from webhook.totals.manifests import created_objects, is_workflow
from webhook.totals.merged import over_template, with_defaults
from webhook.totals.naming import Naming, named_by, names_anything
from webhook.totals.running import runs
from webhook.totals.scope import inside, workflow_parameters
from webhook.totals.shape import Name, Spec, groups_of, hooks_of, inner_templates, named_templates, tasks_of
from webhook.totals.tags import Bindings, filled
from webhook.totals.unknowns import Unknowns

_MORE = f"it names more than {SHARED_MOST_NAMES} locks and caches; the others hold only within its target"
_TOO_LARGE = "it is too large for all its locks and caches to be found; the others hold only within its target"


@dataclass(frozen=True)
class Shared:
    """The names that are known, as `webhook.model.shared_names` writes them; `notes` say which are not, and why."""

    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


NOTHING_SHARED = Shared()


def shared_by(spec: Spec, namespace: str, library: Mapping[Name, Spec]) -> Shared:
    """What a Workflow in `namespace` shares by name; `library` has the WorkflowTemplates that it refers to.

    A template that is certainly not run counts for nothing; one whose condition is not known counts.
    """
    if not any(_may_name(one) for one in (spec, *library.values())):
        return NOTHING_SHARED
    search = _Search(library)
    search.follow(spec, namespace, 0)
    return Shared(tuple(search.found.names)[:SHARED_MOST_NAMES], tuple(islice(search.notes(), SHARED_MOST_NOTES)))


def _may_name(spec: Spec) -> bool:
    """Whether anything in a spec names a lock or a cache. Most Workflows don't, and are not followed any further."""
    own = (spec, mapping(spec.get("templateDefaults")), *named_templates(spec).values())
    every = (inner for one in own for inner in inner_templates(one))
    return any(names_anything(one) or "manifest" in mapping(one.get("resource")) for one in every)


@dataclass(frozen=True)
class _Call:
    caller: Spec
    lookup: Lookup
    known: Bindings


@dataclass
class _Search:
    """Follows the calls of templates, each once with the same inputs."""

    library: Mapping[Name, Spec]
    found: Naming = field(default_factory=Naming)
    _calls: int = 0

    def notes(self) -> Iterator[str]:
        """What people should know of it, the most important first."""
        if len(self.found.names) > SHARED_MOST_NAMES:
            yield _MORE
        if self._calls > SHARED_MOST_CALLS:
            yield _TOO_LARGE
        yield from self.found.notes

    def follow(self, spec: Spec, namespace: str, depth: int) -> None:
        """Look into a Workflow: the submitted one, or one that is created `depth` Workflows deep."""
        template_spec = self._template_spec(spec)
        if template_spec is None:
            return
        whole = over_template(spec, template_spec)
        known = {**workflow_parameters(spec, template_spec), "workflow.namespace": namespace}
        named_by(whole, namespace, known, self.found)
        lookup = Lookup("", named_templates(whole), self.library)
        callers: list[Spec] = [{"template": whole.get("entrypoint"), "arguments": whole.get("arguments")}]
        callers += [hook for _, hook in hooks_of(whole)]
        seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
        waiting = deque(_Call(caller, lookup, known) for caller in callers)
        while waiting and len(self.found.names) <= SHARED_MOST_NAMES:
            call = waiting.popleft()
            found = call.lookup.find(call.caller, call.known, Unknowns())
            if found is None:
                continue
            template = with_defaults(found.template, mapping(whole.get("templateDefaults")))
            bound = inside(template, call.caller.get("arguments"), call.known)
            key = (found.key, frozenset(bound.items()))
            if key not in seen:
                seen.add(key)
                named_by(template, namespace, bound, self.found)
                self._created(template, bound, namespace, depth + 1)
                waiting += self._counted(_calls_in(template, found, bound))

    def _counted(self, calls: Iterator[_Call]) -> Iterator[_Call]:
        for call in calls:
            self._calls += 1
            if self._calls > SHARED_MOST_CALLS:
                return
            yield call

    def _template_spec(self, spec: Spec) -> Spec | None:
        reference = mapping(spec.get("workflowTemplateRef"))
        if not reference:
            return {}
        name = Name(filled(str(reference.get("name")), {}), reference.get("clusterScope") is True)
        return self.library.get(name)

    def _created(self, template: Spec, known: Bindings, namespace: str, depth: int) -> None:
        """Workflows that a template creates run on the same target, and share names there as well."""
        if depth > WEIGH_DEEPEST_CREATED:
            return
        for one in created_objects(template, known) or []:
            if is_workflow(one):
                where = mapping(one.get("metadata")).get("namespace")
                self.follow(mapping(one.get("spec")), where if isinstance(where, str) and where else namespace, depth)


def _calls_in(template: Spec, found: Found, known: Bindings) -> Iterator[_Call]:
    tasks = [*tasks_of(template), *(step for group in groups_of(template) for step in group)]
    for task in tasks:
        for told in rounds_of(task, known):
            if runs(task, told) is not False:
                yield _Call(task, found.lookup, told)
            for _, hook in hooks_of(task):
                yield _Call(hook, found.lookup, told)
