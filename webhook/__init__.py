"""The Medea service: the webhook, the API, the controller and the command line.

`model` and `totals` are pure. `scout`, `ledger` and `kube` are the rooms that know the targets' room, Postgres and
Kubernetes; `namespaces`, `admission`, `controller`, `api` and `logs` put them to work; `server` and `cli` start them.
"""
