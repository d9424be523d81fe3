"""The Medea service: the webhook, the API, the controller and the command line.

`model` and `totals` are pure. `references` knows what Workflows refer to and who has it, `scout` chooses targets,
`ledger` talks to Postgres and `kube` to Kubernetes. `namespaces`, `cron`, `admission`, `controller`, `api`, `logs` and
`admin` build on these; `server`, `wiring` and `cli` start everything.
"""

__version__ = "0.1.0"
