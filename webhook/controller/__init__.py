"""The controller: binds, creates, tracks, finishes and removes, until the clusters match the ledger.

`plan` and `origin_status` decide, and are pure. `reconciler` gathers the facts about one placement, asks `plan` for a
step and takes it, until nothing is left to do; every step may be repeated. Events only say which placement to look at;
the sweep alone would be enough, only slower.
"""
