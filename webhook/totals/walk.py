"""Walks through a Workflow as Argo would run it, and computes what may run at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from webhook.model.limits.admission import WEIGH_MOST_PODS, WEIGH_MOST_ROUNDS, WEIGH_PAGE
from webhook.model.objects import mapping
from webhook.totals.depends import dag_order, steps_order, wanted_tasks
from webhook.totals.ends import Ends
from webhook.totals.locks import lock_of, one_at_a_time
from webhook.totals.lookup import Found, Lookup
from webhook.totals.loops import loop_of
from webhook.totals.merged import with_defaults
from webhook.totals.need import Need
from webhook.totals.profile import IDLE, Parts, Profile, in_turn, of_need, of_pod, side_by_side, woven
from webhook.totals.running import dag_ends, hook_runs, runs
from webhook.totals.scope import inside, mentions_item, with_item
from webhook.totals.shape import PODS, Spec, groups_of, hooks_of, tasks_of, type_of
from webhook.totals.tags import Bindings
from webhook.totals.unknowns import Unknowns
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
        hooks = self._hooks(self.spec, self.lookup, known)
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
            if kind != "resource":
                return work
            made = self.creates(template, known)
            # With what it waits for it is still one pod of its Workflow's.
            return of_need(work.need + made.during).leaving(made.left)
        if kind in ("http", "plugin"):
            self.agents.setdefault(kind, str(template.get("name")))
        if kind == "dag":
            return self._dag(template, lookup, known)
        if kind == "steps":
            groups = groups_of(template)
            steps = [step for group in groups for step in group]
            self.allowance.spend(len(steps))
            parts = [list(self._rounds(step, lookup, known)) for step in steps]
            return self._composed(template, steps, parts, steps_order(groups), lookup, known)
        return IDLE

    def _dag(self, template: Spec, lookup: Lookup, known: Bindings) -> Profile:
        # Ordering the tasks costs something even for those that don't run.
        self.allowance.spend(len(tasks_of(template)))
        tasks = wanted_tasks(template, known)
        ends = dag_ends(tasks, known)
        parts = [self._task(task, end, lookup, known) for task, end in zip(tasks, ends, strict=True)]
        return self._composed(template, tasks, parts, dag_order(tasks), lookup, known)

    def _composed(
        self,
        template: Spec,
        tasks: Sequence[Spec],
        parts: Sequence[Parts],
        order: list[int],
        lookup: Lookup,
        known: Bindings,
    ) -> Profile:
        """The profile of ordered tasks. A daemon precedes no task: it is stopped when the whole template is done."""
        daemons = sum(1 << place for place, task in enumerate(tasks) if self._is_daemon(task, lookup, known))
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

    def _task(self, task: Spec, ends: Ends, lookup: Lookup, known: Bindings) -> Parts:
        """The parts of a task of a DAG. Hooks may run even if it is skipped: Argo asks only their own conditions."""
        parts = list(self._rounds(task, lookup, known)) if ends.runs else []
        if parts or not hooks_of(task):
            return parts
        status = {Ends.SKIPPED: "Skipped", Ends.OMITTED: "Omitted"}.get(ends)
        told = {f"tasks.{task.get('name')}.status": status} if status else {}
        hooks = self._hooks(task, lookup, {**known, **told})
        if not ends.runs:
            hooks.pop("exit", None)
        return [(hook, 1) for hook in hooks.values()]

    def _rounds(self, task: Spec, lookup: Lookup, known: Bindings) -> Iterator[tuple[Profile, int]]:
        """The parts of a task that may overlap, and how many there are of each; none if it does not run."""
        name = str(task.get("name"))
        loop = loop_of(task, name, known)
        each = loop is not None and not loop.unknown and mentions_item(task)
        if not each and runs(task, known) is False:
            return
        if loop is None:
            yield from self._once(task, lookup, known, 1)
            return
        if loop.note:
            self.unknowns.say(loop.note)
        if not each:
            yield from self._once(task, lookup, known, loop.count)
            return
        looked_at: list[Parts] = []
        held: dict[str, list[tuple[Profile, int]]] = {}
        asked = 0
        for item in loop.items(WEIGH_MOST_ROUNDS):
            asked += 1
            told = with_item(known, item)
            if runs(task, told) is False:
                continue
            looked_at.append(self._once(task, lookup, told, 1))
            lock = self._lock(task, lookup, told)
            if lock is None:
                yield from looked_at[-1]
            else:
                held.setdefault(lock, []).append(looked_at[-1][0])
                yield from looked_at[-1][1:]
        for works in held.values():
            yield from one_at_a_time(works)
        if loop.count > asked:
            yield from self._further(task, lookup, known, looked_at, loop.count - asked)

    def _further(
        self, task: Spec, lookup: Lookup, known: Bindings, looked_at: list[Parts], count: int
    ) -> Iterator[tuple[Profile, int]]:
        """The rounds of a loop that are not looked at one by one."""
        self.unknowns.say(
            f"task {task.get('name')} has {count} rounds past the first {WEIGH_MOST_ROUNDS}; "
            "each counted as the largest of these"
        )
        kinds = looked_at or [list(self._once(task, lookup, known, 1))]
        yield from ((in_turn(work for work, _ in kind), count) for kind in zip(*kinds, strict=True))

    def _once(self, task: Spec, lookup: Lookup, known: Bindings, count: int) -> Parts:
        """So many equal rounds: first the template followed by its exit hook, then the other hooks beside it."""
        hooks = self._hooks(task, lookup, known)
        after = hooks.pop("exit", IDLE)
        main: Parts = [(in_turn([self._called(task, lookup, known), after]), count)]
        if count > 1 and self._lock(task, lookup, known) is not None:
            main = list(one_at_a_time(main))
        return [*main, *((hook, count) for hook in hooks.values())]

    def _lock(self, task: Spec, lookup: Lookup, known: Bindings) -> str | None:
        """The lock of a task's template; None if its rounds don't exclude each other in everything that they do.

        An exit hook runs when the lock has been given back.
        """
        if any(name == "exit" for name, _ in hooks_of(task)):
            return None
        found = lookup.find(task, known, Unknowns())
        if found is None:
            return None
        template = self._complete(found)
        return lock_of(template, inside(template, task.get("arguments"), known))

    def _hooks(self, holder: Spec, lookup: Lookup, known: Bindings) -> dict[str, Profile]:
        """What the hooks of a task, a step or the Workflow need, by their names; those that never run need nothing."""
        return {
            name: IDLE if hook_runs(hook, known) is False else self._hook(name, hook, lookup, known)
            for name, hook in hooks_of(holder)
        }


def _limit_in(spec: Mapping[str, object]) -> int | None:
    pods = spec.get("parallelism")
    return pods if isinstance(pods, int) and 0 < pods <= WEIGH_MOST_PODS else None
