"""The front door and the targets: the one Kubernetes client, informers, the work queue, leader election, the registry.

The only room that imports the `kubernetes` client. It speaks plain dicts, because Argo's objects must pass through
whole, and it knows nothing of placements.
"""
