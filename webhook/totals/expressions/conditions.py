"""Conditions of steps and tasks (`when`), as govaluate reads them after Argo has turned its variables into strings.

Known are comparisons, `in`, `=~`, sums, and `!`, `&&`, `||` over them. Dates, ternaries, bits and what depends on the
order in which govaluate takes operators of one rank are in doubt.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from webhook.model.limits.admission import EXPRESSION_DEEPEST, EXPRESSION_LONGEST, EXPRESSIONS_KEPT
from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.patterns import found_in

Plain = str | float | bool
Operand = Plain | list[Plain]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[0-9.]+)
        | (?P<word>[A-Za-z][A-Za-z0-9_.]*)
        | ['"](?P<text>[^'"\\]*)['"]
        | \[(?P<bracket>[^\]\\]*)\]
        | (?P<mark>[(),])
        | (?P<symbol>[^A-Za-z0-9()\[\]'"\s]+)
    )""",
    re.VERBOSE | re.ASCII,
)
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}")
# How the dates begin that govaluate turns into numbers.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-|[0-9]{1,2}:|(?:mon|tue|wed|thu|fri|sat|sun)\w* ", re.IGNORECASE)
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "=~", "!~", "in")
_SYMBOLS = frozenset({*_COMPARISONS, "&&", "||", "!", "+", "-", "*", "/", "%", "(", ")", ","})
_SPACES = " \t\n\r\f\v"


@dataclass(frozen=True)
class _Value:
    value: Plain


_Token = _Value | str
_Later = Callable[[], Operand]


@lru_cache(EXPRESSIONS_KEPT)
def holds(condition: str, bare_words: bool = True) -> bool | None:
    """Whether a step with this condition, all tags filled in, runs; None if that is in doubt.

    In a step's condition a word without quotes is a text; without `bare_words` it is in doubt.
    """
    if not condition:
        return True
    if len(condition) > EXPRESSION_LONGEST:
        return None
    try:
        found = _Reader(_tokens(condition, bare_words)).whole()
    except Doubt:
        return None
    return found if isinstance(found, bool) else None


def _tokens(condition: str, bare_words: bool) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(condition.rstrip(_SPACES))
    while at < end:
        match = _TOKEN.match(condition, at)
        if match is None:
            raise Doubt
        if not bare_words and match["word"] not in (None, "in", "IN", "true", "false"):
            raise Doubt
        found.append(_token(match))
        at = match.end()
    return found


def _token(match: re.Match[str]) -> _Token:
    word, text = match["word"], match["text"]
    if match["number"] is not None:
        if not _NUMBER.fullmatch(match["number"]):
            raise Doubt
        return _Value(float(match["number"]))
    if text is not None:
        if _DATE.match(text):
            raise Doubt
        return _Value(text)
    if match["bracket"] is not None:
        return _Value(match["bracket"])
    if word is not None:
        if "." in word:
            raise Doubt
        if word in ("in", "IN"):
            return "in"
        return _Value(word == "true") if word in ("true", "false") else _Value(word)
    symbol = match["mark"] or match["symbol"]
    if symbol not in _SYMBOLS:
        raise Doubt
    return str(symbol)


class _Reader:
    """Evaluates tokens by recursive descent. What short-circuits is read, but its doubts don't count."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def whole(self) -> Operand:
        found = self._either()
        if self._at < len(self._tokens):
            raise Doubt
        return found()

    def _either(self) -> _Later:
        self._depth += 1
        if self._depth > EXPRESSION_DEEPEST:
            raise Doubt
        found = self._joined("||", self._both, stop=True)
        self._depth -= 1
        return found

    def _both(self) -> _Later:
        return self._joined("&&", self._compared, stop=False)

    def _joined(self, symbol: str, part: Callable[[], _Later], *, stop: bool) -> _Later:
        parts = [part()]
        while self._take(symbol):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]

        def value() -> Operand:
            return stop if any(_as_bool(one) is stop for one in parts) else not stop

        return value

    def _compared(self) -> _Later:
        left = self._added()
        symbol = self._take(*_COMPARISONS)
        if symbol is None:
            return left
        right = self._added()
        if self._take(*_COMPARISONS):
            raise Doubt
        return lambda: _comparison(symbol, left(), right())

    def _added(self) -> _Later:
        return self._calculated(("+", "-"), self._multiplied)

    def _multiplied(self) -> _Later:
        return self._calculated(("*", "/", "%"), self._prefixed)

    def _calculated(self, symbols: tuple[str, ...], part: Callable[[], _Later]) -> _Later:
        """One operation, or several of the same kind for which the order does not matter."""
        left = part()
        symbol = self._take(*symbols)
        if symbol is None:
            return left
        parts = [left, part()]
        while self._take(symbol):
            if symbol not in "+*":
                raise Doubt
            parts.append(part())
        if self._take(*symbols):
            raise Doubt
        return lambda: _calculation(symbol, [one() for one in parts])

    def _prefixed(self) -> _Later:
        if symbol := self._take("!", "-"):
            if isinstance(self._peek(), str) and self._peek() != "(":
                raise Doubt
            value = self._single(bare=False)
            return lambda: _negated(symbol, value())
        return self._single(bare=True)

    def _single(self, *, bare: bool) -> _Later:
        token = self._peek()
        if isinstance(token, _Value):
            if not bare and isinstance(token.value, str):
                raise Doubt
            self._at += 1
            return lambda: token.value
        if not self._take("("):
            raise Doubt
        parts = [self._either()]
        while self._take(","):
            parts.append(self._either())
        if not self._take(")"):
            raise Doubt
        return parts[0] if len(parts) == 1 else lambda: [_plain(one()) for one in parts]

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *symbols: str) -> str | None:
        token = self._peek()
        if isinstance(token, str) and token in symbols:
            self._at += 1
            return token
        return None


def _plain(value: Operand) -> Plain:
    if isinstance(value, list):
        raise Doubt
    return value


def _as_bool(later: _Later) -> bool:
    value = later()
    if not isinstance(value, bool):
        raise Doubt
    return value


def _comparison(symbol: str, left: Operand, right: Operand) -> bool:
    if symbol == "in":
        if not isinstance(right, list):
            raise Doubt
        return any(_same(_plain(left), one) for one in right)
    left, right = _plain(left), _plain(right)
    if symbol in ("==", "!="):
        return _same(left, right) is (symbol == "==")
    if symbol in ("=~", "!~"):
        if not isinstance(left, str) or not isinstance(right, str):
            raise Doubt
        return found_in(right, left) is (symbol == "=~")
    return _ordered(symbol, left, right)


def _same(left: Plain, right: Plain) -> bool:
    return type(left) is type(right) and left == right


def _ordered(symbol: str, left: Plain, right: Plain) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        less, equal = left < right, left == right
    else:
        less, equal = _number(left) < _number(right), left == right
    return {"<": less, "<=": less or equal, ">": not less and not equal, ">=": not less}[symbol]


def _number(value: Operand) -> float:
    if type(value) is not float:
        raise Doubt
    return value


def _calculation(symbol: str, values: list[Operand]) -> Operand:
    numbers = [_number(value) for value in values]
    made = numbers[0]
    for number in numbers[1:]:
        if symbol in "/%" and number == 0:
            raise Doubt
        made = _calculated(symbol, made, number)
    return made


def _calculated(symbol: str, left: float, right: float) -> float:
    if symbol == "%":
        if left < 0 or right < 0:
            raise Doubt
        return left % right
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else 0.0}[symbol]


def _negated(symbol: str, value: Operand) -> Operand:
    if symbol == "!" and isinstance(value, bool):
        return not value
    if symbol == "-" and type(value) is float:
        return -value
    raise Doubt
