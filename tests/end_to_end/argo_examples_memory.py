"""How examples ended on a target without Medea, from one run of the test to the next.

That depends on Argo, on the example and on what it finds in its namespace, and on nothing of Medea's. To measure it
takes as many pods as the test itself, so that is done when one of them has changed, or the cache is empty.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.argo_examples_choice import TEMPLATES
from tests.end_to_end.argo_examples_rewrite import documents
from tests.end_to_end.argo_examples_room import furniture
from tests.lab import images
from tests.lab.golang import CACHE
from tests.lab.versions import version

_FILE = CACHE / "argo-examples.json"
# Stand for what differs from run to run and changes no end.
_STORE, _NAMESPACE = "http://store", "namespace"


def remembered(examples: Mapping[str, str]) -> dict[str, str]:
    """The phases that are known, by example; `examples` are given with their keys."""
    known = _read()
    return {example: known[key] for example, key in examples.items() if key in known}


def remember(examples: Mapping[str, str], phases: Mapping[str, str]) -> None:
    """Keep these examples' phases for the next run."""
    known = _read() | {examples[example]: phase for example, phase in phases.items()}
    fresh = _FILE.with_name(f".{_FILE.name}.{os.getpid()}")
    fresh.write_text(json.dumps(known, indent=1))
    fresh.rename(_FILE)


def keys(files: list[str]) -> dict[str, str]:
    """A key for each document of these files: its content, and that of all around it."""
    around = _digest(
        version("ARGO"),
        *(path.read_text() for path in sorted(images.SHIMS.iterdir())),
        json.dumps(furniture(_STORE, _NAMESPACE)),
        *(json.dumps(documents(file, _STORE, _NAMESPACE)) for file in TEMPLATES),
    )
    return {
        f"{file}#{number}": _digest(around, json.dumps(document))
        for file in files
        for number, document in enumerate(documents(file, _STORE, _NAMESPACE))
    }


def _read() -> dict[str, str]:
    return dict(json.loads(_FILE.read_text())) if Path(_FILE).exists() else {}


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
