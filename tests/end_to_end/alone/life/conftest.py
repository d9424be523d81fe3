"""The laboratory without its own Medea, which comes back when the last test of this folder is through."""

from collections.abc import Iterator

import pytest

from tests.lab import inside, medea, modes
from tests.lab.lab import Lab


@pytest.fixture(scope="package")
def laboratory(_lab: None) -> Iterator[Lab]:
    """Whatever happens, the tests after these find Medea as it was."""
    lab, mode = Lab(), modes.running()
    assert mode is not None
    yield lab
    if modes.running() is None:
        if inside.is_installed(lab):
            inside.uninstall(lab)
        lab.kubectl("front", "delete", "namespace", medea.SYSTEM, medea.SPACE, "--ignore-not-found", "--timeout=110s")
        inside.clear_up(lab)
    modes.bring_up(lab, mode)
