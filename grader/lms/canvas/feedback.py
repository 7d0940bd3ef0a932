"""Notebooks with the result in them, packed as Canvas's "Upload Submissions" takes them.

Canvas finds whose a file is by the first two parts of its name that are numbers: the user's id and the upload's. It
hangs the file on a comment, under the name of the student's own upload, whatever it is called in the zip.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.files.atomic import atomic_file
from grader.grading.results import Result
from grader.lms.canvas.archive import is_anonymous
from grader.lms.export_request import ExportRequest
from grader.lms.feedback_notebook import annotated
from grader.lms.folder import stem

FILE = "canvas-feedback.zip"
REPORTS = "canvas-anonymous-reports.zip"
_NAME_CHARACTERS = 100
_NOTEBOOK = "notebook.ipynb"
_OTHER_ARCHIVES = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".rar", ".7z")
_TIME = (2000, 1, 1, 0, 0, 0)  # the same results give the same bytes


@dataclass(frozen=True, slots=True)
class _Upload:
    """What a result's feedback hangs on: the student's upload."""

    result: Result
    id: str
    file: str


def write_feedback(results: Sequence[Result], order: ExportRequest) -> tuple[Path | None, list[Result]]:
    """Writes the zip; gives those for whom Canvas has no upload that a notebook could come back under."""
    uploads = [(result, _upload(result)) for result in results]
    there = [upload for _result, upload in uploads if upload]
    if there:
        with atomic_file(order.out / FILE) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for upload in there:
                _add(archive, entry_name(upload.result, upload.id, upload.file), _content(upload, order.language))
    return (order.out / FILE if there else None), [result for result, upload in uploads if upload is None]


def write_reports(results: Sequence[Result], order: ExportRequest) -> Path | None:
    """The reports by anonymous id, for whom a teacher can only find in Canvas itself."""
    there = {result.student.key: result.report.read_bytes() for result in results if result.report.is_file()}
    if not there:
        return None
    with atomic_file(order.out / REPORTS) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, report in there.items():
            _add(archive, f"{key}.html", report)
    return order.out / REPORTS


def entry_name(result: Result, upload: str, file: str) -> str:
    """Such that Canvas finds both ids: no number and no "anon" before them, no last part that begins with "link"."""
    file = file[-_NAME_CHARACTERS:]
    before, last = file[: file.rfind("_") + 1], file[file.rfind("_") + 1 :]
    file = f"{before}-{last}" if last.startswith("link") else file
    if is_anonymous(result.origin):
        return f"anon_{result.student.key}_{upload}_{file}"
    letters = re.sub(r"[\W\d_]+", "", result.student.name)
    return f"{letters if letters not in ('', 'anon') else 'student'}_{result.student.key}_{upload}_{file}"


def _upload(result: Result) -> _Upload | None:
    found = re.search(rf"_{re.escape(result.student.key)}_([0-9]+)_([^/]+)$", result.entry)
    if found is None or result.lms != "canvas" or found[2].lower().endswith(_OTHER_ARCHIVES):
        return None
    return _Upload(result, found[1], found[2])


def _content(upload: _Upload, language: str) -> bytes:
    """A notebook, in a zip where the student's was in one: it comes back under that name."""
    made = annotated(upload.result, language)
    if not upload.file.lower().endswith(".zip"):
        return made
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        name = f"{stem(PurePosixPath(upload.result.notebook).name)}.ipynb" if upload.result.notebook else _NOTEBOOK
        _add(archive, name, made)
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
