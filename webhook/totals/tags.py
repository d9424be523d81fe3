"""Argo's expressions between double braces."""

import re
from collections.abc import Mapping

_TAG = re.compile(r"\{\{(=?)(.*?)\}\}", re.DOTALL)
UNKNOWN = "medea-unknown"
"""Stands in a text for what is not known."""

Bindings = Mapping[str, str]
"""Values by the name that they have between the braces, such as `workflow.parameters.size`."""


def filled(text: str, known: Bindings) -> str:
    """The text with every tag replaced by its value; what is not known, and every real expression, by UNKNOWN."""
    return _TAG.sub(lambda tag: known.get(tag[2].strip(), UNKNOWN), text) if "{{" in text else text
