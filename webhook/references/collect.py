"""Finds what a Workflow refers to, in its own templates and in those of its WorkflowTemplates. Pure.

Only what may run counts: a template that nothing calls needs nothing. Names are followed as far as they are known
before it runs; others are not guessed. What the Workflow creates itself, by a resource template, is no reference.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from webhook.model.limits.admission import WEIGH_PAGE
from webhook.model.limits.references import (
    ARTIFACTS_PER_WORK,
    MOST_REFERENCES,
    MOST_TEMPLATES,
    MOST_WORK,
    VALUES_PER_WORK,
    YAML_PER_WORK,
)
from webhook.model.objects import mapping
from webhook.references.model import Kind, Reference, References
from webhook.references.patches import Patches
from webhook.references.pods import Selector, has_tag, lock_selectors, pod_selectors, resolved, selectors_in
from webhook.references.sources import Source, parameters_of, source_of
from webhook.totals.depends import wanted_tasks
from webhook.totals.lookup import Lookup
from webhook.totals.loops import rounds_of
from webhook.totals.manifests import created_objects
from webhook.totals.merged import over_template, with_defaults
from webhook.totals.running import hook_runs, runs
from webhook.totals.scope import inside, mentions_item, value_of, workflow_parameters
from webhook.totals.shape import PODS, Name, Spec, groups_of, hooks_of, named_templates, text, type_of
from webhook.totals.tags import UNKNOWN, Bindings, filled
from webhook.totals.unknowns import Unknowns

_REPOSITORIES = "artifact-repositories"
_FOR_EACH = ("templateDefaults", "volumes", "podSpecPatch", "imagePullSecrets")
_Key = tuple[Kind, str]


@dataclass(frozen=True)
class Collected:
    """`needs` are what a target must have, `sources` where values of parameters are, needed or not.

    `locks` are the names of the ConfigMaps that hold sizes of semaphores. `notes` say what was not looked at.
    """

    needs: References = ()
    sources: tuple[Source, ...] = ()
    locks: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def collect(spec: Spec, library: Mapping[Name, Spec]) -> Collected:
    """What the Workflow refers to. `library` are the specs of the WorkflowTemplates that it uses."""
    reference = mapping(spec.get("workflowTemplateRef"))
    to = Name(filled(str(reference.get("name")), {}), reference.get("clusterScope") is True)
    template_spec = library.get(to, {}) if reference else {}
    whole = over_template(spec, template_spec)
    lookup = Lookup("", named_templates(whole), library)

    def walked(*, each_round: bool) -> _Walk:
        walk = _Walk(whole, workflow_parameters(spec, template_spec), each_round=each_round)
        walk.arguments(_first_of_each(spec, template_spec))
        walk.follow(lookup)
        return walk

    walk = walked(each_round=True)
    # Better all of it without the items of its loops than a part of it with them.
    return (walked(each_round=False) if walk.has_too_many_rounds else walk).collected()


def _first_of_each(*specs: Spec) -> Iterator[Mapping[str, object]]:
    """The parameters of a Workflow: the first that says what its value is, or where."""
    seen: set[str] = set()
    for spec in specs:
        for parameter in parameters_of(mapping(spec.get("arguments"))):
            said = parameter.get("value") is not None or parameter.get("valueFrom") is not None
            if said and parameter["name"] not in seen:
                seen.add(parameter["name"])
                yield parameter


class _Walk:
    """One walk along the calls of a Workflow."""

    def __init__(self, spec: Spec, known: Bindings, *, each_round: bool) -> None:
        self._spec, self._known = spec, known
        self._each_round = each_round
        """Whether it looks at each round of a loop, with the item of that."""
        self._rounds_seen = False
        self._templates: dict[str, Spec] = {}
        """Templates with the Workflow's defaults under them, by their keys."""
        self._for_each = len(json.dumps([spec.get(one) for one in _FOR_EACH])) // WEIGH_PAGE
        """What looking into one template costs, since these are looked through for it."""
        self._patches = Patches()
        self._named: dict[str, list[Selector]] = {}
        """What the pod of each template names, by the template's key."""
        self._needs: dict[_Key, set[str]] = {}
        self._sources: dict[Source, None] = {}
        self._locks: set[str] = set()
        self._elsewhere: set[_Key] = set()
        self._made: set[tuple[str, str]] = set()
        self._made_unseen: set[str] = set()
        self._makes_anything = False
        self._work = 0
        self._cut = False

    @property
    def has_too_many_rounds(self) -> bool:
        """Whether it found too much or came to no end, which may be otherwise if it does not look at each round."""
        return self._rounds_seen and (self._cut or len(self._needs) > MOST_REFERENCES)

    def collected(self) -> Collected:
        """All that was found."""
        needs = [] if self._makes_anything else [key for key in sorted(self._needs) if not self._is_made(key)]
        self._cut = self._cut or len(needs) > MOST_REFERENCES
        return Collected(
            tuple(
                Reference(*key, tuple(sorted(self._needs[key])), key in self._elsewhere)
                for key in needs[:MOST_REFERENCES]
            ),
            tuple(self._sources)[:MOST_REFERENCES],
            frozenset(self._locks),
            ("it is too large for all that it refers to to be looked at",) if self._cut else (),
        )

    def arguments(self, parameters: Iterable[Mapping[str, object]], known: Bindings | None = None) -> None:
        """Take note of where the values of parameters are."""
        for parameter in parameters:
            source = source_of(parameter, self._known if known is None else known)
            if source is not None:
                self._take_source(source)

    def follow(self, lookup: Lookup) -> None:
        """Look at the Workflow itself, and at all that it calls."""
        self._whole()
        entrypoint: Spec = {"template": self._spec.get("entrypoint"), "arguments": self._spec.get("arguments")}
        waiting = deque((caller, lookup, self._known) for caller in (entrypoint, *_hooks(self._spec, self._known)))
        seen = set[object]()
        while waiting:
            if self._work > MOST_WORK or len(seen) > MOST_TEMPLATES:
                self._give_up()
                return
            caller, where, known = waiting.popleft()
            found = where.find(caller, known, Unknowns())
            if found is None:
                continue
            template = self._with_defaults(found.key, found.template)
            passed = [str(one["name"]) for one in parameters_of(mapping(caller.get("arguments")))]
            bound = inside(template, caller.get("arguments"), known)
            self._work += 1 + len(bound) // VALUES_PER_WORK + sum(map(len, bound.values())) // WEIGH_PAGE
            varies = self._varies(found.key, template)
            key = (found.key, frozenset(bound.items()) if varies else None, frozenset(passed))
            if key in seen:
                continue
            seen.add(key)
            self._template(found.key, template, bound, passed)
            for inner, told in self._callers(template, bound):
                self._work += 1
                if inner.get("template") is not None or inner.get("templateRef") or inner.get("inline"):
                    self.arguments(parameters_of(mapping(inner.get("arguments"))), told)
                    artifacts = selectors_in(mapping(inner.get("arguments")).get("artifacts"))
                    self._needs_of(resolved(artifacts, told))
                    waiting.append((inner, found.lookup, told))

    def _callers(self, template: Spec, known: Bindings) -> Iterator[tuple[Spec, Bindings]]:
        """The tasks or steps of a template that may run, and their hooks, with what is known in each round."""
        tasks = wanted_tasks(template, known) if type_of(template) == "dag" else []
        for task in (*tasks, *(step for group in groups_of(template) for step in group)):
            for told in self._rounds(task, known) if self._each_round else (known,):
                if runs(task, told) is not False:
                    yield task, told
                yield from ((hook, told) for hook in _hooks(task, told))

    def _rounds(self, task: Spec, known: Bindings) -> Iterator[Bindings]:
        """What is known in each round of a task; nothing of them any more if there is too much to look at."""
        if not mentions_item(task):
            yield known
            return
        self._work += (sum(map(len, known.values())) if task.get("withParam") else 0) // WEIGH_PAGE
        each = 1 + len(known) // VALUES_PER_WORK + _work_of(mapping(task.get("arguments")))
        for told in rounds_of(task, known) if self._work <= MOST_WORK else ():
            if told is not known:
                self._rounds_seen = True
                items = sum(len(text) for name, text in told.items() if name.startswith("item"))
                self._work += each + items // WEIGH_PAGE
            if self._work <= MOST_WORK:
                yield told
        if self._work > MOST_WORK:
            self._rounds_seen = True
            self._give_up()

    def _give_up(self) -> None:
        """What it makes itself may be in what is left, so nothing is known to be missing."""
        self._cut = self._makes_anything = True

    def _whole(self) -> None:
        artifacts = selectors_in(mapping(self._spec.get("arguments")).get("artifacts"))
        self._needs_of(resolved(artifacts, self._known))
        self._locks_of(self._spec, self._known)
        repository = self._spec.get("artifactRepositoryRef")
        if isinstance(repository, Mapping):
            name = value_of(repository.get("configMap") or _REPOSITORIES, self._known)
            if name:
                # Argo looks into its own namespace next.
                self._elsewhere.add((Kind.CONFIG_MAP, name))
                self._needs.setdefault((Kind.CONFIG_MAP, name), set())

    def _with_defaults(self, key: str, template: Spec) -> Spec:
        if key not in self._templates:
            self._work += self._for_each
            self._templates[key] = with_defaults(template, mapping(self._spec.get("templateDefaults")))
        return self._templates[key]

    def _varies(self, key: str, template: Spec) -> bool:
        """Whether what a template needs may depend on its inputs. For most pods it can't, so one look is enough."""
        kind = type_of(template)
        if key not in self._named:
            self._named[key] = list(self._named_by(template)) if kind in PODS or kind == "http" else []
            self._work += len(self._named[key]) // VALUES_PER_WORK
        named = (*self._named[key], *lock_selectors(template))
        return kind not in PODS or kind == "resource" or any(map(has_tag, named))

    def _named_by(self, template: Spec) -> Iterator[Selector]:
        # The pod that makes a request is Argo's agent, which has no patch of a template's.
        holders = (self._spec,) if type_of(template) == "http" else (self._spec, template)
        before = self._patches.work
        patches = self._patches.of(*holders)
        self._work += self._patches.work - before
        return pod_selectors(template, self._spec, patches)

    def _template(self, key: str, template: Spec, known: Bindings, passed: Iterable[str]) -> None:
        declared = parameters_of(mapping(template.get("inputs")))
        self.arguments((one for one in declared if one["name"] not in passed), known)
        self._locks_of(template, known)
        self._needs_of(resolved(self._named[key], known))
        self._work += len(self._named[key]) // VALUES_PER_WORK
        if type_of(template) == "resource":
            self._take_created(template, known)

    def _take_created(self, template: Spec, known: Bindings) -> None:
        self._work += len(text(mapping(template.get("resource")).get("manifest")) or "") // YAML_PER_WORK
        made = created_objects(template, known)
        self._makes_anything = self._makes_anything or made is None
        for one in made or ():
            kind, name = str(one.get("kind")), text(mapping(one.get("metadata")).get("name"))
            if kind == "List":
                self._makes_anything = True
            elif name is None or UNKNOWN in name:
                self._made_unseen.add(kind)
            else:
                self._made.add((kind, name))

    def _take_source(self, source: Source) -> None:
        self._sources[source] = None
        if source.default is None:
            self._needs_of([Reference(Kind.CONFIG_MAP, source.config_map)])
            self._needs[Kind.CONFIG_MAP, source.config_map].add(source.key)

    def _locks_of(self, holder: Spec, known: Bindings) -> None:
        found = list(resolved(lock_selectors(holder), known))
        self._locks |= {one.name for one in found}
        self._needs_of(found)

    def _needs_of(self, found: Iterable[Reference]) -> None:
        for one in found:
            key = (one.kind, one.name)
            self._elsewhere.discard(key)
            self._needs.setdefault(key, set())

    def _is_made(self, key: _Key) -> bool:
        return str(key[0]) in self._made_unseen or (str(key[0]), key[1]) in self._made


def _work_of(arguments: Spec) -> int:
    """What it costs to look at the arguments of one round."""
    return len(json.dumps(arguments)) // WEIGH_PAGE + len(json.dumps(arguments.get("artifacts"))) // ARTIFACTS_PER_WORK


def _hooks(holder: Spec, known: Bindings) -> list[Spec]:
    return [hook for _, hook in hooks_of(holder) if hook_runs(hook, known) is not False]
