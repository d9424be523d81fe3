"""Bringing the whole laboratory up and down."""

import contextlib
import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tests.lab import (
    binaries,
    cgroups,
    clusters,
    controlplane,
    envfile,
    firewall,
    image,
    images,
    modes,
    monitoring,
    network,
    pki,
    postgres,
    prerequisites,
    services,
    supervisor,
)
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.layout import CLUSTERS, ENV_FILE, FRONT, STATE
from tests.lab.processes import Process
from tests.lab.progress import Progress, console, shown
from tests.lab.shell import run
from tests.lab.versions import fingerprint

# Outside of the state, which `down` removes while it holds the lock.
_LOCK = Path("/run/medea-lab.lock")
_COMPLETE = STATE / "complete"


def build() -> None:
    """Install and build all that `up` needs."""
    prerequisites.check_root()
    prerequisites.install_packages()
    if binaries.missing():
        with shown("build") as progress:
            binaries.build_all(progress.report)
    # Before the first cluster is up: this may take minutes.
    image.build(lambda line: console.print(line, highlight=False))


def up() -> None:
    """Start the laboratory; on one that runs, start only what is missing."""
    mode = modes.wanted()
    build()
    with _locked():
        if STATE.exists() and not _resumable():
            _tear_down()
        _prepare()
        lab = Lab()
        with shown("laboratory") as progress, ThreadPoolExecutor(max_workers=16) as pool:
            _start_all(lab, pool, progress)
            _COMPLETE.write_text(_fingerprint())
            _named(progress, "medea", lambda: modes.bring_up(lab, mode))


def down() -> None:
    """Kill and remove everything, also what another checkout or a killed run left behind; caches stay."""
    prerequisites.check_root()
    with _locked():
        _tear_down()
    ENV_FILE.unlink(missing_ok=True)


def running() -> Lab:
    """The laboratory, for what people start when it is up. Otherwise ends with a line that says how to bring it up."""
    try:
        everything()
    except LabError as error:
        raise SystemExit(str(error)) from None
    return Lab()


def everything() -> list[Process]:
    """Every process of a laboratory that is up."""
    if not _resumable():
        raise LabError("the laboratory is not up: make lab")
    found = [controlplane.etcd(), postgres.process(), monitoring.prometheus()]
    for cluster in CLUSTERS:
        found += clusters.processes(cluster)
    return found + modes.processes(Lab())


def _resumable() -> bool:
    return _COMPLETE.exists() and _COMPLETE.read_text() == _fingerprint()


def _fingerprint() -> str:
    # After a reboot, or with other versions, starting from nothing is quicker than repairing.
    return Path("/proc/sys/kernel/random/boot_id").read_text() + fingerprint()


def _prepare() -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    pki.ensure_authority()
    network.set_up()
    for cluster in CLUSTERS:
        clusters.prepare(cluster)
    postgres.prepare()
    envfile.write()


def _start_all(lab: Lab, pool: ThreadPoolExecutor, progress: Progress) -> None:
    archives = images.build_all()
    of_front = [*archives, image.build(lambda _: None)]
    _named(progress, "etcd", lambda: _bring_up(controlplane.etcd()))
    jobs = [
        pool.submit(_named, progress, "postgres", _bring_up_postgres),
        pool.submit(_named, progress, "prometheus", lambda: _bring_up(monitoring.prometheus())),
    ]
    for cluster in CLUSTERS:
        bring_up = _bound(lab, cluster.name, of_front if cluster == FRONT else archives, pool)
        jobs.append(pool.submit(_named, progress, cluster.name, bring_up))
    _all_or_first_error(jobs)


def _bound(lab: Lab, name: str, archives: list[Path], pool: ThreadPoolExecutor) -> Callable[[], None]:
    return lambda: clusters.bring_up(lab, lab.cluster(name), archives, pool)


def _named(progress: Progress, name: str, work: Callable[[], None]) -> None:
    progress.report(name, "starting")
    try:
        work()
    except BaseException:
        progress.report(name, "failed")
        raise
    progress.report(name, "ready")


def _bring_up(process: Process) -> None:
    supervisor.start(process)
    supervisor.wait_ready(process)


def _bring_up_postgres() -> None:
    _bring_up(postgres.process())
    postgres.ensure_database()


def _all_or_first_error(jobs: list[Future[None]]) -> None:
    done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
    for job in done:
        job.result()


def _tear_down() -> None:
    deadline = time.monotonic() + 30
    while supervisor.kill_marked() and time.monotonic() < deadline:
        time.sleep(0.1)
    cgroups.tear_down()
    _unmount()
    firewall.remove_rules()
    services.remove_rules()
    network.tear_down()
    shutil.rmtree(STATE, ignore_errors=True)
    if STATE.exists():
        shutil.rmtree(STATE)


def _unmount() -> None:
    for flags in ([], ["-l"], ["-l"]):
        mounted = _mounts()
        if not mounted:
            return
        run(["umount", *flags, *mounted], check=False)


def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4] for line in lines]
    return sorted((point for point in points if Path(point).is_relative_to(STATE)), reverse=True)


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    # Two of them at once would take each other's processes for leftovers.
    with _LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("another `up` or `down` is at work on this machine; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
