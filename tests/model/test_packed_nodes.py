"""Nodes as Argo packs them: what can't have been made of a Workflow is not unpacked."""

import base64
import gzip

from webhook.model.nodes import nodes_of, pack, unpacked


def test_what_was_packed_comes_back() -> None:
    nodes = {f"job-{number}": {"id": f"job-{number}", "children": [f"job-{number + 1}"]} for number in range(10_000)}
    assert nodes_of({"status": {"compressedNodes": pack(nodes)}}) == nodes


def test_a_small_text_that_stands_for_millions_of_values_is_not_unpacked() -> None:
    bomb = base64.b64encode(gzip.compress(b'{"a": [' + b"[]," * 2_000_000 + b"0]}")).decode()
    assert len(bomb) < 20_000
    assert unpacked(bomb) is None
    assert nodes_of({"status": {"compressedNodes": bomb}}) == {}
