"""The multi-cluster laboratory: three real Kubernetes clusters with Argo on one machine without Docker.

What may live here: what builds, starts, watches, kills and removes the laboratory's processes, and the manifests that
make its clusters ready for Argo. What may not: tests, and anything that Medea itself needs to run.

Use it as `python -m tests.lab up`, then `source .lab/env`.
"""
