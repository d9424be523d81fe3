"""Namespaces that opted in: which hold each has, whether that is safe there, and what must be prepared in it.

`hold` chooses the hold at admission. In the controller, `prepare` makes what the plugin hold needs, `probe` finds Argo
controllers, and `reconciler` does both; `prepared` is how admission knows that it has been done.
"""
