"""The front door and the targets: the Kubernetes client, informers, the work queue, leader election, the registry.

The only package that imports the `kubernetes` client. It uses plain dicts, because Argo's objects must pass through
unchanged, and it knows nothing about placements.
"""
