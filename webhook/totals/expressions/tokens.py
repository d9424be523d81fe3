"""Takes expr-lang apart into words, texts, numbers and operators."""

import re
from dataclasses import dataclass

from webhook.totals.expressions.doubt import Doubt

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<number>[0-9]{1,18}(?:\.[0-9]{1,18})?(?!\w|\.[^.]))
        | (?P<text>'[^'\\\r\n]*(?:\\['"\\ntr][^'\\\r\n]*)*' | "[^"\\\r\n]*(?:\\['"\\ntr][^"\\\r\n]*)*" | `[^`\r]*`)
        | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
        | (?P<operator>\?\?|\?\.|\|\||&&|==|!=|<=|>=|\*\*|\.\.|[-+*/%^<>!?:.,|()\[\]{}])
    )""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class Token:
    """`kind` is `number`, `text`, `word`, `operator` or `end`."""

    kind: str
    text: str


def tokens_of(expression: str) -> list[Token]:
    """Its tokens, and one of the kind `end`. Raises Doubt for characters that begin none."""
    found: list[Token] = []
    at, end = 0, len(expression.rstrip(" \t\n\r"))
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None or match.lastgroup is None:
            raise Doubt
        text = match[match.lastgroup]
        found.append(Token(match.lastgroup, text))
        at = match.end()
    return [*found, Token("end", "")]


def unquoted(text: str) -> str:
    """What a quoted text says."""
    if text.startswith("`"):
        return text[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text[1:-1])
