"""The book has every setting, metric and annotation; its versions are those that are run, its links lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.reference import PAGE, reference
from tests.lab.versions import pinned
from webhook.model import contract

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
BOOK = "".join(PAGES.values())
NAMES = sorted(
    value
    for name, value in vars(contract).items()
    if name.isupper() and isinstance(value, str) and value.startswith(contract.PREFIX) and value != contract.PREFIX
)


def test_the_reference_is_what_the_source_says() -> None:
    assert PAGE.read_text() == reference(), "run `make docs`"


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


@pytest.mark.parametrize("name", NAMES)
def test_every_annotation_and_label_is_explained(name: str) -> None:
    assert name in BOOK


@pytest.mark.parametrize(("name", "row"), [("KUBERNETES", "Kubernetes"), ("ARGO", "Argo Workflows"), ("ETCD", "etcd")])
def test_the_versions_are_those_that_are_run(name: str, row: str) -> None:
    assert f"| {row} | {pinned()[name]} |" in BOOK


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    words = PAGES[page].replace("`", " ").replace("(", " ").replace(")", " ").split()
    named = {
        word.rstrip(".,:;")
        for word in words
        if word.startswith(("manifests/", "examples/", "docs/", "certs/", "tests/"))
    }
    paths = {re.split("#|::", path)[0] for path in named if not path.startswith("certs/out") and "*" not in path}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        file, _, heading = link.partition("#")
        if link.startswith("http"):
            continue
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), link
        if heading:
            assert heading in _anchors(there.read_text()), link


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
