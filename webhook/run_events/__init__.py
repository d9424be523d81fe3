"""Argo's own Events of a run, shown on its origin: `WorkflowRunning`, `WorkflowNodeFailed`, `WorkflowFailed` and so on.

They stand beside Medea's few, with the type, reason, message and count that they have on the target. `copies` is pure:
which Events are shown, and how. `sources` watches the targets, only where a run is under way, and `mirror` writes.
"""
