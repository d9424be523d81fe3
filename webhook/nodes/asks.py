"""What each template of a Workflow asks of a node, and whether its user has said already where it runs. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.nodes.paths import Path
from webhook.nodes.written_patches import WrittenPatches
from webhook.totals.merged import with_defaults
from webhook.totals.model import NO_DEFAULTS
from webhook.totals.pods import pod_need
from webhook.totals.shape import PODS, Spec, type_of
from webhook.totals.unknowns import Unknowns

_REQUESTS = "requests."
_STORAGE = "requests.ephemeral-storage"


@dataclass(frozen=True)
class Ask:
    """What the pod of one template asks for, by resource, and the taints that it tolerates."""

    path: Path
    name: str
    amounts: Mapping[str, int]
    tolerations: tuple[Mapping[str, Any], ...] = field(default=())


def asks(spec: Spec, around: Spec | None = None) -> Iterator[Ask]:
    """What is to be placed: templates that ask for resources, and whose user has not said on which nodes they run.

    `around` is the spec whose defaults and patches apply; None: `spec` itself. Raises Refused for what is no quantity.

    Sizes that are known only when it runs leave a template to the target's scheduler, as it would be without Medea. So
    do patches that say where it runs, and those that would take long to read; see `WrittenPatches`.
    """
    around = spec if around is None else around
    if _is_placed(around):
        return
    defaults, patch, read = mapping(around.get("templateDefaults")), around.get("podSpecPatch"), WrittenPatches()
    for path, written in templates_in(spec):
        template = with_defaults(written, defaults)
        # Argo takes these from a template as they are, so what the defaults say of them is the user's own word too.
        if type_of(template) not in PODS or _is_placed(written) or _is_placed(defaults):
            continue
        patches = read.of(patch, template.get("podSpecPatch"))
        if patches is None:
            continue
        need = pod_need(template, patches, {}, NO_DEFAULTS, Unknowns(), spec=around)
        wanted = {
            name.removeprefix(_REQUESTS): size
            for name, size in need.amounts.items()
            if name.startswith(_REQUESTS) and name != _STORAGE and size
        }
        if wanted:
            tolerations = (*mappings(written.get("tolerations")), *mappings(around.get("tolerations")))
            yield Ask(path, str(written.get("name") or "inline"), wanted, tolerations)


def templates_in(spec: Spec) -> Iterator[tuple[Path, Spec]]:
    """Every template of a spec with its path, inline ones too."""
    for path, template in _entries(spec.get("templates"), ("templates",)):
        yield from _with_inline(path, template)


def _with_inline(path: Path, template: Spec) -> Iterator[tuple[Path, Spec]]:
    yield path, template
    groups = template.get("steps")
    callers = list(_entries(mapping(template.get("dag")).get("tasks"), (*path, "dag", "tasks")))
    for number, group in enumerate(groups if isinstance(groups, list) else ()):
        callers += _entries(group, (*path, "steps", number))
    for where, caller in callers:
        if isinstance(caller.get("inline"), dict):
            yield from _with_inline((*where, "inline"), caller["inline"])


def _entries(value: Any, path: Path) -> Iterator[tuple[Path, Spec]]:
    for number, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            yield (*path, number), one


def _is_placed(holder: Spec) -> bool:
    """Whether it says on which nodes pods run. An empty selector is a word, too: it takes back another one."""
    affinity = mapping(holder.get("affinity"))
    return holder.get("nodeSelector") is not None or affinity.get("nodeAffinity") is not None
