"""Certificates for Medea's HTTPS: an authority of one's own and what it signs.

What may live here: making, checking and renewing the files ca.crt, ca.key, tls.crt and tls.key. What may not:
Kubernetes, HTTP, and any import of `webhook` or `plugin`.
"""
