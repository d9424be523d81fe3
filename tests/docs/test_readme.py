"""README.md names every setting and every annotation; its versions are those of the laboratory."""

from pathlib import Path

import pytest

from tests.lab.versions import pinned
from webhook.model import contract
from webhook.settings import Settings

README = Path(__file__).parents[2].joinpath("README.md").read_text()
NAMES = sorted(
    value
    for name, value in vars(contract).items()
    if name.isupper() and isinstance(value, str) and value.startswith(contract.PREFIX) and value != contract.PREFIX
)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_table_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    if isinstance(default, float):
        default = f"{default:g}"
    shown = "unset" if default in (None, (), {}) else f"`{default}`"
    assert f"| `{name.upper()}` | {shown} |" in README


@pytest.mark.parametrize("name", NAMES)
def test_every_annotation_and_label_is_explained(name: str) -> None:
    assert name in README


@pytest.mark.parametrize(("name", "row"), [("KUBERNETES", "Kubernetes"), ("ARGO", "Argo Workflows"), ("ETCD", "etcd")])
def test_the_versions_are_those_that_are_run(name: str, row: str) -> None:
    assert f"| {row} | {pinned()[name]} |" in README


def test_every_file_it_names_exists() -> None:
    root = Path(__file__).parents[2]
    words = README.replace("`", " ").replace("(", " ").replace(")", " ").split()
    paths = {word.rstrip(".,:;") for word in words if word.startswith(("manifests/", "examples/", "docs/", "certs/"))}
    made = {path for path in paths if path.startswith("certs/out")}
    assert [path for path in sorted(paths - made) if not (root / path).exists()] == []
