"""Notebooks with the result in them, packed for Canvas's "Upload Submissions".

Canvas finds the student by the first two parts of a file's name that are numbers: the user's id and the upload's. It
attaches the file to a comment, under the name of the student's own upload, whatever its name in the zip.
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
from grader.lms.feedback_notebook import feedback_notebook
from grader.lms.folder import stem

FILE = "canvas-feedback.zip"
REPORTS = "canvas-anonymous-reports.zip"
_NAME_CHARACTERS = 100
_NOTEBOOK = "notebook.ipynb"
_OTHER_ARCHIVES = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".rar", ".7z")
_TIME = (2000, 1, 1, 0, 0, 0)  # the same results give the same bytes


@dataclass(frozen=True, slots=True)
class _Upload:
    """The student's upload that a result's feedback is attached to."""

    result: Result
    id: str
    file: str


def write_feedback(results: Sequence[Result], request: ExportRequest) -> tuple[Path | None, list[Result]]:
    """Write the zip and return its path, and the results without an upload that takes a notebook.

    The path is None if no result has such an upload.
    """
    uploads = [(result, _upload(result)) for result in results]
    there = [upload for _result, upload in uploads if upload]
    if there:
        with atomic_file(request.out / FILE) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for upload in there:
                _add(archive, entry_name(upload.result, upload.id, upload.file), _content(upload, request.language))
    return (request.out / FILE if there else None), [result for result, upload in uploads if upload is None]


def write_reports(results: Sequence[Result], request: ExportRequest) -> Path | None:
    """Write the reports by anonymous id, for students whom a teacher can only find in Canvas itself."""
    there = {result.student.key: result.report.read_bytes() for result in results if result.report.is_file()}
    if not there:
        return None
    with atomic_file(request.out / REPORTS) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, report in there.items():
            _add(archive, f"{key}.html", report)
    return request.out / REPORTS


def entry_name(result: Result, upload: str, file: str) -> str:
    """Return a name in which Canvas finds both ids.

    No number and no "anon" comes before them, and the last part does not begin with "link".
    """
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
    """Return the notebook; packed in a zip if the student's upload was a zip, because it gets that name."""
    made = feedback_notebook(upload.result, language)
    if not upload.file.lower().endswith(".zip"):
        return made
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        name = f"{stem(PurePosixPath(upload.result.notebook).name)}.ipynb" if upload.result.notebook else _NOTEBOOK
        _add(archive, name, made)
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
