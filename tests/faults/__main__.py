"""`make faults`: episodes with ever new seeds, or one again; what goes wrong is shrunk and printed.

make faults                          200 episodes from a seed of its own
make faults SEED=7 EPISODES=10000    from seed 7 on
make faults SCHEDULE=name            one that was kept in tests/faults/schedules, or a file
make faults PLANTED=all              how many episodes it takes to find each planted bug
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tests.faults.episode import run
from tests.faults.ledger import LedgerServer
from tests.faults.planted import PLANTED, by_chance, by_what_is_kept
from tests.faults.schedule import generate, load, path_of
from tests.faults.server import ledger_server
from tests.faults.shrink import kind_of, shrink


def main() -> int:
    """The exit status is 1 when something went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--schedule", help="the name of a kept schedule, or a file")
    parser.add_argument("--planted", help="names of planted bugs with commas between, or all")
    parser.add_argument("--keep-going", action="store_true", help="don't stop at the first episode that goes wrong")
    options = parser.parse_args()
    # Sets of texts are gone through in another order in each process, unless this is fixed from its start.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
    with ledger_server() as ledger:
        if options.schedule:
            return _again(ledger, options.schedule)
        if options.planted:
            return _planted(ledger, options.planted, options.seed, options.episodes)
        return _episodes(ledger, options.seed, options.episodes, keep_going=options.keep_going)


def _episodes(ledger: LedgerServer, seed: int, episodes: int, *, keep_going: bool) -> int:
    print(f"{episodes} episodes from seed {seed}", flush=True)
    began, failed, origins = time.monotonic(), 0, 0
    for number in range(episodes):
        result = run(ledger, generate(seed + number), seed + number)
        origins += result.origins
        if result.wrong:
            failed += 1
            _explain(ledger, seed + number, result.wrong)
            if not keep_going:
                return 1
        if (number + 1) % 100 == 0:
            pace = (number + 1) / (time.monotonic() - began) * 3600
            print(f"{number + 1} episodes, {origins} Workflows, {failed} went wrong; {pace:.0f} an hour", flush=True)
    print(f"{episodes} episodes from seed {seed}, {origins} Workflows: {failed} went wrong")
    return int(failed > 0)


def _explain(ledger: LedgerServer, seed: int, wrong: list[str]) -> None:
    print(f"\nseed {seed} went wrong:\n  " + "\n  ".join(wrong), flush=True)
    kind = kind_of(wrong[0])
    short = shrink(generate(seed), lambda events: kind in map(kind_of, run(ledger, events, seed).wrong))
    result = run(ledger, short, seed)
    print(f"the shortest schedule found, with {len(short)} events, ends in\n  " + "\n  ".join(result.wrong))
    print("".join(f"  after {line}\n" for line in result.happened), end="")
    print(json.dumps({"why": kind, "seed": seed, "events": short}))
    print(f"again: make faults SEED={seed} EPISODES=1\n", flush=True)


def _again(ledger: LedgerServer, name: str) -> int:
    kept = load(Path(name) if Path(name).exists() else path_of(name))
    result = run(ledger, kept.events, kept.seed)
    print("".join(f"  after {line}\n" for line in result.happened), end="")
    print("\n".join(result.wrong) or "the promise held")
    return int(bool(result.wrong))


def _planted(ledger: LedgerServer, name: str, seed: int, episodes: int) -> int:
    missed = 0
    for planted in PLANTED if name == "all" else name.split(","):
        found = by_chance(ledger, planted, seed, episodes)
        if found is None:
            print(f"{planted}: not found in {episodes} episodes; now by what is kept", flush=True)
            found = by_what_is_kept(ledger, planted)
        missed += found is None
        print(f"{planted}: " + (f"found by {found}" if found else "NOT FOUND"), flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
