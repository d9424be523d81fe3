"""Finds in a YAML text where a key can be added to a mapping, with comments, anchors and order left alone. Pure."""

import json
import re
from collections.abc import Iterator

import yaml

from webhook.doors.nodes.edits import Insertion
from webhook.errors import BadRequest, Refused, quoted
from webhook.nodes.paths import Path, Tree

# Those of C count characters, as Python does.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What is no text in YAML without quotes."""
_NOTHING = None, None
"""What stands before the first key."""
_NOT_IN_JSON = frozenset(f"tag:yaml.org,2002:{name}" for name in ("binary", "omap", "pairs", "set"))
_NO_NUMBER = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)


def root_of(text: str) -> yaml.Node:
    """The only document of a text that `read_yaml` has read.

    Raises BadRequest if a key is there twice, or for what JSON, which Kubernetes reads, has nothing for.
    """
    documents = yaml.compose_all(str(text), Loader=_Loader)
    root = next(one for one in documents if not _is_empty(one))
    for node in _nodes(root):
        _check_type(node)
        if isinstance(node, yaml.MappingNode):
            _check_unique(node)
    return root


def insertions(text: str, root: yaml.Node, key: str, values: Tree[dict[str, str]]) -> Iterator[Insertion]:
    """What adds a key to mappings at places of the document.

    Raises Refused for one that is written in too unusual a way.
    """
    waiting: list[tuple[Path, yaml.Node, Tree[dict[str, str]]]] = [((), root, values)]
    while waiting:
        path, node, tree = waiting.pop()
        if tree.said is not None:
            assert isinstance(node, yaml.MappingNode)
            yield _insertion(text, node, path, key, tree.said)
        waiting += [((*path, step), _child(node, (*path, step)), inner) for step, inner in tree.inside.items()]


def _insertion(text: str, node: yaml.MappingNode, path: Path, key: str, value: dict[str, str]) -> Insertion:
    if node.flow_style:
        return Insertion(node.value[0][0].start_mark.index, f"{key}: {json.dumps(value)}, ")
    return _in_block(text, node, path, key, value)


def _in_block(text: str, node: yaml.MappingNode, path: Path, key: str, value: dict[str, str]) -> Insertion:
    column = node.value[0][0].start_mark.column
    indent = " " * column
    # Best below the first key, which is often the name. That one may stand behind a dash.
    for (_, before), (found, _) in (*zip(node.value, node.value[1:], strict=False), (_NOTHING, node.value[0])):
        at = found.start_mark.index - column
        # On a line of its own, with nothing but blanks before it.
        if found.start_mark.column != column or text[at : at + column] != indent:
            continue
        if isinstance(before, yaml.ScalarNode) and before.start_mark.line == before.end_mark.line:
            # Comments belong to what they stand above. In a text of several lines `#` begins none.
            at = _above_comments(text, at)
        end = "\r\n" if "\r\n" in text else "\n"
        lines = [f"{indent}{key}:", *(f"{indent}  {_name(name)}: {json.dumps(one)}" for name, one in value.items())]
        return Insertion(at, "".join(line + end for line in lines))
    raise _unusual(path)


def _above_comments(text: str, at: int) -> int:
    """The beginning of the first of the lines before `at` that are comments."""
    while at:
        start = text.rfind("\n", 0, at - 1) + 1
        if not text[start:at].lstrip(" ").startswith("#"):
            return at
        at = start
    return at


def _name(key: str) -> str:
    return key if _PLAIN.fullmatch(key) and key.lower() not in _WORDS else json.dumps(key)


def _child(node: yaml.Node, path: Path) -> yaml.Node:
    step = path[-1]
    if isinstance(step, int):
        found: yaml.Node | None = node.value[step]
    else:
        found = next((value for key, value in node.value if key.value == step), None)
    if found is None:
        # It is merged in from elsewhere, by `<<`.
        raise _unusual(path)
    return found


def _unusual(path: Path) -> Refused:
    where = ".".join(map(str, path))
    return Refused(f"{where} is written in a way that nothing can be added to in place: send it as JSON", field=where)


def _is_empty(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null")


def _check_type(node: yaml.Node) -> None:
    is_number = node.tag != "tag:yaml.org,2002:float" or not _NO_NUMBER.fullmatch(str(node.value))
    if node.tag in _NOT_IN_JSON or not is_number:
        said = node.tag.rpartition(":")[2] if is_number else node.value
        raise BadRequest(f"{quoted(said)} in line {node.start_mark.line + 1}: there is no such thing in JSON")


def _check_unique(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        name = str(key.value)
        if name in seen and name != "<<":
            line = key.start_mark.line + 1
            raise BadRequest(f"the key {quoted(name)} is there twice in one mapping, in line {line}", field=name)
        seen.add(name)


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """Every node, each once: an alias is the node that it stands for."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        yield node
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [one for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        for one in inner:
            if id(one) not in seen:
                seen.add(id(one))
                waiting.append(one)
