"""Compare this grader with nbgrader and otter-grader: time, memory, and points for forged notebooks.

    python benchmarks/peers.py [--notebooks 12] [--rounds 1] [--memory] [--attacks] [--no-time] [--results FILE]

Every grader grades the same class, copies of the reference notebook, in turn, in one run, with its own command. The
peers are installed from PyPI into a separate environment in the user's cache folder, and run without confinement.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from contest import forging, here, memory, nbgrader, otter
from contest.environment import Environment, Unavailable, here_versions, open_environment
from contest.homework import POINTS, load, reference, write_class
from contest.record import Record, toml
from contest.timing import Timed, each_round, spread

BEST = "warm, 2 slots"
ONE_SLOT = "warm, 1 slot"
PEERS = ("nbgrader", "otter run")
Grading = Callable[[Path], Timed]


def main() -> None:
    options = arguments()
    record = Record(
        date=datetime.now(UTC).date().isoformat(),
        machine=f"{processor()}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}",
        python=platform.python_version(),
        load_before=load(),
        versions=here_versions() | {"nbclient": version("nbclient")},
    )
    environment = None
    try:
        environment = open_environment()
        record.peers = {name: environment.versions[name] for name in ("nbgrader", "otter-grader")}
    except Unavailable as error:
        print(f"Without the peers: {error}")
    if options.time:
        record.timed = time_all(environment, options.notebooks, options.rounds)
        print_times(record.timed)
    if options.memory:
        record.memory = memory.further_slots()
        print_memory(record.memory)
    if options.attacks and environment is not None:
        with tempfile.TemporaryDirectory() as name:
            record.forged = forging.forge(environment, Path(name), sandbox=options.sandbox)
        print_forged(record.forged)
    record.load_after = load()
    print(f"{record.machine}; load average {record.load_before} before, {record.load_after} after")
    if options.results is not None:
        options.results.write_text(toml(record), "utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare this grader with nbgrader and otter-grader.")
    parser.add_argument("--notebooks", type=int, default=12, help="size of the class (default 12)")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of each grader (default 1: it is slow)")
    parser.add_argument("--no-time", dest="time", action="store_false", help="do not measure time")
    parser.add_argument("--memory", action="store_true", help="measure the memory of a further slot")
    parser.add_argument("--attacks", action="store_true", help="grade forged notebooks")
    parser.add_argument("--sandbox", default="namespaces", help="the confinement of this grader (default namespaces)")
    parser.add_argument("--results", type=Path, help="write the measurements to this TOML file")
    return parser.parse_args()


def processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text("utf-8").splitlines() if about.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


# ------------------------------------------------------------------ time


def time_all(environment: Environment | None, notebooks: int, rounds: int) -> dict[str, list[Timed]]:
    """Return the measurements of each grader by name, one per round. Odd rounds run in reverse order."""
    gradings = contestants(environment, notebooks)
    results: dict[str, list[Timed]] = {name: [] for name in gradings}
    for number in range(rounds):
        for name in list(gradings)[:: -1 if number % 2 else 1]:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    timed = gradings[name](Path(folder))
                except Unavailable as error:
                    print(f"  round {number + 1}: {name:15} {error}", flush=True)
                    continue
            results[name].append(timed)
            seconds = timed.per_notebook
            print(f"  round {number + 1}: {name:15} {seconds:6.2f} s per notebook (load {load()})", flush=True)
    return {name: values for name, values in results.items() if values}


def contestants(environment: Environment | None, notebooks: int) -> dict[str, Grading]:
    ours: dict[str, Grading] = {
        f"{word}, {slots} slot{'s' * (slots > 1)}": partial(grade_here, notebooks, sandbox=sandbox, slots=slots)
        for word, sandbox in (("warm", "namespaces"), ("cold", "process"))
        for slots in (1, 2)
    }
    if environment is None:
        return ours
    peers: dict[str, Grading] = {
        "nbgrader": lambda folder: nbgrader.autograde_class(environment, folder / "course", notebooks),
        "otter run": lambda folder: otter.run_class(environment, folder / "course", notebooks),
    }
    return ours | peers


def grade_here(notebooks: int, folder: Path, *, sandbox: str, slots: int) -> Timed:
    write_class(folder / "class", reference(), notebooks)
    return here.grade(folder / "class", folder / "out", sandbox=sandbox, slots=slots)


# ------------------------------------------------------------------ output


def print_times(results: Mapping[str, Sequence[Timed]]) -> None:
    print("\nSeconds per notebook (the whole command divided by the class), and ratio to this grader:")
    for name, rounds in results.items():
        line = f"  {name:15} {each_round(rounds, lambda timed: timed.per_notebook)}"
        for ours in (ONE_SLOT, BEST):
            if name in PEERS and ours in results:
                line += f"   / {ours} = {ratio(rounds, results[ours])}"
        print(line)
        print(f"  {'':15} points {sorted({points for timed in rounds for points in timed.points})}")
    for name, rounds in results.items():
        own = [seconds for timed in rounds for seconds in timed.own]
        overhead = [seconds for timed in rounds for seconds in timed.overhead]
        if own:
            print(f"  {name}: in the cells of a notebook {spread(own)} s")
        if overhead:
            print(
                f"  {name}: overhead, from a notebook's first cell to the first cell of the next, {spread(overhead)} s"
            )


def ratio(peers: Sequence[Timed], ours: Sequence[Timed]) -> str:
    """Return the ratio of each round, so that a slow minute of the machine affects both."""
    return str(spread([peer.per_notebook / our.per_notebook for peer, our in zip(peers, ours, strict=False)]))


def print_memory(found: memory.Memory) -> None:
    print("\nMemory of each further slot (proportional set sizes, warm):")
    print(f"  with a notebook that only imports and waits {found.idle_slot:.0f} MB")
    print(
        f"  with the reference notebook {found.slot:.0f} MB, of which its own cells allocate {found.allocated:.0f} MB:"
    )
    print(f"  {found.above:.0f} MB above the student's own allocations")


def print_forged(forged: Sequence[forging.Forged]) -> None:
    print(f"\nPoints for accuracy, of {POINTS} (-: no number):")
    for case in forged:
        points = ("-" if value is None else f"{value:g}" for value in (case.nbgrader, case.here))
        print("  {:30} nbgrader {:>5}   here {:>5}".format(case.name, *points))
    there, here_too, cases = forging.tally(forged)
    print(f"  full marks for a forgery: nbgrader {there} of {cases}, here {here_too} of {cases}")


if __name__ == "__main__":
    main()
