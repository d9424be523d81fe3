"""`make faults LAB=1 SEED=… EPISODES=…`: random faults on the running laboratory, some 45 seconds an episode."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from tests.faults.laboratory.episode import play
from tests.faults.laboratory.rewired import rewired
from tests.lab import lifecycle


def main(
    seed: Annotated[int, typer.Option(help="of the first episode; each next one has the next number")] = 1,
    episodes: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Play them one after another. Ends with an error if one of them breaks the promise."""
    lifecycle.running()
    console, broken = Console(width=140), []
    console.print(
        "Medea runs as processes on the host meanwhile (LAB_MEDEA=processes): only there its links can be cut"
    )
    with rewired() as links:
        for number in range(seed, seed + episodes):
            console.rule(f"episode {number - seed + 1} of {episodes}, seed {number}", align="left")
            report = play(number, links, lambda words: console.print(f"  {words}", style="dim", markup=False))
            console.print(
                f"{report.accepted} accepted, {report.refused} refused; true {report.settled_after:.0f} s after the end"
            )
            if report.complaints:
                broken.append(number)
                for words in [*report.schedule, *report.complaints]:
                    console.print(words, style="red", markup=False)
    console.print(f"{episodes} episodes, {len(broken)} broken" + (f": seeds {broken}" if broken else ""))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    typer.run(main)
