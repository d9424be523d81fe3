"""What only a person can decide: that a target is gone for good, and that a lost ledger is to be rebuilt.

Both are commands of `webhook.cli`. They run while Medea's processes go on, and may be repeated. `asking` is how
commands ask Medea's API.
"""
