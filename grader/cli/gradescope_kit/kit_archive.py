"""The kit for Gradescope: one zip that makes Gradescope grade an assignment with this grader, at each submission."""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from grader.data.generators import derive_secret
from grader.files.archives.entry_names import is_junk
from grader.files.atomic import write_bytes
from grader.i18n.catalogue import translation
from grader.i18n.message import message
from grader.lms.gradescope.autograder_zip import packed, program
from grader.lms.gradescope.export import OPEN
from grader.lms.gradescope.results_json import results_json
from grader.models.assignment import Assignment
from grader.models.errors import OutputError
from grader.sandbox import image

AUTOGRADER = Path(__file__).parent / "autograder"
PACKAGE = Path(__file__).parents[2]
# What the scripts and ``grader.cli.gradescope_kit.autograde`` find in the zip.
ASSIGNMENT, SECRET, LANGUAGE, FAILED = "assignment", "secret", "language", "failed.json"
MAX_BYTES = 1 << 30


def write_kit(assignment: Assignment, secret: bytes, out: Path, *, language: str = "en") -> Path:
    """Write the kit's zip to ``out`` and return its path. ``secret`` is the teacher's and does not get into the zip.

    Raises OutputError if the zip cannot be written or would be too large.
    """
    files = {
        **program(AUTOGRADER),
        SECRET: derive_secret(secret, assignment),
        LANGUAGE: language.encode(),
        FAILED: results_json(None, output=translation(language).say(OPEN)),
        "sets.txt": f"{assignment.public.set}\n".encode() if assignment.public else b"",
        "python-version": f"{sys.version_info.major}.{sys.version_info.minor}\n".encode(),
        "requirements.txt": "".join(f"{line}\n" for line in requirements()).encode(),
        "constraints.txt": image.requirements().encode(),
        **dict(_files(PACKAGE, "package/grader", but="assignments")),
        **dict(_files(assignment.folder, ASSIGNMENT)),
    }
    write_bytes(out, packed(files))
    return out


def requirements() -> list[str]:
    """Return the grader's own requirements, one per line: from the checkout, else from the installed package."""
    project = PACKAGE.parent / "pyproject.toml"
    if project.is_file():
        return [str(line) for line in tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"]]
    return [line for line in importlib.metadata.requires("grader") or [] if "extra ==" not in line]


def _files(folder: Path, into: str, *, but: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield name in the zip and content of every file below ``folder``, without caches and junk."""
    total = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or is_junk(name) or name.endswith(".pyc") or (but and name.startswith(f"{but}/")):
            continue
        total += path.stat().st_size
        if total > MAX_BYTES:
            raise OutputError(
                message(
                    "{folder} has more than {limit} MB; a kit for Gradescope has to be smaller.",
                    folder=folder, limit=MAX_BYTES >> 20,
                )
            )  # fmt: skip
        yield f"{into}/{name}", path.read_bytes()
