"""Knows each target's free quota and chooses among targets.

`model`, `decide` and `policies` are pure functions of frozen values, so that the webhook, the queue and the simulator
share one decision. `promql` turns Prometheus' answer into snapshots, purely; `sampler` alone talks to Prometheus.
"""
