"""Medea's certificates inside a cluster: made and renewed by the leader, and brought to the folder of each process.

What may live here: what is in the Secrets, when what is due, the leader's keeper, and the delivery into MEDEA_CERTS.
What may not: X.509 itself, which is in `certs`; sockets and TLS; anything about Workflows.
"""
