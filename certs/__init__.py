"""Certificates for Medea's HTTPS: an authority of one's own and what it signs, and the same asked of cert-manager.

What may live here: making, checking and renewing the files ca.crt, ca.key, tls.crt and tls.key, and manifests that make
something else do so. What may not: Kubernetes, HTTP, and any import of `webhook` or `plugin`.
"""
