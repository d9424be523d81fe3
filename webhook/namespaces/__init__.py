"""Namespaces that opted in: which hold each has, whether that may be used there, and what it needs prepared.

`hold` answers for the webhook, `reconciler` keeps namespaces as they must be, `probe` finds Argo controllers.
"""
