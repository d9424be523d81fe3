"""What only a person decides: that a target is gone for good, and that the ledger is to be made anew.

Each is a command of `webhook.cli`, beside the processes that go on meanwhile, and may be repeated.
"""
