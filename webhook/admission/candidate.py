"""A submitted Workflow about which everything is known except its target. Pure."""

import uuid
from dataclasses import dataclass, field

from webhook.admission.refer import Referred
from webhook.admission.stub import AgentPods, stub_placement, stub_spec
from webhook.admission.submission import Submission, read_submission
from webhook.admission.weigh import Weighed
from webhook.admission.wire import Review
from webhook.kube.resources import checked_name
from webhook.ledger.placement import NewPlacement
from webhook.model.contract import Hold
from webhook.model.objects import Object
from webhook.model.run import Original
from webhook.model.submitter import Submitter
from webhook.references.sources import with_values
from webhook.scout.placer import known_policy
from webhook.splitting.asked import NewSplit
from webhook.totals.requirements import Requirements
from webhook.totals.shape import Name
from webhook.totals.shared_names import shared_by
from webhook.totals.spark import SparkJob


@dataclass(frozen=True)
class Candidate:
    """`workflow` is what the run is made from; `held_spec` is the origin's new spec, None if it keeps its own."""

    new: NewPlacement
    workflow: Object = field(repr=False)
    held_spec: Object | None = field(repr=False)
    caller: str | None
    spark: SparkJob | None
    hints: tuple[str, ...] = ()
    """Why something that it refers to does not go along with its run."""


def candidate(
    review: Review,
    submission: Submission,
    workflow: Object,
    weighed: Weighed,
    referred: Referred,
    *,
    hold: Hold,
    caller: str | None,
    submitter: Submitter,
    agents: AgentPods,
    node_placement: bool = False,
    split: NewSplit | None = None,
    part: bool = False,
) -> Candidate:
    """The candidate. Raises Refused for an unknown policy.

    `caller` is on whose behalf Medea's own API submits it; with `node_placement` its steps go to node pools. `split` is
    set if it runs as chunks; then `weighed` is about one of its items. `part` is set for a chunk.
    """
    spec, need, found = workflow["spec"], weighed.need, weighed.found
    reference = read_submission(workflow).template_reference
    template_spec = found.library.get(Name(*reference), {}) if reference else {}
    placement, namespace = uuid.uuid4().hex, checked_name("request.namespace", review.namespace)
    original: Original = {"workflow": workflow, "templates": list(found.originals)}
    if node_placement:
        original["node_placement"] = True
    if referred.taken:
        original["config_maps"] = list(referred.taken)
    new = NewPlacement(
        placement=placement,
        namespace=namespace,
        name=submission.name,
        generate_name=submission.generate_name,
        template=reference[0] if reference else None,
        totals=need.totals,
        demands=need.demands,
        policy=known_policy(submission.policy),
        only_clusters=submission.only_clusters,
        identity=caller or review.user,
        original=original,
        notes=(*(found.notes if need.spark else need.notes), *referred.notes),
        hold=hold,
        submitter=submitter,
        largest_pod=need.largest if _is_elastic(submission, need) else None,
        refers=referred.needs,
        shared=shared_by(with_values(spec, referred.values), namespace, found.library),
        split=split,
        part=part,
    )
    held_spec = None
    if stub_placement(submission.spec) is not None:
        # Made from what was sent, with either hold: whoever names a placement must not be told its original.
        held_spec = stub_spec(submission.spec, {}, placement, agents)
    elif hold is Hold.PLUGIN:
        held_spec = stub_spec(spec, template_spec, placement, agents)
    return Candidate(new, workflow, held_spec, caller, need.spark, referred.hints)


def _is_elastic(submission: Submission, need: Requirements) -> bool:
    """A Spark Workflow is a gang; every other one can end a few pods at a time, unless its user says otherwise."""
    return need.spark is None if submission.elastic is None else submission.elastic
