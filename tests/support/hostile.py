"""Objects with anything at all at places of theirs: what an apiserver with a minimal CRD lets its users store."""

import copy
from typing import Any

from hypothesis import strategies as st

Object = dict[str, Any]

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_WORDS = st.sampled_from(
    ["Succeeded", "Failed", "Running", "Stop", "medea-job", "job", "9999-12-31T23:59:59Z", "[", "{"]
)
ANYTHING = st.recursive(
    _SCALARS | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | _WORDS, inner, max_size=2),
    max_leaves=5,
)
"""Any JSON."""

# An apiserver answers for these itself, whatever the CRD says.
_SAFE = {("metadata",), *(("metadata", key) for key in ("name", "namespace", "uid", "resourceVersion"))}


@st.composite
def poisoned(draw: st.DrawFn, thing: Object) -> Object:
    """A copy of `thing` with anything at one to three of its places."""
    made = copy.deepcopy(thing)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(_places(made)))
        inside: Any = made
        for step in way:
            inside = inside[step]
        inside[last] = draw(ANYTHING)
    return made


def _places(thing: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    found = [place for key, value in inner for place in _places(value, (*way, key))]
    return found if way in _SAFE or not way else [way, *found]
