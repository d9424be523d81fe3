"""Workflows that are split: their chunks are cut, submitted at the front door, followed, steered and gathered.

    plan      what to do about one chunk (pure)      known   what is known of a split
    chunks    submits, follows and steers chunks     ends    how a chunk, and the whole, has ended (pure)
    shown     what the origin shows (pure)           steps   the step of the controller that does all of it

A chunk is a Workflow like any other, submitted by Medea as a sub-Workflow of its origin: placed, queued, tracked and
removed as all others are. It is in the ledger, with its name, before it is created.
"""
