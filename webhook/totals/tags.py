"""Argo's expressions between double braces."""

from collections.abc import Iterator, Mapping

from webhook.model.limits import TAGS_LONGEST

UNKNOWN = "medea-unknown"
"""Stands in a text for what is not known."""

Bindings = Mapping[str, str]
"""Values by the name that they have between the braces, such as `workflow.parameters.size`."""


def filled(text: str, known: Bindings) -> str:
    """The text with every tag replaced by its value; what is not known, and every real expression, by UNKNOWN.

    So is what would make the text grow beyond all bounds: values may hold one another.
    """
    if "{{" not in text:
        return text
    pieces, room, at = [], TAGS_LONGEST, 0
    for start, end in _places(text):
        value = known.get(text[start + 2 : end - 2].removeprefix("=").strip(), UNKNOWN)
        room -= len(value)
        pieces += [text[at:start], value if room >= 0 else UNKNOWN]
        at = end
    return "".join([*pieces, text[at:]])


def tags_in(text: str) -> Iterator[str]:
    """What stands between the braces of each tag."""
    return (text[start + 2 : end - 2] for start, end in _places(text))


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where tags begin and end, as Argo finds them. No regular expression: with many open braces one takes for ever."""
    end = 0
    while (start := text.find("{{", end)) >= 0:
        close = text.find("}}", start + 2)
        if close < 0:
            return
        end = close + 2
        yield start, end
