"""Which tasks and steps certainly don't run, as far as what was submitted decides it."""

from collections.abc import Sequence

from webhook.totals.dependence import Depends
from webhook.totals.depends import in_order, waits_of
from webhook.totals.ends import ANY, RAN, Ends, Truth
from webhook.totals.expressions.conditions import holds
from webhook.totals.expressions.evaluate import truth_of
from webhook.totals.loops import Loop, loop_of
from webhook.totals.scope import tags_mention_item, with_item
from webhook.totals.shape import Spec, text
from webhook.totals.tags import UNKNOWN, Bindings, filled

_ROUNDS_ASKED = 1000
"""Rounds of a loop whose conditions are evaluated to find that none of them runs."""


def runs(caller: Spec, known: Bindings) -> Truth:
    """Whether the `when` of a task or step holds. False only if it certainly does not run."""
    condition = text(caller.get("when"))
    if condition is None:
        return True
    made = filled(condition, known)
    return None if UNKNOWN in made else holds(made)


def hook_runs(hook: Spec, known: Bindings) -> Truth:
    """Whether the `expression` of a hook holds, at any time."""
    expression = text(hook.get("expression"))
    if expression is None:
        return True
    made = filled(expression, known)
    return None if UNKNOWN in made else truth_of(made, known)


def dag_ends(tasks: Sequence[Spec], known: Bindings) -> list[Ends]:
    """How each task of a DAG may end."""
    own = [_own_ends(task, known) for task in tasks]
    if not any(_decides(ends) for ends in own) and not any(map(_asks_for_skips, tasks)):
        return [ends | Ends.OMITTED for ends in own]
    names = [str(task.get("name")) for task in tasks]
    found = [ANY] * len(tasks)
    waits = waits_of(tasks)
    for place in in_order(waits):
        before = {names[other]: (found[other], tasks[other]) for other in waits[place]}
        holds_so = Depends(tasks[place], before).holds() if before else True
        found[place] = Ends.OMITTED if holds_so is False else own[place] | (Ends(0) if holds_so else Ends.OMITTED)
    return found


def _decides(ends: Ends) -> bool:
    """Whether something else could become certain by it."""
    return not ends.runs or ends == Ends.SUCCEEDED


def _asks_for_skips(task: Spec) -> bool:
    depends = text(task.get("depends")) or ""
    return ".Skipped" in depends or ".Omitted" in depends


def _own_ends(task: Spec, known: Bindings) -> Ends:
    """How it may end once what it depends on has ended."""
    condition = text(task.get("when")) or ""
    if not condition and task.get("withParam") is None and task.get("withSequence") is None:
        return RAN
    loop = loop_of(task, str(task.get("name")), known)
    if loop is None:
        return _single_ends(condition, runs(task, known))
    if loop.unknown:
        # Whether it is skipped or has succeeded if its condition is false depends on what it loops over.
        return ANY & ~Ends.OMITTED
    if loop.count == 0:
        return Ends.SKIPPED
    # A loop whose rounds are all skipped has succeeded.
    return Ends.SUCCEEDED | _if_expression(condition) if _no_round_runs(task, condition, loop, known) else RAN


def _no_round_runs(task: Spec, condition: str, loop: Loop, known: Bindings) -> bool:
    if not condition:
        return False
    if not tags_mention_item(condition):
        return runs(task, known) is False
    if loop.count > _ROUNDS_ASKED:
        return False
    return all(runs(task, with_item(known, item)) is False for item in loop.items(_ROUNDS_ASKED))


def _single_ends(condition: str, holds_so: Truth) -> Ends:
    if holds_so is False:
        return Ends.SKIPPED | _if_expression(condition)
    return RAN if holds_so else RAN | Ends.SKIPPED


def _if_expression(condition: str) -> Ends:
    """Argo may fail over an expression that mixes values of several scopes, which is not looked into."""
    return Ends.ERRORED if "{{=" in condition else Ends(0)
