"""The value of an expression on what is known."""

from collections.abc import Mapping

from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.functions import FUNCTIONS, Function
from webhook.totals.expressions.operators import calculated
from webhook.totals.expressions.syntax import tree_of
from webhook.totals.expressions.times import METHODS, Moment, span_of
from webhook.totals.expressions.tree import (
    Binary,
    Call,
    Choice,
    Literal,
    Member,
    Name,
    Node,
    Pairs,
    Sequence,
    Slice,
    Unary,
)
from webhook.totals.expressions.values import Value, as_integer, as_number, bounded, shown

Known = Mapping[str, Value]
"""Known values by their paths, such as `workflow.parameters.size`."""


def text_of(expression: str, known: Known, now: float | None = None) -> str | None:
    """What Argo puts in place of `{{=expression}}`; None if that is in doubt.

    `now` is when it does, in seconds since the epoch; None if nobody knows: then times are in doubt.
    """
    try:
        return shown(_whole(expression, known, now))
    except (Doubt, ArithmeticError, RecursionError):
        return None


def truth_of(expression: str, known: Known, now: float | None = None) -> bool | None:
    """Whether a hook with this `expression` runs; None if that is in doubt. `now` as for `text_of`."""
    try:
        found = _whole(expression, known, now)
    except (Doubt, ArithmeticError, RecursionError):
        return None
    return found if isinstance(found, bool) else None


def _whole(expression: str, known: Known, now: float | None) -> Value:
    found = tree_of(expression)
    if found is None:
        raise Doubt
    tree, names = found
    functions = FUNCTIONS if now is None else {**FUNCTIONS, **_times(now)}
    # Argo refuses names that it does not know even in what is not evaluated.
    allowed = {path.partition(".")[0] for path in known}
    if not names <= (allowed if now is None else allowed | METHODS.keys()):
        raise Doubt
    return _Evaluation(known, functions).of(tree)


def _times(now: float) -> Mapping[str, Function]:
    return {"now": lambda: Moment(now), "duration": span_of, **METHODS}


class _Evaluation:
    """Evaluates trees. Only values are known, never that something is missing: what is not found is in doubt."""

    def __init__(self, known: Known, functions: Mapping[str, Function]) -> None:
        self._known, self._functions = known, functions

    def of(self, node: Node) -> Value:
        """Its value. Raises Doubt."""
        return bounded(self._of(node))

    def _of(self, node: Node) -> Value:
        match node:
            case Literal(value):
                return value
            case Name() | Member():
                return self._found(node)
            case Slice():
                return self._slice(node)
            case Call(name, arguments):
                return self._call(name, arguments)
            case Unary(operator, of):
                return self._unary(operator, of)
            case Binary():
                return self._binary(node)
            case Choice(condition, yes, no):
                return self.of(yes if self._truth(condition) else no)
            case Sequence(items):
                return [self.of(item) for item in items]
            case Pairs(pairs):
                return {key: self.of(value) for key, value in pairs}

    def _found(self, node: Node) -> Value:
        path = self._path(node)
        if path is not None:
            return self._at(path)
        assert isinstance(node, Member)
        of, key = self.of(node.of), self.of(node.key)
        if of is None and node.optional:
            return None
        if isinstance(of, dict) and isinstance(key, str):
            return of.get(key)
        if isinstance(of, list):
            place = as_integer(key)
            if not -len(of) <= place < len(of):
                raise Doubt
            return of[place]
        raise Doubt

    def _path(self, node: Node) -> str | None:
        """The path that a node names; None if it begins with a value."""
        if isinstance(node, Name):
            return node.name
        if not isinstance(node, Member):
            return None
        above = self._path(node.of)
        if above is None:
            return None
        key = self.of(node.key)
        # Argo takes a name with a dot apart, so that it is not found in one piece.
        if not isinstance(key, str) or "." in key:
            return None if f"{above}." in self._known or above in self._known else self._doubt()
        return f"{above}.{key}"

    def _at(self, path: str) -> Value:
        # Argo leaves out a value at a path that others lie below.
        if path not in self._known or any(name.startswith(f"{path}.") for name in self._known):
            raise Doubt
        return self._known[path]

    def _doubt(self) -> str:
        raise Doubt

    def _slice(self, node: Slice) -> Value:
        of = self.of(node.of)
        start = 0 if node.start is None else as_integer(self.of(node.start))
        if isinstance(of, str) and not of.isascii():
            raise Doubt
        if not isinstance(of, str | list):
            raise Doubt
        end = len(of) if node.end is None else as_integer(self.of(node.end))
        return of[slice(start, end)]

    def _call(self, name: str, arguments: tuple[Node, ...]) -> Value:
        function = self._functions.get(name)
        if function is None:
            raise Doubt
        try:
            return function(*(self.of(argument) for argument in arguments))
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise Doubt from error

    def _unary(self, operator: str, of: Node) -> Value:
        return not self._truth(of) if operator == "not" else -as_number(self.of(of))

    def _binary(self, node: Binary) -> Value:
        if node.operator == "&&":
            return self._truth(node.left) and self._truth(node.right)
        if node.operator == "||":
            return self._truth(node.left) or self._truth(node.right)
        left = self.of(node.left)
        if node.operator == "??":
            return self.of(node.right) if left is None else left
        return calculated(node.operator, left, self.of(node.right), _may_differ(node.left, node.right))

    def _truth(self, node: Node) -> bool:
        found = self.of(node)
        if not isinstance(found, bool):
            raise Doubt
        return found


def _may_differ(left: Node, right: Node) -> bool:
    """Whether Argo compares values of different kinds, rather than refusing to: it does where it can't tell before."""
    return isinstance(left, Name | Member) or isinstance(right, Name | Member)
