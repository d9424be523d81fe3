"""The Medea that an upgrade begins with: that of an earlier commit, or this one's under another name."""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import image, images, node, render
from tests.lab.layout import CHECKOUT, FRONT
from tests.lab.shell import run

_EARLIER = "localhost/medea:earlier"


@dataclass(frozen=True)
class Release:
    """An image that the front door's node has, and the chart that goes with it."""

    image: str
    chart: Path


@contextmanager
def earlier(commit: str | None) -> Iterator[Release]:
    """What that commit has; without one the image of this checkout by another name, with its chart.

    The image of this checkout must have been imported before.
    """
    if commit is None:
        images.tag(FRONT, image.IMAGE, _EARLIER)
        yield Release(_EARLIER, render.CHART)
        return
    with tempfile.TemporaryDirectory(prefix="medea-earlier-") as folder:
        packed, checkout = Path(folder, "checkout.tar"), Path(folder, "checkout")
        run(["git", "-C", CHECKOUT, "archive", f"--output={packed}", commit])
        with tarfile.open(packed) as content:
            content.extractall(checkout, filter="data")
        node.import_images(FRONT, [image.build(print, checkout, _EARLIER)])
        yield Release(_EARLIER, checkout / render.CHART.relative_to(CHECKOUT))
