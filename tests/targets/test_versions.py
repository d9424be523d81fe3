"""Which versions are refused, which are let pass with a note, and which are known to work."""

import pytest

from webhook.targets.versions import ARGO, KUBERNETES, Age, Product


@pytest.mark.parametrize(
    ("product", "version", "age"),
    [
        (KUBERNETES, "v1.29.15", Age.TOO_OLD),
        (KUBERNETES, "v1.30.0", Age.UNTRIED),
        (KUBERNETES, "v1.35.4-gke.1003", Age.TRIED),
        (KUBERNETES, "v1.35.4+k3s1", Age.TRIED),
        (KUBERNETES, "v1.36.0", Age.UNTRIED),
        (KUBERNETES, "v2.0.0", Age.UNTRIED),
        (KUBERNETES, "", Age.UNKNOWN),
        (ARGO, "v2.12.13", Age.TOO_OLD),
        (ARGO, "3.5.15", Age.TOO_OLD),
        (ARGO, "v3.6.0", Age.UNTRIED),
        (ARGO, "v3.7.4", Age.TRIED),
        (ARGO, "v4.0.5", Age.UNTRIED),
        (ARGO, "v4.1.0-rc1", Age.UNTRIED),
        (ARGO, "latest", Age.UNKNOWN),
        (ARGO, "sha-0a1b2c", Age.UNKNOWN),
    ],
)
def test_a_version_is_judged_by_its_first_two_numbers(product: Product, version: str, age: Age) -> None:
    assert product.age(version) is age


def test_of_a_version_that_can_not_work_the_one_found_and_the_one_wanted_are_named() -> None:
    assert ARGO.words("v3.5.15") == "Argo Workflows v3.5.15, and Medea needs 3.6 or newer"
    assert KUBERNETES.words("v1.36.0") == "Kubernetes v1.36.0, and Medea was only run with 1.35"
    assert Product("X", (1, 0), ((1, 2), (1, 4))).words("1.5") == "X 1.5, and Medea was only run with 1.2 to 1.4"
    assert KUBERNETES.words("") == "Kubernetes of an unknown version (none is told), and Medea needs 1.30 or newer"
