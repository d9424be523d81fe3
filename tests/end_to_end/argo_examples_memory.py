"""How examples ended on a target without Medea, by all that this depends on."""

import json
from collections.abc import Mapping

from tests.end_to_end.argo_examples_choice import TEMPLATES
from tests.end_to_end.argo_examples_rewrite import documents
from tests.end_to_end.argo_examples_room import furniture
from tests.end_to_end.memory import Memory, key
from tests.lab import images
from tests.lab.versions import version

_MEMORY = Memory("argo-examples")
# Stand for what differs from run to run and changes no end.
_STORE, _NAMESPACE = "http://store", "namespace"


def remembered(examples: Mapping[str, str]) -> dict[str, str]:
    """The phases that are known, by example; `examples` are given with their keys."""
    known = _MEMORY.known()
    return {example: known[key] for example, key in examples.items() if key in known}


def remember(examples: Mapping[str, str], phases: Mapping[str, str]) -> None:
    """Keep these examples' phases for the next run."""
    _MEMORY.keep({examples[example]: phase for example, phase in phases.items()})


def keys(files: list[str]) -> dict[str, str]:
    """A key for each document of these files: its content, and that of all around it."""
    around = key(
        version("ARGO"),
        *(path.read_text() for path in sorted(images.SHIMS.iterdir())),
        json.dumps(furniture(_STORE, _NAMESPACE)),
        *(json.dumps(documents(file, _STORE, _NAMESPACE)) for file in TEMPLATES),
    )
    return {
        f"{file}#{number}": key(around, json.dumps(document))
        for file in files
        for number, document in enumerate(documents(file, _STORE, _NAMESPACE))
    }
