"""Other systems' ways in. Each door is a package here, and ends in a Workflow submitted at the front door.

A door speaks its system's protocol and keeps what that protocol promises. Where a Workflow runs, and when, is decided
as for all others: a door has no scheduler of its own. Who calls is known at every door.
"""
