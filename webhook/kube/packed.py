"""Objects as an informer keeps them: compressed JSON. Unpacked, a Workflow of twenty nodes is thirty times as large.

Ten thousand origins and their runs are looked at one at a time, and fit into a pod like this. Pure.
"""

import json
import zlib
from dataclasses import dataclass

from webhook.model.objects import Object

# The quickest: the JSON of an object repeats itself so much that more effort gains little.
_EFFORT = 1


@dataclass(frozen=True, slots=True)
class Packed:
    """One object. Its uid and resourceVersion can be read without unpacking it."""

    uid: str
    version: str | None
    content: bytes

    def unpacked(self) -> Object:
        """The object, made anew for whoever asks."""
        thing: Object = json.loads(zlib.decompress(self.content))
        return thing


def pack(thing: Object) -> Packed:
    """Keep an object that has metadata."""
    metadata = thing["metadata"]
    version = metadata.get("resourceVersion")
    content = zlib.compress(json.dumps(thing, separators=(",", ":")).encode(), _EFFORT)
    return Packed(str(metadata.get("uid")), None if version is None else str(version), content)
