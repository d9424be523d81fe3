"""Builds the row of a placement from its origin and its run. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence

from webhook.admin.matching import Found, Match
from webhook.errors import Refused, Rejected
from webhook.ledger.rebuilding import Rebuilt
from webhook.model.contract import (
    ARGO_COMPLETED,
    ARGO_PHASE,
    CLUSTERS,
    IDENTITY,
    LARGEST_POD,
    POLICY,
    REASON,
    TOTALS,
    WRITTEN,
    Hold,
    State,
)
from webhook.model.objects import Object, annotations, labels, mapping
from webhook.model.run import Original
from webhook.model.template_versions import is_copy_name, rewritten, specs_of
from webhook.nodes.apply import without_selectors
from webhook.nodes.pools import Pools
from webhook.references.collect import collect
from webhook.scout.policies import POLICIES
from webhook.totals.model import NOTHING, Totals
from webhook.totals.quantities import cpu_milli, memory_bytes
from webhook.totals.shape import Name, spec_references, text
from webhook.totals.shared_names import shared_by

_TOTALS = re.compile(r"cpu=([0-9.]+), ram=([0-9.]+Gi)")
_NONE: Mapping[Name, Name] = {}
# Fields of the spec that verbs may have set since the submission.
_STEERED = ("suspend", "shutdown")


def row_of(
    match: Match,
    *,
    copies: Mapping[Name, Name] = _NONE,
    templates: Sequence[Object] = (),
    node_pools: Pools | None = None,
) -> Rebuilt:
    """The row to write. `copies` are Medea's copies of templates on the run's target, with what they are copies of.

    `templates` are those that a run needs; of one that is there they are not known, nor the locks that they name. An
    adopted run counts as running even if it has ended: the controller will see and record the end. `node_pools` are
    those of its target, if its steps go to node pools: a selector of one is Medea's, and not its user's.
    """
    origin, metadata, marks = match.origin, match.origin["metadata"], annotations(match.origin)
    workflow = _workflow(match, copies, node_pools or ())
    clusters = [name.strip() for name in marks.get(CLUSTERS, "").split(",") if name.strip()]
    status, run = mapping(origin.get("status")), (match.run or {}).get("metadata", {})
    spec, shown = mapping((workflow or {}).get("spec")), match.found is Found.ENDED
    reference = mapping(spec.get("workflowTemplateRef"))
    return Rebuilt(
        placement=match.placement,
        state={Found.ADOPTED: State.RUNNING, Found.QUEUED: State.QUEUED}.get(match.found, State.ENDED),
        name=metadata["name"],
        generate_name=metadata.get("generateName"),
        namespace=metadata["namespace"],
        template=text(reference.get("name")),
        origin_uid=metadata["uid"],
        totals=totals_of(origin) or NOTHING,
        largest_pod=totals_of(origin, LARGEST_POD),
        policy=marks[POLICY] if marks.get(POLICY) in POLICIES else "random",
        only_clusters=tuple(clusters) or None,
        identity=marks.get(IDENTITY, "unknown"),
        hold=match.hold,
        created_at=metadata["creationTimestamp"],
        original=_original(workflow, templates, node_placement=node_pools is not None) if workflow else None,
        reason=match.words or marks.get(REASON) or "the ledger was made anew",
        cluster=match.cluster,
        run_name=run.get("name"),
        run_uid=run.get("uid"),
        dispatched_at=run.get("creationTimestamp"),
        phase=text(status.get("phase")) if shown else "Error" if match.found is Found.LOST else None,
        message=text(status.get("message")) if shown else match.words,
        end_shown=shown,
        shared=shared_by(spec, metadata["namespace"], specs_of(templates)).names,
        refers=collect(spec, specs_of(templates)).needs if match.found is Found.QUEUED else (),
    )


def totals_of(origin: Object, annotation: str = TOTALS) -> Totals | None:
    """Totals from an annotation of the origin; None if there is none that can be read."""
    found = _TOTALS.fullmatch(annotations(origin).get(annotation, ""))
    try:
        return Totals(cpu_milli("cpu", found[1]), memory_bytes("ram", found[2])) if found else None
    except Refused:
        return None


def may_be_copies(match: Match) -> set[Name]:
    """The templates that the run refers to and whose names look like copies'; empty if the origin has its own spec."""
    if match.run is None or match.hold is Hold.NONE:
        return set()
    return {one.to for one in spec_references(match.run["spec"]) if is_copy_name(one.to.name)}


def _original(workflow: Object, templates: Sequence[Object], *, node_placement: bool) -> Original:
    made: Original = {"workflow": workflow, "templates": list(templates)}
    return {**made, "node_placement": True} if node_placement else made


def _workflow(match: Match, copies: Mapping[Name, Name], node_pools: Pools) -> Object | None:
    """The submitted Workflow; if the origin is a stub, rebuilt from the run. None if it is lost."""
    if match.hold is Hold.NONE:
        spec = match.origin["spec"]
    elif match.run is not None:
        spec = without_selectors(_under_own_names(match.run["spec"], copies), node_pools)
    else:
        return None
    metadata = {key: value for key, value in match.origin["metadata"].items() if key in ("name", "generateName")}
    metadata["labels"] = _without(labels(match.origin), (ARGO_COMPLETED, ARGO_PHASE))
    metadata["annotations"] = _without(annotations(match.origin), WRITTEN)
    return {"metadata": metadata, "spec": {key: value for key, value in spec.items() if key not in _STEERED}}


def _under_own_names(spec: Object, copies: Mapping[Name, Name]) -> Object:
    """A run's spec, with templates referred to by their names at the front door instead of those of the copies."""
    try:
        return rewritten(spec, copies)
    except Rejected:
        return spec


def _without(given: dict[str, str], dropped: Collection[str]) -> dict[str, str]:
    return {key: value for key, value in given.items() if key not in dropped}
