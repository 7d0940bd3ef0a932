"""Measure the processor time that the host spends on hostile notebooks, without running any.

    python benchmarks/host_time.py [CASE...]

Each case is a submitted and an executed notebook. Everything that the host does with them is measured: parsing, repair,
explanations of errors, sanitising, the report page. The bound is 2 s, plus a fifth of the notebook's own time, which is
taken as 0 here.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grader.models.submission import Student, Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.fake import EMPTY_FACTS, FakeSandbox
from grader.spec.loader import load_assignment

BOUND = 2.0
MEGABYTE = 1 << 20
TOML = """\
id = "hostile"
version = "1"
title = { en = "Hostile" }

[[rubric]]
id = "runs"
kind = "executes"
points = 10

[[rubric]]
id = "text"
kind = "manual"
points = 5
full_characters = 100
"""

Cell = dict[str, Any]


def code(source: str = "x = 1", *outputs: Cell, number: int = 0, **metadata: Any) -> Cell:
    return {
        "cell_type": "code", "id": f"c{number}", "metadata": metadata, "source": source, "execution_count": 1,
        "outputs": list(outputs),
    }  # fmt: skip


def markdown(source: str, number: int = 0, **more: Any) -> Cell:
    return {"cell_type": "markdown", "id": f"c{number}", "metadata": {}, "source": source, **more}


def stream(text: str) -> Cell:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**data: Any) -> Cell:
    kinds = {"png": "image/png", "html": "text/html", "markdown": "text/markdown", "plain": "text/plain"}
    return {"output_type": "display_data", "metadata": {}, "data": {kinds[kind]: value for kind, value in data.items()}}


def failed(name: str = "q", trace: list[str] | None = None) -> Cell:
    message = f"name '{name}' is not defined"
    return {"output_type": "error", "ename": "NameError", "evalue": message, "traceback": trace or [message]}


def png(side: int, level: int = 9) -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(bytes((side * 3 + 1) * side), level)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")).decode()


def many(count: int, make: Callable[[int], Cell]) -> list[Cell]:
    return [make(number) for number in range(count)]


FSTRING = "f'" + "{x}" * 60_000 + "'"
TABLE = "<table>" + "<tr>" + "<td>1</td>" * 20 + "</tr>"
CASES: Mapping[str, Callable[[], list[Cell]]] = {
    "name errors beside an f-string": lambda: [
        code(FSTRING, number=99), *many(60, lambda n: code(f"q{n}", failed(f"q{n}"), number=n)),
    ],
    "400 name errors in 2,000 cells": lambda: many(
        2_000, lambda n: code(f"a{n} = [{n}] * 9", *([failed(f"q{n}")] if n < 400 else []), number=n)
    ),
    "5,000 cells": lambda: many(5_000, lambda n: code(f"x = {n}", number=n)),
    "2,000 errors": lambda: many(2_000, lambda n: code(f"q{n}", failed(f"q{n}"), number=n)),
    "deep brackets": lambda: [code("(" * 50_000, number=1), code("[" * 90 + "]" * 90, failed(), number=2)],
    "long expression": lambda: [code("x = " + "+".join(["1"] * 100_000), number=1), code("q", failed(), number=2)],
    "1,900 f-strings": lambda: [
        *many(1_900, lambda n: code("f'" + "{x}" * 300 + "'", number=n)), code("q", failed(), number=9999),
    ],
    "seems defined": lambda: [
        code("x " * 400_000 + "(", number=1), *many(50, lambda n: code("q", failed(), number=n + 2)),
    ],
    "2,000 cells": lambda: many(2_000, lambda n: code(f"x = {n}", number=n)),
    "2,000 Markdown cells": lambda: many(2_000, lambda n: markdown(f"# {n}\n" + "*a* " * 50, n)),
    "2,000 outputs in each of 300 cells": lambda: many(
        300, lambda n: code("x", *(shown(plain=str(k)) for k in range(2_000)), number=n)
    ),
    "2,000 streams in each of 300 cells": lambda: many(
        300, lambda n: code("x", *(stream(str(k)) for k in range(2_000)), number=n)
    ),
    "60 MB of text": lambda: [code("x", stream("word " * (12 * MEGABYTE)))],
    "60 MB of lines": lambda: [code("x", stream("\n" * (50 * MEGABYTE)))],
    "60 MB of carriage returns": lambda: [code("x", stream("a\r" * (25 * MEGABYTE)))],
    "60 MB of backspaces": lambda: [code("x", stream("a\b" * (15 * MEGABYTE)))],
    "60 MB of colours": lambda: [code("x", stream("\x1b[31m." * (8 * MEGABYTE)))],
    "60 MB of open escapes": lambda: [code("x", stream("\x1b]" * (10 * MEGABYTE)))],
    "text in 400 cells": lambda: many(400, lambda n: code("x", stream("word\n" * 30_000), number=n)),
    "60 MB of Markdown": lambda: [markdown("*a* " * (15 * MEGABYTE))],
    "nested Markdown": lambda: [markdown(">" * 40_000 + " a"), markdown("[" * 40_000, 1), markdown("*" * 79_000, 2)],
    "nested lists in Markdown": lambda: many(
        6, lambda n: markdown("\n".join(" " * (2 * k) + "- a" for k in range(380)), n)
    ),
    "links in Markdown": lambda: many(6, lambda n: markdown("[a](" * 19_000, n)),
    "tables in Markdown": lambda: many(
        6, lambda n: markdown("|a" * 4_000 + "\n" + "|-" * 4_000 + "\n" + "|b" * 30_000, n)
    ),
    "400 images": lambda: many(400, lambda n: code("x", shown(png=png(64)), number=n)),
    "60 MB of images": lambda: many(40, lambda n: code("x", shown(png="A" * 1_500_000), number=n)),
    "huge image": lambda: [code("x", *(shown(png=png(6_000)) for _ in range(40)))],
    "tables of HTML": lambda: many(60, lambda n: code("x", shown(html=TABLE * 300), number=n)),
    "60 MB of HTML": lambda: [code("x", shown(html="<b>a</b>" * (7 * MEGABYTE)))],
    "nested HTML": lambda: many(6, lambda n: code("x", shown(html="<div>" * 15_900), number=n)),
    "embedded pictures": lambda: many(
        6, lambda n: code("x", shown(html="<img src='data:image/png;base64,AAAA'>" * 2_000), number=n)
    ),
    "embedded picture without end": lambda: [code("x", shown(html="data:image/png;base64," * (2 * MEGABYTE)))],
    "attachments": lambda: [
        markdown("![x](attachment:1.png)" * 500, attachments={f"{n}.png": {"image/png": png(64)} for n in range(5_000)})
    ],
    "tracebacks": lambda: many(300, lambda n: code("x", failed("q", ["\x1b[31mline\x1b[0m\n" * 20] * 100), number=n)),
    "long error": lambda: many(100, lambda n: code("x", {**failed(), "evalue": "x" * 500_000}, number=n)),
    "code of 40 kB in 400 cells": lambda: many(400, lambda n: code("x = 'a' + " * 4_000, number=n)),
    "quotes in code": lambda: many(12, lambda n: code("'''\"\"\"" * 6_000, number=n)),
    "metadata": lambda: [code("x", number=n, junk=[[k] for k in range(6_000)]) for n in range(300)],
    "JSON values": lambda: [code("x", {**shown(), "data": {"application/json": [[] for _ in range(1_900_000)]}})],
    "JSON numbers": lambda: [code("x", {**shown(), "data": {"application/json": list(range(6_000_000))}})],
}  # fmt: skip


def notebook(cells: list[Cell]) -> bytes:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}).encode()


def measure(data: bytes, folder: Path) -> float:
    """Return the processor seconds for a class of one, whose notebook is submitted and comes back as ``data``."""
    (folder / "assignment.toml").write_text(TOML)
    path = folder / "hostile.ipynb"
    path.write_bytes(data)
    assignment = load_assignment(folder)

    def script(_job: Job) -> Reply:
        return Reply(
            EndReason.FINISHED, executed=data, facts=json.dumps(EMPTY_FACTS).encode(), seconds=0, cell_seconds=0
        )

    submission = Submission(Student("eve", "Eve"), path, path.name)
    began = time.process_time()
    grade_class(assignment, [submission], FakeSandbox(script), Settings(folder / "out", b"s" * 32))
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="words in the names of the cases to measure")
    parser.add_argument(
        "--profile", action="store_true", help="print the slowest functions of each case over the bound"
    )
    options = parser.parse_args()
    print(f"{'case':40} {'MB':>6} {'seconds':>8}   bound {BOUND:g} s")
    for name, make in CASES.items():
        if options.cases and not any(word in name for word in options.cases):
            continue
        data = notebook(make())
        with tempfile.TemporaryDirectory() as folder:
            seconds = measure(data, Path(folder))
        print(f"{name:40} {len(data) / MEGABYTE:6.1f} {seconds:8.2f} {'over' if seconds > BOUND else ''}", flush=True)


if __name__ == "__main__":
    main()
