"""Argo's tags between double braces: names of values (`{{name}}`), and expressions (`{{=expression}}`)."""

from collections.abc import Iterator, Mapping

from webhook.model.limits.admission import TAGS_LONGEST
from webhook.totals.expressions.evaluate import text_of

UNKNOWN = "medea-unknown"
"""Replaces a tag whose value is not known."""

_MASK = "medeatag"

Bindings = Mapping[str, str]
"""Known values by the name between the braces, such as `workflow.parameters.size`."""


def filled(text: str, known: Bindings) -> str:
    """The text with every tag replaced by its value, or by UNKNOWN if that is not known.

    Values beyond TAGS_LONGEST characters in total count as unknown too: nested values may grow exponentially.
    """
    if "{{" not in text:
        return text
    pieces, room, at = [], TAGS_LONGEST, 0
    for start, end in _places(text):
        value = _value(text[start + 2 : end - 2], known)
        room -= len(value)
        pieces += [text[at:start], value if room >= 0 else UNKNOWN]
        at = end
    return "".join([*pieces, text[at:]])


def _value(tag: str, known: Bindings) -> str:
    """Tags in a value are not followed: Argo fills them in, or not, depending on when it comes across them."""
    found = text_of(tag[1:], known) if tag.startswith("=") else known.get(tag.strip())
    return UNKNOWN if found is None or "{{" in found else found


def masked(text: str) -> tuple[str, dict[str, str]]:
    """The text with every tag replaced by a word of its own, and the tag of each word."""
    stem = _MASK
    while stem in text:
        stem += "z"
    pieces, tags, at = [], dict[str, str](), 0
    for number, (start, end) in enumerate(_places(text)):
        word = f"{stem}{number}x"
        tags[word] = text[start:end]
        pieces += [text[at:start], word]
        at = end
    return "".join([*pieces, text[at:]]), tags


def tags_in(text: str) -> Iterator[str]:
    """The text between the braces of each tag."""
    return (text[start + 2 : end - 2] for start, end in _places(text))


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where tags begin and end, as Argo finds them. Not a regular expression, whose time explodes with open braces."""
    end = 0
    while (start := text.find("{{", end)) >= 0:
        close = text.find("}}", start + 2)
        if close < 0:
            return
        end = close + 2
        yield start, end
