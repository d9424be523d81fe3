"""The executor plugin: a sidecar of Argo's agent pod that carries one question to Medea and one answer back.

What may live here: reading Argo's call, asking Medea, wording what went wrong, and the manifest that installs it.
What may not: any decision about a Workflow, any state between two calls, any credential but the pod's own token, and
any import of `webhook`. One of these runs beside every held Workflow, so each import is paid once per Workflow.
"""
