"""The registry of learning management systems (LMSs).

A new LMS is one new package and one entry in ``SYSTEMS``. The packages of the systems import only the modules that
they share; detection (``archive``) and export (``export``) read this registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.files.archives.contents import Archive
from grader.files.csv_sheet import Sheet
from grader.grading.results import Results
from grader.i18n.message import Message
from grader.lms import classroom
from grader.lms.blackboard import archive as blackboard_archive
from grader.lms.blackboard import export as blackboard_export
from grader.lms.blackboard import gradebook as blackboard_gradebook
from grader.lms.canvas import archive as canvas_archive
from grader.lms.canvas import export as canvas_export
from grader.lms.canvas import gradebook as canvas_gradebook
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile
from grader.lms.gradescope import archive as gradescope_archive
from grader.lms.gradescope import export as gradescope_export
from grader.lms.identity import Naming
from grader.lms.moodle import archive as moodle_archive
from grader.lms.moodle import export as moodle_export
from grader.lms.nbgrader import archive as nbgrader_archive
from grader.lms.nbgrader import export as nbgrader_export
from grader.models.submission import Submission


def _accept(_submissions: Sequence[Submission], _gradebooks: Sequence[GradebookFile]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class System:
    """An LMS: how to recognise its archives, and how to return grades to it.

    ``naming`` parses the names in one archive; ``naming_on_request`` does so when the teacher named the LMS, where that
    allows names that are too common for a guess. ``export`` writes the files to upload; without it the grades are
    written as a plain table. ``recognises`` tells the LMS's own gradebook, ``database_suffix`` one that is not text.
    ``check`` raises ``IntakeError``, before anything runs, if gradebooks do not fit the submissions.
    """

    name: str  # as --lms, --to and grades.json write it
    title: str  # as the LMS writes itself
    naming: Callable[[Archive], Naming]
    naming_on_request: Callable[[Archive], Naming] | None = None
    one_assignment: Callable[[Archive, str], Archive] | None = None  # selects it in a course's tree
    names_like_students: bool = False  # a student's own archive may look the same inside
    export: Callable[[Results, ExportRequest], ExportedFiles] | None = None
    recognises: Callable[[Sheet], bool] | None = None
    database_suffix: str = ""
    check: Callable[[Sequence[Submission], Sequence[GradebookFile]], None] = _accept
    upload_hints: Mapping[str, Message] = field(default_factory=dict)  # file name pattern -> where to upload it


# In the order in which detection tries them.
SYSTEMS = (
    System(
        "moodle",
        "Moodle",
        moodle_archive.naming,
        export=moodle_export.export_grades,
        recognises=moodle_export.recognises,
        check=moodle_export.check,
        upload_hints=moodle_export.UPLOAD_HINTS,
    ),
    # Before Canvas: any title and student number can hold the two numbers that mark Canvas's names.
    System(
        "blackboard",
        "Blackboard",
        blackboard_archive.naming,
        export=blackboard_export.export_grades,
        recognises=blackboard_gradebook.recognises,
        check=blackboard_gradebook.check,
        upload_hints=blackboard_export.UPLOAD_HINTS,
    ),
    System(
        "canvas",
        "Canvas",
        canvas_archive.naming,
        export=canvas_export.export_grades,
        recognises=canvas_gradebook.recognises,
        check=canvas_gradebook.check,
        upload_hints=canvas_export.UPLOAD_HINTS,
    ),
    System(
        "gradescope",
        "Gradescope",
        gradescope_archive.naming,
        export=gradescope_export.export_grades,
        upload_hints=gradescope_export.UPLOAD_HINTS,
    ),
    System(
        "nbgrader",
        "nbgrader",
        nbgrader_archive.naming,
        one_assignment=nbgrader_archive.select_assignment,
        names_like_students=True,
        export=nbgrader_export.export_grades,
        database_suffix=".db",
        check=nbgrader_export.check,
        upload_hints=nbgrader_export.UPLOAD_HINTS,
    ),
    System(
        "classroom",
        "Google Classroom",
        classroom.naming,
        naming_on_request=classroom.requested_naming,
        names_like_students=True,
    ),
)
BY_NAME: Mapping[str, System] = {system.name: system for system in SYSTEMS}


def title_of(name: str) -> str:
    """Return the title of the LMS called ``name``; an unknown name is capitalised."""
    return BY_NAME[name].title if name in BY_NAME else name.capitalize()
