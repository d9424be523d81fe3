"""The controller: binds, creates, tracks, finishes and removes, until what is matches what the ledger says.

`plan`, `graft` and `outcome` decide, purely. `reconcile` gathers, asks `plan` for one step and takes it, until nothing
is left to do; every step may be repeated. Events only say which placement to look at; the sweep alone would do.
"""
