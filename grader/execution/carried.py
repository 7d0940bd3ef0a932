"""The size of everything that a submission brings into its run and that could hold answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from nbformat import NotebookNode

from grader.data.group_photos.group_assignment import TEXTS
from grader.data.group_photos.photo_files import SUFFIXES, suffix
from grader.models.run import Carried
from grader.models.submission import Attachment
from grader.notebook.carried_data import data_characters

LONG_NAME = 100  # characters of a file's name; the rest may be data


def measure_carried(notebook: NotebookNode, attachments: Iterable[Attachment], *, photos: bool) -> Carried:
    """Measure the code of ``notebook`` and the files beside it; with ``photos``, without the photos and their archives.

    Text and pasted pictures do not count, because the run gets none of them.
    """
    files = [file for file in attachments if not (photos and _is_photo(file))]
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    texts = [file.path.read_text("utf-8", errors="replace") for file in files if suffix(file.name) in TEXTS]
    names = [PurePosixPath(file.name).name[LONG_NAME:] for file in attachments]
    size = sum(len(text.encode("utf-8", "replace")) for text in code) + sum(file.path.stat().st_size for file in files)
    data = sum(data_characters(text) for text in (*code, *texts)) + sum(map(len, names))
    return Carried(size / 1000, data / 1000)


def _is_photo(file: Attachment) -> bool:
    return suffix(file.name) in SUFFIXES or suffix(file.name) in (".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz", ".txz")
