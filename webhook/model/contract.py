"""The names that other programs and people see: annotations, labels, the finalizer, and the words for states.

They are a contract: changing one breaks Workflows that are already placed.
"""

from enum import StrEnum

PLACEMENT = "medea.dev/placement"
"""Annotation on the origin and label on the run: the id of the ledger row that joins them."""
CLUSTER = "medea.dev/cluster"
STATE = "medea.dev/state"
TOTALS = "medea.dev/totals"
DECISION = "medea.dev/decision"
REASON = "medea.dev/reason"
IDENTITY = "medea.dev/identity"
"""Annotation that Medea's own API sets on what it submits for a caller; believed from nobody else."""

VERBS = "medea.dev/verbs"
"""Annotation: what people did to the origin that has not been done to its run yet. See `webhook.model.verbs`."""

WRITTEN = frozenset({PLACEMENT, CLUSTER, STATE, TOTALS, DECISION, REASON, IDENTITY, VERBS})
"""The annotations that only Medea writes: on what comes from elsewhere they are dropped."""

SKIP = "medea.dev/skip"
CLUSTERS = "medea.dev/clusters"
POLICY = "medea.dev/policy"

ORIGIN_UID = "medea.dev/origin-uid"
ORIGIN_NAME = "medea.dev/origin-name"
COPIED = "medea.dev/copied"
"""Label on a WorkflowTemplate that Medea copied to a target. It is never changed: runs under way may use it."""

PARENT = "medea.dev/parent"
"""Label on a sub-Workflow: the name of the Workflow whose step has begun it."""
PARENT_UID = "medea.dev/parent-uid"
STEP = "medea.dev/step"
"""Annotation on a sub-Workflow: its own name. A copy of it carries another's, and is nobody's sub-Workflow."""
STOPPED = "medea.dev/stopped-with-parent"
"""Annotation on a sub-Workflow: how it was stopped because its parent was."""
ASKED = "medea.dev/asked-"
"""Begins the annotations by which a step that is asked for twice is done once: on the Workflow that it is done to."""

FINALIZER = "medea.dev/run"
"""On the origin: it goes when the run is gone. On the run: it goes when the run's end is in the ledger."""

ENABLED = "medea.dev/enabled"
HOLD = "medea.dev/hold"
"""Label on a namespace: which hold its origins have."""
PROBE = "medea.dev/probe"
"""Label on the Workflow by which Medea sees whether an Argo controller works in a namespace."""
MIRRORED = "medea.dev/mirrored"
"""Label on a pod at the front door that stands for one on a target, and on the Node it is on: the target's name."""
MIRRORED_POD = "medea.dev/mirrored-pod"
"""Annotation on such a pod: the name of the pod it stands for."""
MIRRORED_UID = "medea.dev/mirrored-uid"
"""Annotation on such a pod: the uid of the pod it stands for."""
VIRTUAL = "medea.dev/virtual"
"""Taint of a Node that is none: nothing may be scheduled there."""
PREFIX = "medea.dev/"

GRAFTED = "medea-"
"""Begins the id of every node of a run at its origin: Argo's own ids begin with the Workflow's name and hold a hash."""

AGENT_ACCOUNT = "medea-agent"
PLUGIN_ACCOUNT = "medea-executor-plugin"

ARGO_COMPLETED = "workflows.argoproj.io/completed"
ARGO_PHASE = "workflows.argoproj.io/phase"
ARGO_WORKFLOW = "workflows.argoproj.io/workflow"
ARGO_INSTANCE = "workflows.argoproj.io/controller-instanceid"
ARGO_POD_NAMES = "workflows.argoproj.io/pod-name-format"
ARGO_NODE_ID = "workflows.argoproj.io/node-id"
ARGO_PREVIOUS = "workflows.argoproj.io/resubmitted-from-workflow"
ARGO_COMPONENT = "workflows.argoproj.io/component"


class Hold(StrEnum):
    """What keeps the origin's templates from running at the front door."""

    PLUGIN = "plugin"
    """Argo's controller is there: the origin's spec is a stub whose one task Medea answers for."""
    NONE = "none"
    """No Argo controller is there: the spec is the user's own, and Medea alone writes the status."""


class State(StrEnum):
    """What the ledger knows of a placement. Each value but the last three can still lead to a run."""

    QUEUED = "queued"
    """Accepted; no target has room, or none could be asked."""
    RESERVED = "reserved"
    """A target is chosen and its room held; the run is not known to exist."""
    RUNNING = "running"
    """The run exists."""
    ENDED = "ended"
    """The run has a final phase, or can never have one; its room is free again."""
    DELETING = "deleting"
    """The origin was deleted; the run has still to go."""
    DELETED = "deleted"
    """Origin and run are gone."""
    EXPIRED = "expired"
    """The origin never appeared."""
    UNKNOWN = "unknown"
    """Never written. A newer Medea has written what this one can't read, and so leaves alone."""


FINAL_PHASES = frozenset({"Succeeded", "Failed", "Error"})
FINAL_NODE_PHASES = FINAL_PHASES | {"Skipped", "Omitted"}
