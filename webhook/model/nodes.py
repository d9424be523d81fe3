"""The nodes in a Workflow's status, in whichever form Argo has stored them. Pure.

Argo stores them as plain JSON while the object is small, gzipped and in base64 once it exceeds a mebibyte, and in a
database if the controller is set up to offload them.
"""

import base64
import binascii
import gzip
import io
import json
import zlib
from collections.abc import Mapping
from typing import Any

from webhook.model.bounded_json import read_json
from webhook.model.contract import FINAL_NODE_PHASES
from webhook.model.limits.model import LARGE_NODES, MOST_UNPACKED, MOST_UNPACKED_VALUES
from webhook.model.objects import Object, mapping, status_of, texts

Nodes = dict[str, Object]

REFERENCES = ("children", "outboundNodes")
"""The fields of a node that list the ids of other nodes."""

_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193


def nodes_of(workflow: Mapping[str, Any]) -> Nodes:
    """The nodes by id; malformed ones are left out, and the result is empty if none can be read."""
    status = status_of(workflow)
    packed, plain = status.get("compressedNodes"), status.get("nodes")
    nodes = mapping(unpacked(packed) if packed and not plain else plain)
    return {key: node for key, node in nodes.items() if isinstance(node, dict)}


def references(node: Mapping[str, Any], key: str) -> list[str]:
    """The ids in `node[key]`, where `key` is one of `REFERENCES`."""
    return texts(node.get(key))


def is_over(node: Mapping[str, Any]) -> bool:
    """Whether a node has ended."""
    phase = node.get("phase")
    return isinstance(phase, str) and phase in FINAL_NODE_PHASES


def offloaded(workflow: Mapping[str, Any]) -> bool:
    """Whether its nodes are in a database that only Argo in its own cluster can read."""
    return bool(status_of(workflow).get("offloadNodeStatusVersion")) and not nodes_of(workflow)


def nodes_or_note(run: Mapping[str, Any], cluster: str) -> Nodes:
    """A run's nodes; if they are offloaded, a single node that says on which cluster they are."""
    if not offloaded(run):
        return nodes_of(run)
    name, status = run["metadata"]["name"], status_of(run)
    known: Object = {key: status[key] for key in ("phase", "startedAt", "finishedAt", "progress") if key in status}
    message = f"its nodes are offloaded on {cluster}: {status.get('progress', 'unknown')} of them done"
    return {name: {"id": name, "name": name, "displayName": name, "type": "DAG", **known, "message": message}}


def pack(value: Any) -> str:
    """JSON, gzipped and in base64, as Argo writes nodes into `status.compressedNodes`."""
    return base64.b64encode(gzip.compress(json.dumps(value).encode(), mtime=0)).decode()


def unpacked(text: Any) -> Any:
    """The opposite of `pack`; None for anything that was not packed."""
    try:
        with gzip.open(io.BytesIO(base64.b64decode(text, validate=True))) as stream:
            plain = stream.read(MOST_UNPACKED)
        if sum(plain.count(sign) for sign in (b"[", b"{", b",")) > MOST_UNPACKED_VALUES:
            return None
        return read_json(plain)
    except (OSError, EOFError, ValueError, TypeError, binascii.Error, zlib.error):
        return None


def id_of(workflow: str, node: str) -> str:
    """The id that Argo gives the node of this name: the Workflow's name, and a hash unless the node is the root."""
    return workflow if node == workflow else f"{workflow}-{fnv32a(node)}"


def fnv32a(text: str) -> int:
    """The 32-bit FNV-1a hash, which Argo uses in the names of nodes and pods."""
    value = _FNV_OFFSET
    for byte in text.encode():
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def is_large(nodes: Mapping[str, Any]) -> bool:
    """Whether the nodes have to be packed to fit into an object."""
    return len(json.dumps(nodes)) > LARGE_NODES
