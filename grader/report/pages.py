"""Write the report pages: one self-contained HTML file per student and one for the class, without scripts or requests.

Pages show only the records passed in. Text in them may come from students and is escaped or sanitised.
"""

from __future__ import annotations

import base64
import hashlib
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.files.atomic import write_text
from grader.i18n.catalogue import Translation, translation
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment
from grader.models.facts import Fit
from grader.models.grade import Graded
from grader.models.run import Outcome
from grader.report import advice, plots
from grader.report.notebook_page import notebook_view
from grader.scoring.report_pdf import headings
from grader.scoring.rubric.course_test import IN_THE_STUDENTS_PROCESS

_FITS_SHOWN = 3

Entry = TypeVar("Entry")

# Internal names -> text for people. Unknown names are shown unchanged.
_WORDS = {
    "majority": message("Majority class"),
    "mean": message("Mean of the targets"),
    "linear": message("Linear model"),
    "value": message("This notebook"),
    "full": message("Full points"),
    "zero": message("No points"),
    "raw": message("unchanged"),
    "data frame": message("as a table with column names"),
    "vector": message("as a plain list of numbers"),
    "labels": message("class numbers"),
    "probability": message("probabilities of class 1"),
    "scores": message("one score per class"),
    "rounded": message("numbers, threshold 0.5"),
    "logit": message("numbers, threshold 0"),
    "values": message("numbers"),
    "flattened": message("flattened"),
    "reshaped": message("reshaped"),
    "resized": message("resized"),
    "grey": message("in grey"),
    "RGB": message("in RGB"),
    "with a channel": message("with an axis for the channel"),
    "channels first": message("channels first"),
    "padded at the front": message("padded with zeros at the front"),
    "padded at the end": message("padded with zeros at the end"),
    "cut at the front": message("cut at the front"),
    "cut at the end": message("cut at the end"),
    "the first columns": message("the first columns only"),
    "columns by their names": message("columns by their names"),
    "of all together": message("over all numbers together"),
    "BGR - mean of ImageNet": message("BGR, less the mean of ImageNet"),
    "(X / 255 - mean) / std of ImageNet": message("standardised as for ImageNet"),
    "counted from 1": message("counted from 1"),
    "as the public data shows": message("with the class order found on the public data"),
    **advice.CONFINEMENT,
    **headings.NAMES,
}
# Words that use a variable of the notebook.
_WORDS_WITH_VARIABLE = {
    "inverse transform": message("transformed back by {name}"),
    "ordered": message("in the order of {name}"),
}


def write_student_report(graded: Graded, assignment: Assignment, *, language: str, folder: Path) -> Path:
    """Write ``folder/report.html`` and return its path; raises ``OutputError``."""
    path = folder / "report.html"
    run = graded.run
    translated, elsewhere = advice.adaptation_notes(run.facts.adaptations)
    scores = [(score, plots.scale_picture(score)) for score in graded.grade.scores]
    page = (
        environment(language)
        .get_template("student.html")
        .render(
            assignment=assignment,
            student=graded.submission.student,
            submission=graded.submission,
            run=run,
            grade=graded.grade,
            scores=scores,
            forgeable=IN_THE_STUDENTS_PROCESS if run.tests else None,
            failed=[(cell, cell.error, advice.hint(cell.error)) for cell in run.cells if cell.error is not None],
            unreached=_unreached(graded),
            translated=translated,
            elsewhere=elsewhere,
            grouped_fits=[number for number, fit in enumerate(run.facts.fits, 1) if fit.grouped],
            fits=[(number, fit, plots.curve_charts(fit)) for number, fit in _last_fits(run.facts.fits)],
            outcome=advice.OUTCOMES[run.outcome],
            to_do=advice.WHAT_TO_DO[run.outcome],
            notebook=notebook_view(run.executed),
        )
    )
    write_text(path, page)
    return path


def _unreached(graded: Graded) -> list[int]:
    """Return the numbers of the code cells that were never run, from 1."""
    return [
        cell.index + 1
        for cell in graded.run.cells
        if cell.kind == "code" and cell.characters and not cell.ran and cell.error is None
    ]


def _last_fits(fits: Sequence[Fit]) -> list[tuple[int, Fit]]:
    return list(enumerate(fits, 1))[-_FITS_SHOWN:]


# ---------------------------------------------------------------- the class


def write_class_page(results: Sequence[Graded], assignment: Assignment, *, language: str, out: Path) -> Path:
    """Write ``out/index.html``, which links to ``students/<id>/report.html``; raises ``OutputError``."""
    path = out / "index.html"
    ordered = sorted(results, key=_by_name)
    known = [(graded.grade.total, graded.grade.max) for graded in ordered if graded.grade.total is not None]
    totals = [total for total, _most in known]
    happened = Counter(graded.run.outcome for graded in ordered)
    page = (
        environment(language)
        .get_template("class.html")
        .render(
            assignment=assignment,
            rows=[(graded, {score.criterion: score.points for score in graded.grade.scores}) for graded in ordered],
            mean=statistics.fmean(totals) if totals else None,
            median=statistics.median(totals) if totals else None,
            graded_count=len(totals),
            bars=plots.histogram(total / most for total, most in known if most > 0),
            outcomes=[(outcome, happened[outcome]) for outcome in Outcome],
            words=advice.OUTCOMES,
            faults=[graded for graded in ordered if graded.run.outcome is Outcome.GRADER_FAULT],
            reviews=_review_groups(ordered, translation(language)),
            reviewed={graded.submission.student.id for graded in ordered if _stands_out(graded)},
        )
    )
    write_text(path, page)
    return path


def _by_name(graded: Graded) -> tuple[str, str]:
    return graded.submission.student.name.casefold(), graded.submission.student.id


def _review_groups(results: Sequence[Graded], language: Translation) -> list[tuple[MessageGroup[Graded], bool]]:
    """Group the students by review reason, frequent reasons first. True marks proposed points, which come last."""
    reasons = [(graded, reason) for graded in results for reason in graded.grade.review_reasons]
    groups = []
    for proposed in (False, True):
        chosen = [(graded, reason) for graded, reason in reasons if _is_proposal(graded, reason) == proposed]
        by_frequency = sorted(group_messages(chosen, language), key=lambda group: -len(group.entries))
        groups += [(group, proposed) for group in by_frequency]
    return groups


def _is_proposal(graded: Graded, reason: Message) -> bool:
    """Return whether the reason belongs to a manual criterion, which always waits for a person."""
    proposed = [score for score in graded.grade.scores if score.passed is None and score.points is not None]
    return any(score.review == reason for score in proposed)


def _stands_out(graded: Graded) -> bool:
    return any(not _is_proposal(graded, reason) for reason in graded.grade.review_reasons)


# ---------------------------------------------------------------- messages of many


@dataclass(frozen=True, slots=True)
class MessageGroup(Generic[Entry]):
    """Entries with messages of one template; each has its own sentence if sentences differ, else ""."""

    heading: str
    entries: tuple[tuple[Entry, str], ...]


def group_messages(found: Iterable[tuple[Entry, Message]], language: Translation) -> list[MessageGroup[Entry]]:
    """Group entries by the template of their message, in the order of the first entries."""
    by_template: dict[str, list[tuple[Entry, Message]]] = {}
    for entry, reason in found:
        by_template.setdefault(reason.template, []).append((entry, reason))
    groups = []
    for members in by_template.values():
        heading = language.outline([reason for _entry, reason in members])
        sentences = [(entry, language.say(reason)) for entry, reason in members]
        own = tuple((entry, "" if sentence == heading else sentence) for entry, sentence in sentences)
        groups.append(MessageGroup(heading, own))
    return groups


# ---------------------------------------------------------------- templates


@cache
def environment(language: str) -> Environment:
    """Return the templates with the filters and the translation of ``language``."""
    words = translation(language)
    environment = Environment(
        loader=PackageLoader("grader.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (Path(__file__).parent / "templates" / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    environment.globals.update(
        _=words.text,
        language=words.language,
        style=Markup(style),  # noqa: S704 - a file of this package
        # The page allows only its own style sheet and data: pictures, even if something unsafe got into it.
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        WIDTH=plots.WIDTH,
    )
    environment.filters.update(
        say=words.say,
        title_in=words.title,
        word=lambda name, variable="": _display_text(name, words, variable),
        points=_points,
        moment=_moment,
        span=lambda time: _span(time, words),
        measured=_measured_value,
        duration=lambda seconds: _duration(seconds, words),
        report_link=lambda student_id: f"students/{quote(student_id, safe='')}/report.html",
        jpeg=lambda data: f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}",
        clip=lambda text, most=300: text if len(text) <= most else f"{text[:most]}…",
    )
    return environment


def _display_text(name: str, words: Translation, variable: str = "") -> str:
    """Return the text for an internal name, or for each of several separated by commas.

    ``variable`` is the notebook's variable that one of them uses.
    """
    if name in _WORDS:
        return words.say(_WORDS[name])
    if variable and name in _WORDS_WITH_VARIABLE:
        return words.text(_WORDS_WITH_VARIABLE[name].template, name=variable)
    if ", " in name:
        return " · ".join(_display_text(part, words, variable) for part in name.split(", "))
    return name


def _points(value: float | None, most: float | None = None) -> str:
    """Return points with at most two decimals; only a score of at least ``most`` is shown as ``most``."""
    if value is None or not math.isfinite(value):
        return "–"
    shown = round(value, 2)
    if most is not None and value < most and shown >= round(most, 2):
        shown = math.floor(value * 100) / 100
    return f"{shown:.2f}".rstrip("0").rstrip(".")


def _measured_value(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value)) if abs(value) > 1 else f"{value:.3f}"
    return f"{value:.3f}" if 1e-3 <= abs(value) < 1e4 else f"{value:.3g}"


def _moment(when: datetime) -> str:
    """Return date and time, with the UTC offset if known, because a page may show two time zones."""
    return f"{when:%Y-%m-%d %H:%M}" + (f" {when.isoformat()[-6:]}" if when.tzinfo is not None else "")


def _span(time: timedelta, words: Translation) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 1:
        return words.text("less than a minute")
    if minutes < 60:
        return words.text("{minutes} min", minutes=minutes)
    if minutes < 48 * 60:
        return words.text("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
    return words.text("{days} d {hours} h", days=minutes // 1440, hours=minutes // 60 % 24)


def _duration(seconds: float, words: Translation) -> str:
    if seconds < 60:
        return words.text("{seconds:.1f} s", seconds=seconds)
    return words.text("{minutes} min {seconds:02.0f} s", minutes=int(seconds // 60), seconds=math.floor(seconds % 60))
