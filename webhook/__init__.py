"""The Medea service: what runs beside the front door's apiserver.

Rooms, lowest first: `totals` and `scout` decide and never talk to anything; `ledger` and `clusters` are the only ones
that talk to Postgres and to Kubernetes; `admission`, `dispatch` and `api` put them to work; `cli` starts them.
Nothing here knows the executor plugin, which is a program of its own (`plugin/`).
"""
