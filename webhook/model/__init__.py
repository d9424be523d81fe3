"""The vocabulary that every room speaks: names that others see, states, objects, nodes, verbs, the run.

Values and pure functions only: nothing here asks a cluster, the ledger or the clock, and nothing here knows who calls.
"""
