"""The executor plugin: a sidecar in Argo's agent pod that forwards each call to Medea and returns the answer.

It reads Argo's call, asks Medea and explains errors. It must not decide anything about a Workflow, keep state between
calls, have credentials other than the pod's own tokens, or import `webhook`: one instance runs beside every held
Workflow, so each import costs memory once per Workflow.
"""
