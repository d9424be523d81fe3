"""Reads expr-lang. What is not read (predicates, `let`, `if`, comments, chained comparisons) is in doubt."""

from functools import lru_cache

from webhook.model.limits.admission import EXPRESSION_DEEPEST, EXPRESSION_LONGEST, EXPRESSIONS_KEPT
from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.times import METHODS
from webhook.totals.expressions.tokens import Token, tokens_of, unquoted
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

_RANKS = {"or": 10, "||": 10, "and": 15, "&&": 15, "..": 25, "+": 30, "-": 30, "*": 60, "/": 60, "%": 60}
_RANKS |= {"**": 100, "^": 100, "??": 500}
_COMPARISONS = frozenset({"==", "!=", "<", ">", ">=", "<=", "in", "matches", "contains", "startsWith", "endsWith"})
_RANKS |= dict.fromkeys(_COMPARISONS, 20)
_NEGATABLE = frozenset({"in", "matches", "contains", "startsWith", "endsWith"})
_WORDS = {"or": "||", "and": "&&", "^": "**"}
_UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
_UNREAD = frozenset({"let", "if", "else"})
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}


@lru_cache(EXPRESSIONS_KEPT)
def tree_of(expression: str) -> tuple[Node, frozenset[str]] | None:
    """The tree, the names with which its paths begin, and the methods it calls; None if it can't be read."""
    if len(expression) > EXPRESSION_LONGEST:
        return None
    try:
        parser = _Parser(tokens_of(expression))
        return parser.whole(), frozenset(parser.names)
    except Doubt:
        return None


class _Parser:
    """As expr-lang's own parser: by precedence, with a ternary only where an expression begins."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0
        self.names: set[str] = set()

    def whole(self) -> Node:
        found = self._expression(0)
        if self._here.kind != "end":
            raise Doubt
        return found

    @property
    def _here(self) -> Token:
        return self._tokens[self._at]

    def _is(self, *texts: str) -> bool:
        return self._here.kind in ("operator", "word") and self._here.text in texts

    def _next(self) -> Token:
        token = self._here
        if token.kind == "end":
            raise Doubt
        self._at += 1
        return token

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise Doubt
        self._next()

    def _expression(self, rank: int) -> Node:
        self._depth += 1
        if self._depth > EXPRESSION_DEEPEST:
            raise Doubt
        left = self._binary(self._primary(), rank)
        while rank == 0 and self._is("?"):
            left = self._choice(left)
        self._depth -= 1
        return left

    def _binary(self, left: Node, rank: int) -> Node:
        compared, before = False, ""
        while True:
            negated = self._is("not")
            operator = self._tokens[self._at + 1].text if negated else self._here.text
            if negated and operator not in _NEGATABLE:
                raise Doubt
            if rank == 0 and self._is("|"):
                left = self._piped(left)
                continue
            if self._here.kind not in ("operator", "word") or _RANKS.get(operator, -1) < rank:
                return left
            if (operator in _COMPARISONS and compared) or (before == "??" and operator != "??"):
                raise Doubt
            self._at += 1 + negated
            right = self._expression(_RANKS[operator] + (operator not in ("**", "^")))
            left = Binary(_WORDS.get(operator, operator), left, right)
            left = Unary("not", left) if negated else left
            compared, before = operator in _COMPARISONS, operator

    def _piped(self, left: Node) -> Node:
        self._next()
        name = self._next()
        if name.kind != "word":
            raise Doubt
        return self._called(name.text, (left,))

    def _choice(self, condition: Node) -> Node:
        self._next()
        if self._is(":"):
            raise Doubt
        yes = self._expression(0)
        self._expect(":")
        return Choice(condition, yes, self._expression(0))

    def _primary(self) -> Node:
        if self._is(*_UNARY):
            operator = self._next().text
            of = self._expression(_UNARY[operator])
            return self._postfix(of if operator == "+" else Unary("not" if operator == "!" else operator, of))
        if self._is("("):
            self._next()
            inner = self._expression(0)
            self._expect(")")
            return self._postfix(inner)
        return self._secondary()

    def _secondary(self) -> Node:
        token = self._next()
        if token.kind == "number":
            return self._postfix(Literal(float(token.text) if "." in token.text else int(token.text)))
        if token.kind == "text":
            return self._postfix(Literal(unquoted(token.text)))
        if token.kind == "word":
            return self._named(token.text)
        if token.text == "[":
            return self._postfix(Sequence(self._listed("]")))
        if token.text == "{":
            return self._postfix(self._pairs())
        raise Doubt

    def _named(self, word: str) -> Node:
        if word in _UNREAD or word in _RANKS:
            raise Doubt
        if word in _CONSTANTS:
            return Literal(_CONSTANTS[word])
        if self._is("("):
            return self._postfix(self._called(word, ()))
        if word != "sprig":
            self.names.add(word)
        return self._postfix(Name(word))

    def _called(self, name: str, first: tuple[Node, ...]) -> Node:
        self._expect("(")
        return Call(name, (*first, *self._listed(")")))

    def _listed(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._is(closing):
            if found:
                self._expect(",")
                if self._is(closing):
                    break
            found.append(self._expression(0))
        self._next()
        return tuple(found)

    def _pairs(self) -> Node:
        found: list[tuple[str, Node]] = []
        while not self._is("}"):
            if found:
                self._expect(",")
            key = self._next()
            if key.kind not in ("text", "word"):
                raise Doubt
            self._expect(":")
            found.append((unquoted(key.text) if key.kind == "text" else key.text, self._expression(0)))
        self._next()
        return Pairs(tuple(found))

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._is(".", "?."):
                optional = self._next().text == "?."
                if optional and self._is("["):
                    raise Doubt
                node = self._member(node, optional)
            elif self._is("["):
                self._next()
                node = self._indexed(node)
            else:
                return node

    def _member(self, node: Node, optional: bool) -> Node:
        key = self._next()
        if key.kind != "word":
            raise Doubt
        if self._is("("):
            return self._method(node, key.text, optional)
        return Member(node, Literal(key.text), optional)

    def _method(self, of: Node, name: str, optional: bool) -> Node:
        if optional:
            raise Doubt
        if of == Name("sprig"):
            return self._called(f"sprig.{name}", ())
        if f".{name}" not in METHODS:
            raise Doubt
        self.names.add(f".{name}")
        return self._called(f".{name}", (of,))

    def _indexed(self, node: Node) -> Node:
        start = None if self._is(":") else self._expression(0)
        if not self._is(":"):
            self._expect("]")
            if start is None:
                raise Doubt
            return Member(node, start)
        self._next()
        end = None if self._is("]") else self._expression(0)
        self._expect("]")
        return Slice(node, start, end)
