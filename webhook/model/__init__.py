"""The vocabulary shared by all packages: public names, states, objects, nodes, verbs, the run.

Only values and pure functions: no clusters, no ledger, no clock but those of `deadline`, which callers pass in.
"""
