"""Which of the examples that come with Argo's source are run: every Workflow but those that need what no test has."""

import os
from pathlib import Path

from tests.lab.sources import argo_source

_AT_LEAST = 150
_EVERY = 8
TEMPLATES = (
    "cluster-workflow-template/clustertemplates.yaml",
    "workflow-template/templates.yaml",
    "configmaps/simple-parameters-configmap.yaml",
)
"""What the examples refer to: it has to be there before them."""

LEFT_OUT = {
    "artifact-gc-workflow.yaml": "deletes from an S3 bucket",
    "artifact-passing-explicit-plugin.yaml": "needs a plugin for artifacts",
    "artifact-passing-subpath.yaml": "reads a folder of a bucket",
    "buildkit-template.yaml": "builds and pushes an image",
    "ci-output-artifact.yaml": "clones from GitHub, needs a volume claim",
    "ci.yaml": "clones from GitHub, needs a volume claim",
    "dag-diamond-steps.yaml": "12 pods, and nothing that steps.yaml and dag-diamond.yaml lack",
    "dag-nested.yaml": "16 pods, and nothing that dag-diamond.yaml and nested-workflow.yaml lack",
    "daemoned-stateful-set-with-service.yaml": "needs the controller of StatefulSets",
    "data-transformations.yaml": "lists an S3 bucket",
    "fun-with-gifs.yaml": "downloads pictures, needs a volume claim",
    "hdfs-artifact.yaml": "needs Hadoop",
    "hello-hybrid.yaml": "needs a node with Windows",
    "hello-windows.yaml": "needs a node with Windows",
    "influxdb-ci.yaml": "clones from GitHub",
    "input-artifact-git.yaml": "clones from GitHub",
    "k8s-jobs.yaml": "needs the controller of Jobs",
    "k8s-orchestration.yaml": "needs the controller of Jobs",
    "map-reduce.yaml": "lists an S3 bucket",
    "parallelism-nested-dag.yaml": "15 pods, and nothing that parallelism-nested.yaml lacks",
    "sidecar-dind.yaml": "needs a privileged Docker",
    "synchronization-db-mutex-tmpl-level.yaml": "needs locks in a database",
    "synchronization-db-mutex-wf-level.yaml": "needs locks in a database",
    "synchronization-db-tmpl-level.yaml": "needs locks in a database",
    "synchronization-db-wf-level.yaml": "needs locks in a database",
    "volumes-existing.yaml": "needs a volume claim",
    "volumes-pvc.yaml": "needs a volume claim",
    "webhdfs-input-output-artifacts.yaml": "needs Hadoop",
    "work-avoidance.yaml": "needs a volume claim",
}


def folder() -> Path:
    """Where Argo's examples are."""
    return argo_source() / "examples"


def chosen() -> list[str]:
    """Files with a Workflow in them, relative to the folder."""
    files = sorted(str(file.relative_to(folder())) for file in folder().rglob("*.yaml"))
    return [file for file in files if file not in LEFT_OUT and _has_workflow(file)]


def selected() -> list[str]:
    """All of them where they are asked for, by `make examples`; otherwise as many as a test run has the time for."""
    files = chosen()
    if os.environ.get("MEDEA_EXAMPLES") == "all":
        assert len(files) >= _AT_LEAST, f"only {len(files)} of Argo's examples were found"
        return files
    return files[::_EVERY]


def _has_workflow(file: str) -> bool:
    return "kind: Workflow" in [line.strip() for line in (folder() / file).read_text().splitlines()]
