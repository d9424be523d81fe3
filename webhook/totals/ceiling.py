"""For a Workflow too large to walk: what all its pods need together, as if they all ran at once.

Never below the peak. Each template is looked at once, so the cost is linear in the size of the Workflow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from webhook.model.objects import mapping
from webhook.totals.budget import Exhausted
from webhook.totals.demands import one_kind
from webhook.totals.lookup import Found, Lookup
from webhook.totals.loops import loop_of
from webhook.totals.merged import with_defaults
from webhook.totals.need import NO_NEED, Need
from webhook.totals.running import dag_ends, runs
from webhook.totals.shape import PODS, Spec, groups_of, hooks_of, tasks_of, type_of
from webhook.totals.tags import UNKNOWN, Bindings, filled
from webhook.totals.weighing import Weighing


@dataclass
class Ceiling(Weighing):
    """The sum over one Workflow. Raises Exhausted if only a walk could tell what a task calls, or how often."""

    _sums: dict[str, Need] = field(default_factory=dict)
    _above: list[str] = field(default_factory=list)

    def whole(self, known: Bindings) -> Need:
        """The sum of everything that may run; `known` are the Workflow's own parameters."""
        total = self._called({"template": self.spec.get("entrypoint")}, self.lookup, known)
        for _, hook in hooks_of(self.spec):
            total = total + self._called(hook, self.lookup, known)
        return total

    def _called(self, caller: Spec, lookup: Lookup, known: Bindings) -> Need:
        self.allowance.spend()
        found = lookup.find(caller, known, self.unknowns)
        if found is None:
            _check_known([caller.get("template"), *mapping(caller.get("templateRef")).values()], known)
            return NO_NEED
        if found.key not in self._sums:
            if found.key in self._above:
                self.unknowns.say(f"template {found.template.get('name')} calls itself; counted once")
                return NO_NEED
            self.allowance.enter()
            self._above.append(found.key)
            self._sums[found.key] = self._summed(found, known)
            self._above.pop()
            self.allowance.leave()
        return self._sums[found.key]

    def _summed(self, found: Found, known: Bindings) -> Need:
        template = with_defaults(found.template, mapping(self.spec.get("templateDefaults")))
        kind = type_of(template)
        if kind in PODS:
            return self._pod(template, known)
        if kind in ("http", "plugin"):
            self.agents.setdefault(kind, str(template.get("name")))
        total = NO_NEED
        for task, may_run in _tasks(template, known):
            once = self._called(task, found.lookup, known) if may_run else NO_NEED
            for _, hook in hooks_of(task):
                once = once + self._called(hook, found.lookup, known)
            count = self._count(task, known) if may_run else 1
            total = total + once.times(count)
        return total

    def _pod(self, template: Spec, known: Bindings) -> Need:
        patches = self.patches(template)
        _check_known([*patches, mapping(template.get("resource")).get("manifest")], known)
        pod = self.pod(template, known)
        need = Need(pod.totals, one_kind(pod.amounts, traits=pod.traits))
        if template.get("resource") is None:
            return need
        created = self.creates(template, known)
        return need + created.during + created.left

    def _count(self, task: Spec, known: Bindings) -> int:
        loop = loop_of(task, str(task.get("name")), known)
        if loop is None:
            return 1
        if loop.note:
            _check_known([task.get("withParam"), *mapping(task.get("withSequence")).values()], known)
            self.unknowns.say(loop.note)
        return loop.count


def _tasks(template: Spec, known: Bindings) -> Iterator[tuple[Spec, bool]]:
    """The tasks and steps of a template, and whether each may run."""
    tasks = tasks_of(template)
    yield from ((task, ends.runs) for task, ends in zip(tasks, dag_ends(tasks, known), strict=True))
    yield from ((step, runs(step, known) is not False) for group in groups_of(template) for step in group)


def _check_known(values: list[object], known: Bindings) -> None:
    """Raises Exhausted if a value depends on the caller's arguments."""
    if any(UNKNOWN in filled(str(value), known) for value in values if value is not None):
        raise Exhausted
