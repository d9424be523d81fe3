"""Walks through a Workflow as Argo would run it, and computes what may run at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from webhook.model.limits.admission import WEIGH_MOST_PODS, WEIGH_MOST_ROUNDS, WEIGH_PAGE
from webhook.model.objects import mapping
from webhook.totals.depends import dag_order, steps_order, wanted_tasks
from webhook.totals.lookup import Found, Lookup
from webhook.totals.loops import loop_of
from webhook.totals.merged import with_defaults
from webhook.totals.need import Need
from webhook.totals.pods import Unknowns
from webhook.totals.profile import IDLE, Parts, Profile, in_turn, of_pod, side_by_side, woven
from webhook.totals.scope import inside, mentions_item, with_item
from webhook.totals.shape import PODS, Spec, groups_of, hooks_of, tasks_of, type_of
from webhook.totals.tags import Bindings
from webhook.totals.weighing import Weighing


@dataclass
class Walk(Weighing):
    """One walk through one Workflow."""

    _seen: dict[object, Profile] = field(default_factory=dict)
    _completed: dict[str, Spec] = field(default_factory=dict)
    _above: list[str] = field(default_factory=list)
    _cuts: int = 0
    _exiting: bool = False
    """Whether it is inside an exit handler, whose pods have no deadline of the Workflow's."""

    def whole(self, known: Bindings) -> Need:
        """The peak of the entrypoint followed by the exit handler, with all other hooks in parallel."""
        entrypoint = {"template": self.spec.get("entrypoint"), "arguments": self.spec.get("arguments")}
        hooks = {name: self._hook(name, hook, self.lookup, known) for name, hook in hooks_of(self.spec)}
        after = hooks.pop("exit", IDLE)
        main = self._called(entrypoint, self.lookup, known)
        # A daemon as the entrypoint is stopped only at the very end.
        daemon = self._is_daemon(entrypoint, self.lookup, known)
        both = side_by_side([(main, 1), (after, 1)], self._limit) if daemon else in_turn([main, after])
        return side_by_side([(both, 1), *((hook, 1) for hook in hooks.values())], self._limit).need

    @property
    def _limit(self) -> int | None:
        return _limit_in(self.spec)

    def _called(self, caller: Spec, lookup: Lookup, known: Bindings) -> Profile:
        self.allowance.spend()
        found = lookup.find(caller, known, self.unknowns)
        if found is None:
            return IDLE
        template = self._complete(found)
        bound = inside(template, caller.get("arguments"), known)
        # Bindings stay in memory until the walk ends, so long ones cost extra.
        self.allowance.spend(
            sum(len(value) for name, value in bound.items() if name.startswith("inputs.")) // WEIGH_PAGE
        )
        return self._visit(template, found, bound)

    def _hook(self, name: str, hook: Spec, lookup: Lookup, known: Bindings) -> Profile:
        outside = self._exiting
        self._exiting = outside or name == "exit"
        try:
            return self._called(hook, lookup, known)
        finally:
            self._exiting = outside

    def _visit(self, template: Spec, found: Found, known: Bindings) -> Profile:
        key = (found.key, self._exiting, frozenset(known.items()) if self._varies(template) else None)
        if key in self._seen:
            return self._seen[key]
        if found.key in self._above:
            self._cuts += 1
            self.unknowns.say(f"template {template.get('name')} calls itself; counted once")
            return IDLE
        cuts = self._cuts
        self.allowance.enter()
        self._above.append(found.key)
        work = self._weighed(template, found.lookup, known)
        self._above.pop()
        self.allowance.leave()
        # If recursion was cut short in here, the result depends on the templates above, so it can't be reused.
        if cuts == self._cuts:
            self._seen[key] = work
        return work

    def _complete(self, found: Found) -> Spec:
        if found.key not in self._completed:
            self._completed[found.key] = with_defaults(found.template, mapping(self.spec.get("templateDefaults")))
        return self._completed[found.key]

    def _varies(self, template: Spec) -> bool:
        """Whether parameters may change what the template needs. For most pods they can't, so one look is enough."""
        if type_of(template) not in PODS or template.get("resource") is not None:
            return True
        told = (*self.patches(template), str(template.get("priorityClassName")))
        return any("{{" in one for one in told)

    def _weighed(self, template: Spec, lookup: Lookup, known: Bindings) -> Profile:
        kind = type_of(template)
        if kind in PODS:
            pod = self.pod(template, known, exiting=self._exiting)
            work = of_pod(pod.totals, pod.amounts, pod.traits)
            return work.leaving(self.creates(template, known)) if kind == "resource" else work
        if kind in ("http", "plugin"):
            self.agents.setdefault(kind, str(template.get("name")))
        if kind == "dag":
            return self._dag(template, lookup, known)
        if kind == "steps":
            groups = groups_of(template)
            steps = [step for group in groups for step in group]
            self.allowance.spend(len(steps))
            return self._composed(template, steps, steps_order(groups), lookup, known)
        return IDLE

    def _dag(self, template: Spec, lookup: Lookup, known: Bindings) -> Profile:
        # Ordering the tasks costs something even for those that don't run.
        self.allowance.spend(len(tasks_of(template)))
        tasks = wanted_tasks(template, known)
        return self._composed(template, tasks, dag_order(tasks), lookup, known)

    def _composed(
        self, template: Spec, tasks: list[Spec], order: list[int], lookup: Lookup, known: Bindings
    ) -> Profile:
        """The profile of ordered tasks. A daemon precedes no task: it is stopped when the whole template is done."""
        daemons = sum(1 << place for place, task in enumerate(tasks) if self._is_daemon(task, lookup, known))
        parts = [list(self._rounds(task, lookup, known)) for task in tasks]
        before = [mask & ~daemons for mask in order]

        def may_flow(size: int, times: int) -> bool:
            allowed = self.allowance.flow(size, times)
            if not allowed:
                self.unknowns.say(f"template {template.get('name')} is so large that its peak may be counted too high")
            return allowed

        return woven(
            parts,
            before,
            pods=self._limit,
            children=_limit_in(template),
            may_flow=may_flow,
            spare=self.allowance.spare_flow,
        )

    def _is_daemon(self, caller: Spec, lookup: Lookup, known: Bindings) -> bool:
        found = lookup.find(caller, known, Unknowns())
        if found is None:
            return False
        template = self._complete(found)
        return template.get("daemon") is True and type_of(template) in PODS

    def _rounds(self, task: Spec, lookup: Lookup, known: Bindings) -> Iterator[tuple[Profile, int]]:
        """The parts of a task that may overlap, and how many there are of each."""
        name = str(task.get("name"))
        loop = loop_of(task, name, known)
        if loop is None:
            yield from self._once(task, lookup, known, 1)
            return
        if loop.note:
            self.unknowns.say(loop.note)
        if not mentions_item(task):
            yield from self._once(task, lookup, known, loop.count)
            return
        looked_at: list[list[tuple[Profile, int]]] = []
        for item in loop.items(WEIGH_MOST_ROUNDS):
            looked_at.append(list(self._once(task, lookup, with_item(known, item), 1)))
            yield from looked_at[-1]
        if looked_at and loop.count > len(looked_at):
            self.unknowns.say(
                f"task {name} runs {loop.count} times; all past {WEIGH_MOST_ROUNDS} counted as the largest of these"
            )
            yield from (
                (in_turn(work for work, _ in kind), loop.count - len(looked_at))
                for kind in zip(*looked_at, strict=True)
            )

    def _once(self, task: Spec, lookup: Lookup, known: Bindings, count: int) -> Parts:
        """One round: the template followed by its exit hook, with the other hooks in parallel."""
        hooks = {name: self._hook(name, hook, lookup, known) for name, hook in hooks_of(task)}
        after = hooks.pop("exit", IDLE)
        main = in_turn([self._called(task, lookup, known), after])
        return [(main, count), *((hook, count) for hook in hooks.values())]


def _limit_in(spec: Mapping[str, object]) -> int | None:
    pods = spec.get("parallelism")
    return pods if isinstance(pods, int) and 0 < pods <= WEIGH_MOST_PODS else None
