"""Balancer, scout and explanations over HTTP, and what the executor plugin asks. Thin: decode, call, encode.

Every error leaves in the one JSON shape of `webhook.errors`.
"""
