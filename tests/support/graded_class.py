"""A graded class for the report pages: hand-made records, one student per outcome."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.i18n.message import Message, message
from grader.models.assignment import Assignment, Criterion
from grader.models.facts import Attempt, Facts, Fit
from grader.models.grade import Grade, Graded, Scale, Score
from grader.models.run import Cell, CellError, Outcome, Run
from grader.models.submission import Student, Submission

RUBRIC = (
    Criterion("runs", 10, title={"en": "The notebook runs", "zh-TW": "筆記本可以從頭執行到尾"}),
    Criterion("accuracy", 60, title={"en": "Accuracy on hidden patients", "zh-TW": "在沒看過的病人資料上的準確率"}),
    Criterion("curve", 15, title={"en": "A loss curve is drawn", "zh-TW": "畫出損失曲線"}),
    Criterion("story", 15, title={"en": "The story is told", "zh-TW": "用文字說明做法與心得"}),
)
ASSIGNMENT = Assignment(
    id="disease",
    version="1",
    folder=Path("disease"),
    title={"en": "Who is ill?", "zh-TW": "疾病預測"},
    rubric=RUBRIC,
)
MADE_AT = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
TOO_CLOSE = "Too close to call: the interval {low:.3f} to {high:.3f} holds the threshold {full:g}."
READ_IT = message("Points were only proposed, by the length of the text: read it and decide.")
OURS = message("The grader itself failed; no points were taken off. Grade again, or grade by hand.")


def accuracy_score(value: float | None, *, points: float | None = None, reason: Message | None = None) -> Score:
    """Return the accuracy score for a ``value`` measured on 2000 rows, or None if nothing could be measured."""
    near: dict[str, Any] = {} if value is None else {"low": value - 0.018, "high": value + 0.017, "n": 2000}
    earned = None if value is None else round(60 * min(1.0, max(0.0, (value - 0.58) / 0.22)), 2)
    said = message(
        "{metric} on {n} hidden rows: {value:.3f}, 95 % interval {low:.3f} to {high:.3f}; "
        "full points at {full:g}, none at {zero:.3g}.",
        metric="accuracy_score",
        value=value,
        full=0.8,
        zero=0.58,
        **near,
    )
    return Score(
        criterion="accuracy",
        title=RUBRIC[1].title,
        points=earned if points is None else points,
        max=60,
        passed=None if value is None else value >= 0.8,
        reason=reason or said,
        value=value,
        scale=Scale(0.8, 0.58, {"majority": 0.58, "linear": 0.702}),
        **near,
    )


def other_score(place: int, points: float | None) -> Score:
    criterion = RUBRIC[place]
    passed = None if points is None else points >= criterion.points
    reason = message("All {n} code cells ran without an error.", n=9)
    return Score(criterion.id, criterion.title, points, criterion.points, passed, reason)


def grade(*scores: Score, reasons: tuple[Message, ...] = (), late: bool | None = False) -> Grade:
    known = [score.points for score in scores if score.points is not None]
    total = sum(known) if len(known) == len(scores) else None
    return Grade(scores, total, 100, late, reasons)


def fit(number: int = 1, epochs: int = 30) -> Fit:
    training = tuple(0.7 * 0.93**epoch + 0.31 for epoch in range(epochs))
    validation = tuple(0.68 * 0.93**epoch + 0.34 + 0.0009 * epoch for epoch in range(epochs))
    curves = {
        "loss": training,
        "val_loss": validation,
        "accuracy": tuple(1 - value / 2 for value in training),
        "val_accuracy": tuple(1 - value / 2 for value in validation),
    }
    return Fit(f"sequential_{number}", epochs, 32, 800, True, 3.4, curves)


def good_run(executed: Path | None = None) -> Run:
    chosen = Attempt("model", "scaler", "probability", 0.851)
    return Run(
        Outcome.OK,
        cells=(Cell(0, "markdown", 220), Cell(1, "code", 90, ran=True, seconds=0.2, count=1)),
        facts=Facts(
            fits=(fit(),),
            chosen=chosen,
            attempts=(Attempt("predict(X)", "raw", problem="there is no predict"), chosen),
            seeds={"python": 7, "numpy": 7, "keras": 7},
            versions={"python": "3.11.9", "tensorflow": "2.21.0", "keras": "3.15.0"},
            device="CPU",
        ),
        executed=executed,
        seconds=9.4,
        cell_seconds=5.2,
        peak_memory_mb=812.4,
        confinement="process",
    )


def graded(name: str, run: Run, result: Grade, *, student_id: str = "s001", problem: Message | None = None) -> Graded:
    submission = Submission(
        Student(student_id, name),
        notebook_name="homework.ipynb",
        submitted_at=MADE_AT,
        digest="ab" * 32,
        problem=problem,
    )
    return Graded(submission, run, result)


def strong(executed: Path | None = None) -> Graded:
    scores = (other_score(0, 10), accuracy_score(0.861), other_score(2, 15), other_score(3, 15))
    return graded("陳怡君", good_run(executed), grade(*scores))


def too_close() -> Graded:
    value = 0.796
    reason = message(TOO_CLOSE, low=value - 0.018, high=value + 0.017, full=0.8)
    story = replace(other_score(3, 9), passed=None, review=READ_IT)
    scores = (other_score(0, 10), replace(accuracy_score(value), review=reason), other_score(2, 0), story)
    return graded("Lin Chih-Wei", good_run(), grade(*scores, reasons=(reason, READ_IT), late=True), student_id="s002")


def crashed(executed: Path | None = None) -> Graded:
    cells = (
        Cell(0, "code", 40, ran=True, seconds=0.1, count=1),
        Cell(1, "code", 40, ran=True, error=CellError("NameError", "name 'modle' is not defined"), count=2),
        Cell(2, "code", 40, ran=True, error=CellError("ValueError", "Input 0 is incompatible with the layer"), count=3),
        Cell(3, "code", 12),
    )
    run = replace(
        good_run(executed),
        outcome=Outcome.ERROR,
        reason=message(
            "{n} cells failed; the first is cell {cell}: {name}: {text}", n=2, cell=2, name="NameError", text="modle"
        ),
        cells=cells,
        no_predictions=message("There are no predictions."),
    )
    scores = (other_score(0, 5), accuracy_score(None, points=0.0, reason=message("There are no predictions.")))
    return graded("王小明", run, grade(*scores, other_score(2, 0), other_score(3, 3)), student_id="s003")


def missing() -> Graded:
    problem = message("The file is empty.")
    scores = tuple(other_score(place, 0.0) for place in range(4))
    ask = message("Nothing could be graded: see the reason and ask the student.")
    return graded(
        "張大文", Run(Outcome.MISSING, problem), grade(*scores, reasons=(ask,)), student_id="s004", problem=problem
    )


def our_fault() -> Graded:
    run = Run(Outcome.GRADER_FAULT, message("The grader failed: {error}", error="the worker went away"))
    scores = tuple(other_score(place, None) for place in range(4))
    return graded("李美玲", run, grade(*scores, reasons=(OURS,)), student_id="s005")


def small_class() -> list[Graded]:
    return [strong(), too_close(), crashed(), missing(), our_fault()]


# ---------------------------------------------------------------- notebooks


def png(width: int = 8, height: int = 8) -> str:
    """Return a grey image in base64."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\x00" + b"\x80" * width for _ in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(content).decode("ascii")


def code(source: str, *outputs: dict[str, Any], count: int = 1) -> dict[str, Any]:
    outs = list(outputs)
    return {"cell_type": "code", "source": source, "execution_count": count, "metadata": {}, "outputs": outs}


def markdown(source: str, **attachments: dict[str, str]) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}, "attachments": attachments}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: str) -> dict[str, Any]:
    """Return a displayed value; underlines in the names stand for the slash of a media type."""
    forms = {name.replace("_", "/", 1): value for name, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": forms}


def failure(name: str, text: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": [f"\x1b[31m{name}\x1b[0m: {text}"]}


def write_notebook(path: Path, *cells: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}), "utf-8")
    return path


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>a</a>",
    "<a href=' jAvA\tscript:alert(1)'>b</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>c</a>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>' src='http://127.0.0.1:9/f'></iframe>",
    "<meta http-equiv='refresh' content='0;url=http://127.0.0.1:9/m'>",
    "<style>body{background:url(http://127.0.0.1:9/s)}</style>",
    "<div style='background:url(http://127.0.0.1:9/d);position:fixed;inset:0' onmouseover=alert(1)>hover</div>",
    "<link rel=stylesheet href='http://127.0.0.1:9/l'>",
    "<base href='http://127.0.0.1:9/'>",
    "<form action='http://127.0.0.1:9/'><input autofocus onfocus=alert(1)><button>go</button></form>",
    "<object data='http://127.0.0.1:9/o'></object><embed src='http://127.0.0.1:9/e'>",
    "<video src='http://127.0.0.1:9/v' autoplay onloadstart=alert(1)></video>",
    "<img src='http://127.0.0.1:9/i' srcset='http://127.0.0.1:9/ss 2x'>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "</pre></div></article></main><script>alert(1)</script>",
    "<details open ontoggle=alert(1)><summary>s</summary></details>",
    "<p id='cell-1' class='grade' name='x'>clobber</p>",
    "$\\require{html}\\href{javascript:alert(1)}{x}$",
    "[link](javascript:alert(1)) ![p](http://127.0.0.1:9/p) ![q](attachment:evil.svg)",
    "<table><tr><td onclick=alert(1) colspan=99999>kept</td></tr></table>",
)


def hostile_notebook(path: Path) -> Path:
    """Build a notebook with every trick of ``HOSTILE`` in every place that holds text."""
    svg = {
        "image/svg+xml": "<svg onload=alert(1)>",
        "image/png": base64.b64encode(b"<script>alert(1)</script>").decode(),
    }
    cells = [markdown(trick, **{"evil.svg": svg}) for trick in HOSTILE]
    for trick in HOSTILE:
        data = shown(text_html=trick, text_plain=trick)
        others = [shown(**{kind: trick}) for kind in ("text_markdown", "text_latex", "image_svg+xml", "image_png")]
        script = shown(application_javascript="alert(1)")
        cells.append(code(trick, stream(trick), stream(trick, "stderr"), data, *others, script, failure(trick, trick)))
    cells.append({"cell_type": "raw", "source": "".join(HOSTILE), "metadata": {}})
    return write_notebook(path, *cells)
