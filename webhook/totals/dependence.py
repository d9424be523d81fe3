"""Evaluates `depends` and `dependencies` of DAG tasks, on what is known about how other tasks end."""

import re
from collections.abc import Callable, Iterable, Mapping

from webhook.model.limits.admission import EXPRESSION_DEEPEST
from webhook.model.objects import mapping
from webhook.totals.ends import ANY, RESULTS, Ends, Truth
from webhook.totals.shape import Spec, text

_OF_ROUNDS = frozenset({"AnySucceeded", "AllFailed"})
_TOKEN = re.compile(r"\s*(?:([a-zA-Z0-9_][-a-zA-Z0-9_]*)(?:\.([A-Z][a-zA-Z]+))?|(&&|\|\||[!()]))")


class Depends:
    """The `depends` or `dependencies` of one task. `before` has those it names: how they may end, and what they are."""

    def __init__(self, task: Spec, before: Mapping[str, tuple[Ends, Spec]]) -> None:
        self._task, self._before = task, before
        self._tokens: list[re.Match[str]] = []
        self._at = self._depth = 0

    def holds(self) -> Truth:
        """Whether the task runs; None if that is unknown, or `depends` is malformed."""
        depends = text(self._task.get("depends"))
        if depends is None:
            return _all(self._ended_well(name) for name in self._before)
        at, end = 0, len(depends.rstrip())
        while at < end:
            match = _TOKEN.match(depends, at)
            if match is None:
                return None
            self._tokens.append(match)
            at = match.end()
        try:
            found = self._either()
        except _Malformed:
            return None
        return found if self._at == len(self._tokens) else None

    def _either(self) -> Truth:
        self._depth += 1
        if self._depth > EXPRESSION_DEEPEST:
            raise _Malformed
        found = _any(self._chain("||", self._both))
        self._depth -= 1
        return found

    def _both(self) -> Truth:
        return _all(self._chain("&&", self._single))

    def _chain(self, operator: str, part: Callable[[], Truth]) -> list[Truth]:
        found = [part()]
        while self._take(operator):
            found.append(part())
        return found

    def _single(self) -> Truth:
        negations = 0
        while self._take("!"):
            negations += 1
        found = self._inner()
        return found if found is None or negations % 2 == 0 else not found

    def _inner(self) -> Truth:
        if self._take("("):
            found = self._either()
            if not self._take(")"):
                raise _Malformed
            return found
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None or token[1] is None:
            raise _Malformed
        self._at += 1
        return self._ended_well(token[1]) if token[2] is None else self._ended(token[1], token[2])

    def _take(self, operator: str) -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at][3] == operator
        self._at += taken
        return taken

    def _ended_well(self, name: str) -> Truth:
        """What a name without a result stands for."""
        accepted = ["Succeeded", "Skipped", "Daemoned"]
        carries_on = mapping(self._before[name][1].get("continueOn")) if name in self._before else {}
        accepted += ["Errored"] if carries_on.get("error") is True else []
        accepted += ["Failed"] if carries_on.get("failed") is True else []
        return _any(self._ended(name, result) for result in accepted)

    def _ended(self, name: str, result: str) -> Truth:
        ends = self._before[name][0] if name in self._before else ANY
        if result in _OF_ROUNDS:
            return None if ends.runs else False
        wanted = RESULTS.get(result)
        if wanted is None:
            return None
        if not ends & wanted:
            return False
        return True if ends == wanted else None


class _Malformed(Exception):
    """`depends` is not what Argo would take."""


def _any(parts: Iterable[Truth]) -> Truth:
    found = set(parts)
    return True if True in found else None if None in found else False


def _all(parts: Iterable[Truth]) -> Truth:
    found = set(parts)
    return False if False in found else None if None in found else True
