"""Rebuilds the rows of a lost ledger from what the front door and the targets show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from webhook.admin.matching import Found, Match, Targets, lost, match, may_be_run, unmatched, unreadable
from webhook.admin.rows import may_be_copies, row_of, totals_of
from webhook.admission.gather import gather
from webhook.admission.nodes import wants_nodes
from webhook.errors import MedeaError, Refused
from webhook.kube.client import Cluster, is_object
from webhook.kube.resources import CLUSTER_WORKFLOW_TEMPLATES, NAMESPACES, WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.ledger import rebuilding
from webhook.ledger.pool import Pool
from webhook.model.contract import COPIED, COPY_OF, OPTED_IN
from webhook.model.deadline import Deadline
from webhook.model.limits.admin import COMMAND_WAIT
from webhook.model.objects import Object, annotations, labels
from webhook.model.run import origin_placement, run_placement
from webhook.model.template_versions import without_hash
from webhook.nodes.pools import Pools, noted_pools
from webhook.totals.shape import Name

_NOT_WRITTEN = frozenset({Found.KNOWN, Found.FOREIGN, Found.UNCLEAR, Found.UNDECIDED, Found.UNREADABLE})


class Registered(Protocol):
    """The part of the registry of targets that is needed here."""

    def names(self) -> Mapping[str, str | None]:
        """Every target, with the reason why it can't be used; None if it can."""

    def get(self, name: str) -> Cluster:
        """The client of a target."""

    def secret(self, target: str) -> Object | None:
        """The Secret that it is registered by."""


@dataclass(frozen=True)
class Report:
    """What was found: one match per placement, and the runs without an origin, with their clusters."""

    matches: list[Match]
    unmatched: list[tuple[str, Object]]


def rebuild(front: Cluster, registered: Registered, pool: Pool, *, gone: Collection[str]) -> Report:
    """Write a row for every placement without one. `gone` are targets that will never come back. May be repeated.

    Raises ClusterUnavailable if the front door is away. While a target does not answer, origins that may have a run
    there are left undecided.
    """
    # List the origins before reading the ledger: what is submitted meanwhile gets its row before its origin.
    workflows, _ = front.list(WORKFLOWS)
    namespaces, _ = front.list(NAMESPACES, selector=OPTED_IN)
    targets = _look(registered, gone)
    carried = {origin_placement(one) for one in workflows}
    carried |= {run_placement(run) for runs in targets.runs.values() for run in runs}
    known = rebuilding.known(pool, {placement for placement in carried if placement})
    found = match(workflows, {one["metadata"]["name"] for one in namespaces}, targets, known)
    placing = frozenset(one["metadata"]["name"] for one in namespaces if wants_nodes(one))
    written = [one if one.found in _NOT_WRITTEN else _write(front, registered, pool, one, placing) for one in found]
    return Report(written, unmatched(workflows, targets, known))


def _look(registered: Registered, gone: Collection[str]) -> Targets:
    runs: dict[str, list[Object]] = {}
    away: dict[str, str] = {}
    for name, reason in registered.names().items():
        try:
            if reason is None:
                runs[name] = _runs_on(registered.get(name))
            else:
                away[name] = reason
        except MedeaError as error:
            away[name] = error.message
    return Targets(runs, away, gone)


def _runs_on(target: Cluster) -> list[Object]:
    """All Workflows are read, page by page: one whose labels were taken off may be a run too."""
    pages = target.pages(WORKFLOWS)
    return [one for page, _ in pages for one in page if is_object(one) and may_be_run(one)]


def _write(front: Cluster, registered: Registered, pool: Pool, one: Match, placing: frozenset[str]) -> Match:
    """Write the row; in namespaces that are `placing`, steps go to node pools.

    A match that can't be queued after all becomes lost; one that got a row meanwhile, known.
    """
    templates: list[Object] = []
    try:
        if one.found is Found.QUEUED:
            templates = _templates_of(front, one)
        pools = _pools(registered, one) if one.origin["metadata"]["namespace"] in placing else None
        row = row_of(one, copies=_copies(registered, one), templates=templates, node_pools=pools)
    except Refused as error:
        row = row_of(one := lost(one, error.message))
    except (KeyError, TypeError, AttributeError) as error:
        return unreadable(one, error)
    return one if rebuilding.insert(pool, row) else replace(one, found=Found.KNOWN)


def _pools(registered: Registered, one: Match) -> Pools:
    """The node pools of its target; none if it has no target, or what is noted of them can't be read."""
    try:
        return noted_pools(registered.secret(one.cluster)) if one.cluster else ()
    except ValueError:
        return ()


def _copies(registered: Registered, one: Match) -> dict[Name, Name]:
    """The templates that a run refers to and that Medea has copied to its target, with what they are copies of."""
    found = {name: _copied(registered.get(str(one.cluster)), one.origin, name) for name in may_be_copies(one)}
    return {name: own for name, own in found.items() if own is not None}


def _copied(target: Cluster, origin: Object, name: Name) -> Name | None:
    kind = CLUSTER_WORKFLOW_TEMPLATES if name.cluster else WORKFLOW_TEMPLATES
    found = target.find(kind, None if name.cluster else origin["metadata"]["namespace"], name.name)
    if found is None or labels(found).get(COPIED) != "true":
        return None
    own_kind, _, own_name = annotations(found).get(COPY_OF, "").partition("/")
    # Copies of earlier versions of Medea don't say what they are copies of; they are of the same kind.
    return Name(own_name, own_kind == CLUSTER_WORKFLOW_TEMPLATES.kind) if own_name else without_hash(name)


def _templates_of(front: Cluster, one: Match) -> list[Object]:
    """The templates as they are now. Raises Refused if the Workflow's totals are not known any more."""
    if totals_of(one.origin) is None:
        raise Refused("what it needs is not known any more")
    deadline = Deadline.after(COMMAND_WAIT)
    return list(gather(front, one.origin["metadata"]["namespace"], one.origin["spec"], deadline).originals)
