"""Packages that a course lists in its ``requirements.txt`` or ``environment.yml``, and this Python lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from grader.data.needs.libraries import LIBRARIES, is_installed
from grader.files.requirements_file import (
    MAX_CHARACTERS,
    Requirements,
    read_environment,
    read_requirements,
)
from grader.i18n.message import Message, message

_LISTS = (("requirements.txt", read_requirements), ("environment.yml", read_environment))
# The other graders themselves, and what only shows or exports notebooks: no student's code needs it here.
_NOT_NEEDED = {
    *("otter-grader", "nbgrader", "gradescope-utils", "gofer-grader", "okpy", "nb-conda-kernels", "nbconvert"),
    *("jupyter", "jupyterlab", "notebook", "jupyter-client", "ipykernel", "playwright", "pandoc", "pypdf", "pypdf2"),
}
_FAMILIES = {"opencv-python": "cv2", "opencv-contrib-python": "cv2", "tensorflow-cpu": "tensorflow"}


def missing_packages(folders: Iterable[Path]) -> tuple[Message, ...]:
    """Return a warning that names the packages to install, or none. Versions are not compared."""
    listed = [package.name for folder in folders for found in _lists(folder) for package in found.packages]
    missing = sorted({name for name in listed if name not in _NOT_NEEDED and not _is_there(name)})
    if not missing:
        return ()
    return (
        message(
            "The course lists packages that are not installed here: {names}. Every notebook that needs them would "
            "fail. If you trust the list, stop here and run {command} first.",
            names=", ".join(missing),
            command=f"pip install {' '.join(missing)}",
        ),
    )


def _lists(folder: Path) -> Iterator[Requirements]:
    for name, read in _LISTS:
        try:
            yield read((folder / name).read_text("utf-8-sig", "replace")[: MAX_CHARACTERS + 1], name)
        except OSError:
            continue


def _is_there(name: str) -> bool:
    modules = [module for module, package in LIBRARIES.items() if package == name]
    if any(map(is_installed, [*modules, *filter(None, [_FAMILIES.get(name)])])):
        return True
    try:
        metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return True
