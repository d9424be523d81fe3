"""The controller: binds, creates, tracks, finishes and removes, until what is matches what the ledger says.

`plan` and `origin_status` decide, purely. `reconciler` takes the facts of one placement, asks `plan` for a step and
takes it, until nothing is left to do; every step may be repeated. Events only say which placement to look at; the sweep
alone would do.
"""
