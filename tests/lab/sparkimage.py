"""`python -m tests.lab.sparkimage`: an image of real Spark, for the nodes of the targets.

It is made when somebody asks for it, since it takes some minutes and a gigabyte: Debian's JRE and the `pyspark` wheel.
"""

import hashlib
from pathlib import Path

from tests.lab import image, node, prerequisites
from tests.lab.errors import LabError
from tests.lab.layout import TARGETS
from tests.lab.progress import console
from tests.lab.versions import HERE, version

IMAGE = "localhost/spark:lab"
_CONTEXT = HERE / "spark"


def build(log: image.Log) -> Path:
    """The docker archive of `IMAGE`; built once for each version of Spark."""
    files = b"\0".join(path.read_bytes() for path in sorted(_CONTEXT.iterdir()))
    key = hashlib.sha256(files + f"{image.BASE} {version('PYSPARK')}".encode()).hexdigest()[:16]
    archive = image.ARCHIVES / f"spark-{key}.tar"
    image.ARCHIVES.mkdir(parents=True, exist_ok=True)
    with image.alone():
        if not archive.exists():
            prerequisites.install_packages()
            image.ensure_base(log)
            log(f"building an image of Spark {version('PYSPARK')}")
            image.bud(_CONTEXT, IMAGE, f"PYSPARK={version('PYSPARK')}")
            image.save(IMAGE, archive)
            for older in set(image.ARCHIVES.glob("spark-*.tar")) - {archive}:
                older.unlink()
    return archive


def provide(log: image.Log) -> None:
    """Build it if need be, and give it to the nodes of the targets, which are up."""
    archive = build(log)
    for target in TARGETS:
        node.import_images(target, [archive])


def main() -> None:
    """What a person calls before the first real Spark Workflow."""
    try:
        provide(lambda line: console.print(line, highlight=False))
    except LabError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
