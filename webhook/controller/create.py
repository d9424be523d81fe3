"""Creates the run: exactly one, however often this is tried and whichever answers are lost."""

from collections.abc import Callable

import structlog

from webhook.controller.copies import Copies
from webhook.errors import Blocked, Clash, ClusterUnavailable, NotAccepted, NotAllowed, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import placements
from webhook.ledger.placement import Placement
from webhook.ledger.pool import Pool
from webhook.model.contract import ORIGIN_UID, PLACEMENT
from webhook.model.objects import Metadata, Object, labels
from webhook.model.run import Likeness, Original, likeness, run_names, run_object
from webhook.targets.acceptance import not_accepted
from webhook.targets.creator import Creator

log = structlog.get_logger(__name__)


Place = Callable[[str, Original], tuple[Original, str]]
"""Takes a target and what is to run; returns what runs there, and on which nodes, for people. Raises Rejected."""


def create_run(
    pool: Pool,
    creator: Creator,
    row: Placement,
    original: Original,
    copies: Copies,
    place: Place,
) -> Placement | None:
    """Create the run, or adopt the one that an earlier attempt has created, and note it in the ledger.

    Returns the row, or None if it is no longer to be run. Raises Rejected if the target refuses the run and certainly
    doesn't have it (NotAccepted: it takes no Workflows from this namespace, NotPermitted: none of this submitter's),
    NotAllowed if it certainly doesn't have it because another right is missing, and ClusterUnavailable otherwise if it
    is unknown whether the run exists.
    """
    target = creator.target
    # Look first: an earlier create may have succeeded, and the refusal of a second one would not show that.
    found = find_run(target, row) if row.run_name else None
    if found is None:
        try:
            placed, words = place(target.name, original)
            if words:
                log.info("steps placed on nodes", cluster=target.name, placement=row.placement, nodes=words)
            return _create(pool, creator, row, copies.with_copies(target, row.namespace, placed))
        except (Rejected, NotAllowed) as error:
            found = find_run(target, row)
            if found is None:
                raise
            log.info("run is there although it was refused", cluster=target.name, reason=error.message)
    return adopt(pool, row, found)


def find_run(target: Cluster, row: Placement) -> Object | None:
    """The placement's run on a target, under either name that it may have; None if it is certainly not there.

    Raises Blocked if that can't be told: what has the name of an earlier create may be the run, but its labels were
    taken off or changed; or Medea may not look.
    """
    try:
        return _find_run(target, row)
    except NotAllowed as error:
        # Not as it is: to callers it would mean that a create was not allowed, and so certainly not done.
        raise Blocked(error.message, **error.details) from error


def _find_run(target: Cluster, row: Placement) -> Object | None:
    unclear = False
    for name in run_names(str(row.name), row.placement):
        found = target.find(WORKFLOWS, row.namespace, name)
        like = Likeness.NONE if found is None else _likeness(found, row)
        if like is Likeness.CERTAIN:
            return found
        unclear = unclear or (like is Likeness.UNCLEAR and name == row.run_name)
    if unclear:
        words = f"Workflow {row.run_name} is on {target.name}, and nothing says whose run it is"
        raise Blocked(f"{words}: label it {PLACEMENT}={row.placement} if it is this one's, or delete it")
    target.confirm()
    return None


def has_placement_labels(workflow: Object, row: Placement) -> bool:
    """Whether a Workflow on a target has all marks of this placement's run: both labels, and one of its names."""
    marks = labels(workflow)
    marked = marks.get(PLACEMENT) == row.placement and marks.get(ORIGIN_UID) == row.origin_uid
    return marked and workflow["metadata"]["name"] in run_names(str(row.name), row.placement)


def _create(pool: Pool, creator: Creator, row: Placement, workflow: Object) -> Placement | None:
    target = creator.target
    names = run_names(str(row.name), row.placement)
    for name in sorted(names, key=lambda one: one != (row.run_name or names[0])):
        # Write the name first: a create that seems to fail may have succeeded, and the next attempt must find it.
        if placements.intend_run(pool, row.placement, name, cluster=str(row.cluster)) is None:
            return None
        run = _create_or_find(creator, row, workflow, name)
        if run is not None:
            return _dispatched(pool, row, run)
        log.warning("name taken on target", cluster=target.name, name=name, placement=row.placement)
    raise Rejected(f"the names {' and '.join(names)} are taken by other Workflows", cluster=target.name)


def _create_or_find(creator: Creator, row: Placement, workflow: Object, name: str) -> Object | None:
    """The run with that name; None if the name is taken by another Workflow."""
    target = creator.target
    body = run_object(
        workflow, placement=row.placement, name=name, origin_name=str(row.name), origin_uid=str(row.origin_uid)
    )
    try:
        return creator.create(row.namespace, body)
    except NotAllowed as error:
        raise NotAccepted(not_accepted(row.namespace, target.name)) from error
    except Clash:
        found = target.find(WORKFLOWS, row.namespace, name)
        if found is None:
            raise ClusterUnavailable(f"{name} went from {target.name} just now; trying again") from None
        return found if _likeness(found, row) is Likeness.CERTAIN else None


def _likeness(workflow: Object, row: Placement) -> Likeness:
    return likeness(workflow, row.placement, origin_name=str(row.name), origin_uid=str(row.origin_uid))


def adopt(pool: Pool, row: Placement, run: Object) -> Placement | None:
    """Note that a run which is there already is the placement's. Returns the row, or None if it has changed."""
    if placements.intend_run(pool, row.placement, run["metadata"]["name"], cluster=str(row.cluster)) is None:
        return None
    return _dispatched(pool, row, run)


def _dispatched(pool: Pool, row: Placement, run: Object) -> Placement | None:
    metadata: Metadata = run["metadata"]
    return placements.dispatched(
        pool, row.placement, cluster=str(row.cluster), run_name=metadata["name"], run_uid=metadata["uid"]
    )
