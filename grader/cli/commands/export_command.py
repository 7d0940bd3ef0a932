"""``grader export``: the files that the LMS imports, written again at any later time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.cli.arguments import Language
from grader.cli.commands.grade_command import UPLOAD, print_upload_hints
from grader.cli.terminal import choose_translation
from grader.grading.results import read_results
from grader.lms.export import exporter
from grader.lms.export_request import ExportRequest, GradebookFile, Missing


def export_results(
    results: Path,
    sheets: Sequence[Path],
    to: str,
    *,
    out: Path | None,
    missing: str,
    column: str,
    lang: Language | None,
) -> None:
    """Write grades and reports for the LMS into ``out``, by default the folder ``upload`` in ``results``."""
    translation = choose_translation(lang)
    found = read_results(results)
    gradebooks = tuple(map(GradebookFile, sheets))
    request = ExportRequest(out or results / UPLOAD, gradebooks, Missing(missing), translation.language, column)
    print_upload_hints(exporter.export_grades(found, request, to=to), request.out, translation)
