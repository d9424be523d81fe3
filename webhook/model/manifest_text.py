"""Changes the manifest of a resource template, whose tags are no YAML before Argo fills them in. Pure.

Whatever is not changed is written as it was, quotes included: `12:30`, `2026-01-01` or `on` are read differently by
different parsers of YAML, and what a tag stands for may mean something else without its quotes.
"""

from collections.abc import Callable

import yaml

from webhook.model.objects import Object
from webhook.totals.manifests import Styled, read_yaml
from webhook.totals.tags import masked

Edit = Callable[[list[Object]], bool]
"""Changes documents in place; returns whether it has changed anything. Every scalar is a text there, and tags words."""


def edited(manifest: str, edit: Edit) -> str | None:
    """The manifest with the objects in it changed; None if nothing is to be changed, or it can't be read."""
    # A tag is often no YAML: `value: {{inputs.parameters.size}}`.
    text, tags = masked(manifest)
    try:
        documents = read_yaml(text, texts=True)
    except ValueError:
        return None
    if not edit([one for one in documents if isinstance(one, dict)]):
        return None
    text = yaml.dump_all(documents, Dumper=_Dumper, width=10**6, sort_keys=False)
    for word, tag in tags.items():
        text = text.replace(word, tag)
    return text


class _Dumper(yaml.BaseDumper):
    """Takes no text for anything else, so that each can be written as it was."""


_Dumper.add_representer(
    Styled, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=text.style)
)
_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Dumper.add_representer(dict, lambda dumper, found: dumper.represent_mapping("tag:yaml.org,2002:map", found))
_Dumper.add_representer(list, lambda dumper, found: dumper.represent_sequence("tag:yaml.org,2002:seq", found))
