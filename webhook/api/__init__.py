"""The HTTP API: balancer, scout, explanations, and the steps that the executor plugin asks for.

All errors have the JSON format of `webhook.errors`.
"""
