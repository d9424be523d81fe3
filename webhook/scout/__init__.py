"""Knows how much quota is free on each target, and chooses among targets.

It has two eyes. `sampler` reads Prometheus; `quota_watch` watches the quotas at the targets' own apiservers, with one
`target_watch` each; `both_eyes` has the second see what the first can't. `eye` is what all of them have in common.
`placer` joins snapshots, registry and ledger, so that the webhook, the queue and the API share one decision. All others
but `turns`, `view`, `bounded_session` and `prometheus_access` are pure.
"""
