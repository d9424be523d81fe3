"""The names that other programs and people see: annotations, labels, the finalizer and the states.

They are a contract: changing one breaks Workflows that have been placed already.
"""

from enum import StrEnum

PLACEMENT = "medea.dev/placement"
"""Annotation on the origin and label on the run: the id of their row in the ledger."""
CLUSTER = "medea.dev/cluster"
STATE = "medea.dev/state"
TOTALS = "medea.dev/totals"
LARGEST_POD = "medea.dev/largest-pod"
"""The largest pod of an elastic Workflow, written like its totals."""
DECISION = "medea.dev/decision"
REASON = "medea.dev/reason"
IDENTITY = "medea.dev/identity"
"""Annotation that Medea's own API sets on what it submits for a caller; not trusted from anybody else."""

VERBS = "medea.dev/verbs"
"""Annotation on the origin: the verbs not yet applied to its run. See `webhook.model.verbs`."""

COPIES = "medea.dev/copies"
"""Annotation on the run: the copies of templates that it uses. JSON: the name of each, and what it is a copy of, as
`WorkflowTemplate/NAME`."""

WRITTEN = frozenset({PLACEMENT, CLUSTER, STATE, TOTALS, LARGEST_POD, DECISION, REASON, IDENTITY, VERBS, COPIES})
"""The annotations that only Medea writes: they are removed from what others submit."""

DRAIN = "medea.dev/drain"
"""Annotation on a target's Secret: while it is `true`, nothing new is placed on that target."""
IMPERSONATE = "medea.dev/impersonate"
"""Annotation on a target's Secret: Workflows are created there as who submitted them. JSON: the groups of theirs that
count there, as `["team-a"]`."""
ARGO_CONFIGS = "medea.dev/argo-configs"
"""Annotation on a target's Secret: the ConfigMaps of its Argo controllers, as `NAMESPACE/NAME`, with commas between."""
NODE_POOLS = "medea.dev/node-pools"
"""Annotation on a target's Secret: its node pools. JSON: a list of these, each with the `selector` of its nodes, the
`sizes` that each of them has at least, and the `taints` that keep pods out."""
NODE_PLACEMENT = "medea.dev/node-placement"
"""Label on a namespace: with the value `true`, steps of its Workflows go to the smallest node pools that fit them."""
CONSENT = "medea.dev/consent"
"""Label on what `medea target add` makes on a target, by which `medea target remove` finds it."""

SKIP = "medea.dev/skip"
CLUSTERS = "medea.dev/clusters"
POLICY = "medea.dev/policy"
FIT = "medea.dev/fit"
"""Annotation a user may set: `whole`, it needs room for its peak; `elastic`, room for its largest pod lets it end."""

SPLIT = "medea.dev/split"
"""Annotation a user may set on a Workflow that is a fan-out: into how many chunks it is cut, or `auto`."""
SPLIT_OF = "medea.dev/split-of"
"""Label on a chunk: the placement of the Workflow that it is a part of. Believed on what Medea itself submits."""
CHUNK = "medea.dev/chunk"
"""Annotation on a chunk: its number."""
SUSPENDED = "medea.dev/suspended-with-parent"
"""Annotation on a chunk that was suspended because its Workflow was."""
POWER_JOB = "medea.dev/power-job"
"""Label on the Workflow of a job that is counted in power: the job's id."""
CHUNKS = "medea.dev/chunks"
"""Label on a namespace: what becomes of chunks on a target that is lost or slow. `stay` (the default) or `move`."""

MAKES = "medea.dev/makes"
"""Annotation a user may set: what the Workflow makes before it needs it, as `ConfigMap/a, Secret/b`. It is not looked
for on targets."""
TAKE_ALONG = "medea.dev/take-along"
"""Label on a namespace: with the value `configmaps`, those that its Workflows refer to go along with their runs."""
TAKEN_KINDS = "configmaps"

ORIGIN_UID = "medea.dev/origin-uid"
ORIGIN_NAME = "medea.dev/origin-name"
COPIED = "medea.dev/copied"
"""Label on a WorkflowTemplate or ConfigMap that Medea copied to a target. The copy is never changed: runs may be using
it."""
COPY_OF = "medea.dev/copy-of"
"""Annotation on such a copy: what it is a copy of, as `WorkflowTemplate/NAME`, with the kind of the original."""

MADE_BY = "medea.dev/made-by"
"""Label on a Workflow on a target that a resource template of a run has created: the uid of the run."""

PARENT = "medea.dev/parent"
"""Label on a sub-Workflow: the name of the Workflow whose step started it."""
PARENT_UID = "medea.dev/parent-uid"
STEP = "medea.dev/step"
"""Annotation on a sub-Workflow: its own name. In a copy this names the original, so a copy is no sub-Workflow."""
STOPPED = "medea.dev/stopped-with-parent"
"""Annotation on a sub-Workflow that was stopped because its parent was: `Stop` or `Terminate`. Likewise on a chunk of
which the rest goes elsewhere."""
ASKED = "medea.dev/asked-"
"""Prefix of annotations on a Workflow that a step acts on: they make sure that a repeated request acts once."""

FINALIZER = "medea.dev/run"
"""On the origin: removed when the run is gone. On the run: removed when the run's end is in the ledger."""

ENABLED = "medea.dev/enabled"
OPTED_IN = f"{ENABLED}=true"
"""Selects the namespaces whose Workflows are placed."""
HOLD = "medea.dev/hold"
"""Label on a namespace: which hold its origins have."""
PROBE = "medea.dev/probe"
"""Label on the Workflow with which Medea finds out whether an Argo controller works in a namespace."""
MIRRORED = "medea.dev/mirrored"
"""Label on a pod or an Event at the front door that mirrors one on a target, and on its Node: the target's name."""
MIRRORED_POD = "medea.dev/mirrored-pod"
"""Annotation on a mirrored pod: the name of the pod on the target."""
MIRRORED_UID = "medea.dev/mirrored-uid"
"""Annotation on a mirrored pod: the uid of the pod on the target."""
VIRTUAL = "medea.dev/virtual"
"""Taint of a virtual Node: nothing may be scheduled there."""
PREFIX = "medea.dev/"

SERVICE = "medea.dev/service"
"""Label on a WorkflowTemplate: the service that it is to people who submit files, and on the Workflows of its jobs."""
FILE_JOB = "medea.dev/file-job"
"""Label on the Workflow of a job with files: the job's id."""
FILE_USER = "medea.dev/file-user"
"""Annotation on it: the `user_id` that it was submitted for."""

JOB_CLASS = "medea.dev/job-class"
"""Label on a WorkflowTemplate: the class whose jobs it runs, and on the Workflows of these."""
CLASS_JOB = "medea.dev/class-job"
"""Label on the Workflow of a job of a class: the job's id."""

GRAFTED = "medea-"
"""Prefix of the ids that a run's nodes have at its origin, so that they differ from those of the origin's own nodes."""

AGENT_ACCOUNT = "medea-agent"
PLUGIN_ACCOUNT = "medea-executor-plugin"
MANAGED_BY = "app.kubernetes.io/managed-by"
"""Label, with the value `medea`, on what Medea makes in namespaces. Its account may delete nothing else there."""

ARGO = "workflows.argoproj.io/"
"""Prefix of Argo's own labels and annotations."""
ARGO_COMPLETED = "workflows.argoproj.io/completed"
ARGO_PHASE = "workflows.argoproj.io/phase"
ARGO_WORKFLOW = "workflows.argoproj.io/workflow"
ARGO_ARTIFACT_GC = "workflows.argoproj.io/artifact-gc"
"""Argo's finalizer of a Workflow whose artifacts it deletes with it, or when it ends."""
ARGO_INSTANCE = "workflows.argoproj.io/controller-instanceid"
ARGO_POD_NAMES = "workflows.argoproj.io/pod-name-format"
ARGO_NODE_ID = "workflows.argoproj.io/node-id"
ARGO_NODE_NAME = "workflows.argoproj.io/node-name"
ARGO_PREVIOUS = "workflows.argoproj.io/resubmitted-from-workflow"
ARGO_CONFIG_MAP_TYPE = "workflows.argoproj.io/configmap-type"
ARGO_PARAMETERS = "Parameter"
"""Value of that label on a ConfigMap from which Argo takes values of parameters: it finds no others."""
ARGO_COMPONENT = "workflows.argoproj.io/component"
ARGO_CRON = "workflows.argoproj.io/cron-workflow"
ARGO_CRON_TIME = "workflows.argoproj.io/scheduled-time"
ARGO_CRON_SCHEDULE = "cronworkflows.argoproj.io/last-used-schedule"
ARGO_CRON_COMPLETED = "cronworkflows.argoproj.io/completed"
ARGO_CREATOR = "workflows.argoproj.io/creator"
ARGO_CREATORS = (ARGO_CREATOR, f"{ARGO_CREATOR}-email", f"{ARGO_CREATOR}-preferred-username")
"""Labels that argo-server puts on what it creates: who asked for it."""


class Hold(StrEnum):
    """What keeps the origin's templates from running at the front door."""

    PLUGIN = "plugin"
    """For namespaces with an Argo controller: the origin's spec is a stub with one task, which Medea answers."""
    NONE = "none"
    """For namespaces without one: the origin keeps the user's own spec, and only Medea writes its status."""


class State(StrEnum):
    """The state of a placement in the ledger."""

    QUEUED = "queued"
    """Accepted, but no target has room, or none could be asked."""
    RESERVED = "reserved"
    """A target is chosen and room reserved there; the run is not known to exist yet."""
    RUNNING = "running"
    """The run exists."""
    SPLIT = "split"
    """It runs as chunks, each of which is a placement of its own; it holds no room itself."""
    ENDED = "ended"
    """The run has a final phase, or will never have one; its room is free again."""
    DELETING = "deleting"
    """The origin was deleted; the run may still exist."""
    DELETED = "deleted"
    """Origin and run are gone."""
    EXPIRED = "expired"
    """The origin never appeared."""
    UNKNOWN = "unknown"
    """Never written: the row has a word of a newer version of Medea. This version leaves it alone."""


SHUTDOWNS = ("Stop", "Terminate")
"""What `spec.shutdown` may be."""
FINAL_PHASES = frozenset({"Succeeded", "Failed", "Error"})
FINAL_NODE_PHASES = FINAL_PHASES | {"Skipped", "Omitted"}
