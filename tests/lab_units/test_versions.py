"""Other versions than the pinned ones: chosen, refused, and what is built from them."""

import pytest

from tests.lab import binaries, controlplane, sources
from tests.lab.errors import LabError
from tests.lab.versions import fingerprint, pinned, version

OWN = """\
module k8s.io/kubernetes

go 1.24.0

require (
	github.com/google/cel-go v0.23.2
	k8s.io/api v0.0.0
	k8s.io/klog/v2 v2.130.1
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/mount-utils => ./staging/src/k8s.io/mount-utils
)
"""


def test_what_nobody_chooses_is_as_it_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in pinned():
        monkeypatch.setenv(name, "")
    assert {name: version(name) for name in pinned()} == pinned()


def test_a_choice_is_part_of_what_was_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setenv("ARGO", "4.0.5")
    monkeypatch.setenv("HELM", "1.0.0")
    assert version("ARGO") == "4.0.5"
    assert binaries.BINARIES["argoexec"].path.parent.name == "argoexec-4.0.5"
    assert sources.argo_module().endswith("/v4")
    assert version("HELM") == pinned()["HELM"]
    assert fingerprint() != before


@pytest.mark.parametrize("chosen", ["4", "4.0", "v4.0.5", "latest", "4.0.5/../x"])
def test_what_names_no_single_version_is_refused(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGO", chosen)
    with pytest.raises(LabError, match=r"a version with all its three numbers is needed, as in 3\.7\.4"):
        version("ARGO")


def test_what_medea_can_not_work_with_is_refused_with_the_version_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGO", "3.5.15")
    with pytest.raises(LabError, match=r"ARGO=3\.5\.15: Argo Workflows 3\.5\.15, and Medea needs 3\.6 or newer"):
        version("ARGO")
    monkeypatch.setenv("KUBERNETES", "1.29.6")
    with pytest.raises(LabError, match=r"Kubernetes 1\.29\.6, and Medea needs 1\.30 or newer"):
        version("KUBERNETES")


def test_kubernetes_is_built_with_its_own_pins_and_without_its_folders() -> None:
    made = sources.kubernetes_go_mod(OWN, "1.33.13")
    assert made.startswith("module medea.dev/lab/kubernetes\n")
    assert "\tk8s.io/api => k8s.io/api v0.33.13\n" in made
    assert "\tk8s.io/mount-utils => k8s.io/mount-utils v0.33.13\n" in made
    assert "staging" not in made and "\tgithub.com/google/cel-go v0.23.2\n" in made
    assert made.endswith("require k8s.io/kubernetes v1.33.13\n")


@pytest.mark.parametrize(("kubernetes", "served"), [("1.33.13", "v1alpha1"), ("1.34.4", "v1beta1")])
def test_a_mutating_policy_is_written_in_the_version_that_is_served(
    kubernetes: str, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES", kubernetes)
    assert controlplane.policies().endswith(served)
