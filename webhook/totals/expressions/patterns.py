"""Regular expressions that mean the same in Go and in Python, and whose time is bounded."""

import re

from webhook.model.limits.admission import PATTERN_LONGEST_TEXT, PATTERN_MOST_REPEATS
from webhook.totals.expressions.doubt import Doubt

# Letters, digits, harmless punctuation, `.`, anchors, alternatives, plain sets of characters, and repeats of those.
_PLAIN = re.compile(r"(?:(?:[\w .,:;/@=%&~<>'\"!-]|\[[A-Za-z0-9_.-]+\])[*+?]?|[\^$|])*", re.ASCII)
_REPEATS = re.compile(r"[*+?]")
_LINES = re.compile(r"[\r\n]")


def found_in(pattern: str, text: str) -> bool:
    """Whether the pattern matches somewhere in the text. Raises Doubt for any pattern that is not plain."""
    if not _PLAIN.fullmatch(pattern) or len(_REPEATS.findall(pattern)) > PATTERN_MOST_REPEATS:
        raise Doubt
    if len(text) > PATTERN_LONGEST_TEXT or _LINES.search(text) or not text.isascii():
        raise Doubt
    try:
        return re.search(pattern, text) is not None
    except re.error as error:
        raise Doubt from error
