"""Knows how much quota is free on each target, and chooses among targets.

`model`, `decide`, `policies`, `own_use`, `queue_pass` and `promql` are pure. `sampler` reads Prometheus, and `placer`
joins samples, registry and ledger, so that the webhook, the queue and the API share one decision.
"""
