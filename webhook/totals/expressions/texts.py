"""What functions of expressions do with texts. Results are bounded before they are made."""

from webhook.model.limits.admission import EXPRESSION_LARGEST
from webhook.totals.expressions.doubt import Doubt
from webhook.totals.expressions.values import Value, as_text

SPACES = " \t\n\r\f\v"


def ascii_text(value: Value) -> str:
    """The text. Raises Doubt unless it is plain ASCII: Go and Python fold and count other characters differently."""
    text = as_text(value)
    if not text.isascii():
        raise Doubt
    return text


def trimmed(value: Value) -> str:
    """The text without spaces around it."""
    return ascii_text(value).strip(SPACES)


def repeated(text: str, times: int) -> str:
    """The text so many times."""
    if times < 0 or len(text) * times > EXPRESSION_LARGEST:
        raise Doubt
    return text * times


def replaced(text: str, old: str, new: str) -> str:
    """The text with every `old` replaced."""
    if not old or len(text) + text.count(old) * len(new) > EXPRESSION_LARGEST:
        raise Doubt
    return text.replace(old, new)


def joined(values: list[Value], glue: str) -> str:
    """The texts with `glue` between them."""
    texts = [as_text(value) for value in values]
    if sum(map(len, texts)) + len(texts) * len(glue) > EXPRESSION_LARGEST:
        raise Doubt
    return glue.join(texts)
