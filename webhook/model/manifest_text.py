"""Changes the manifest of a resource template, whose tags are no YAML before Argo fills them in. Pure."""

from collections.abc import Callable

import yaml

from webhook.model.objects import Object
from webhook.totals.manifests import Styled, read_yaml
from webhook.totals.tags import masked

Edit = Callable[[list[Object]], bool]
"""Changes documents in place, tags replaced by words; returns whether it has changed anything."""


def edited(manifest: str, edit: Edit) -> str | None:
    """The manifest with the objects in it changed; None if nothing is to be changed, or it can't be read."""
    # A tag is often no YAML: `value: {{inputs.parameters.size}}`.
    text, tags = masked(manifest)
    try:
        documents = read_yaml(text, styled=True)
    except ValueError:
        return None
    if not edit([one for one in documents if isinstance(one, dict)]):
        return None
    text = yaml.dump_all(documents, Dumper=_Dumper, width=10**6, sort_keys=False)
    for word, tag in tags.items():
        text = text.replace(word, tag)
    return text


def quoted_text(text: str) -> str:
    """A string that is written in quotes: what its tags stand for may mean something else without them."""
    made = Styled(text)
    made.style = '"'
    return made


class _Dumper(yaml.SafeDumper):
    """Writes strings as they were written: what a tag stands for may mean something else without its quotes."""


_Dumper.add_representer(
    Styled, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=text.style)
)
