"""Students' files in the folder where the teacher starts the grader: nothing of them is imported or run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.data.group_photos.decoding import decode_photos
from grader.data.group_photos.photo_files import PhotoFile
from grader.models.errors import AssignmentError
from grader.models.submission import Attachment
from grader.scoring.report_pdf.document_reader import Wanted, read_document
from grader.spec.discovery import by_name
from tests.data.group_photos.drawn_photos import encoded, photo
from tests.support.notebooks import TRAIN, notebook_bytes
from tests.support.reports import REPORT, typed

MARK = "imported-by-the-host"
# Modules of Python, of libraries, and hooks of the interpreter; each as a file and as a package.
NAMES = (
    *("json", "os", "re", "ast", "types", "typing", "random", "secrets", "subprocess", "tempfile", "zipfile", "csv"),
    *("numpy", "nbformat", "pydantic", "yaml", "PIL", "pypdf", "typer", "click", "rich", "psutil", "platformdirs"),
    *("tensorflow", "keras", "sklearn", "pandas", "jinja2", "nh3", "mistune", "guest", "matplotlib", "IPython"),
    *("sitecustomize", "usercustomize", "conftest", "readline", "rlcompleter"),
)
LOADED_BY_PYTHON = ("types", "typing", "re", "os", "ast", "random", "subprocess")  # by ``python -m`` before any module


def poison(folder: Path, mark: Path, *, grader: bool) -> None:
    """Fill ``folder`` as students could: each module there writes its name to ``mark`` when it is imported."""
    code = f"open({str(mark)!r}, 'a').write(__name__ + '\\n')\nraise SystemExit('imported ' + __name__)\n"
    for name in (*NAMES, "grader") if grader else NAMES:
        (folder / f"{name}.py").write_text(code)
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(code)
        (folder / name / "__main__.py").write_text(code)
    (folder / "evil.pth").write_text(f"import os; open({str(mark)!r}, 'a').write('pth')\n")
    (folder / "evil-1.0.dist-info").mkdir()
    (folder / "evil-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (folder / "evil-1.0.dist-info" / "entry_points.txt").write_text("[pydantic]\nevil = json\n")
    (folder / "pyvenv.cfg").write_text("home = .\n")
    (folder / "matplotlibrc").write_text("backend: module://json\n")


@pytest.fixture
def class_folder(tmp_path: Path) -> Path:
    """A flat class folder with two honest notebooks, and a home beside it."""
    folder = tmp_path / "class"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    for name in ("amy", "ben"):
        (folder / f"{name}.ipynb").write_bytes(notebook_bytes(TRAIN))
    return folder


def started(words: list[str], folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "100", "LANG": "C.UTF-8"}
    return subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, timeout=500, check=False)


COMMANDS = {
    "grade": ("grade", "disease", ".", "--jobs", "1", "--out", "../out"),
    "check": ("check", "amy.ipynb", "--out", "../out"),
    "doctor": ("doctor",),
    "kit": ("kit", "gradescope", "disease", "--out", "../kit.zip"),
}


@pytest.mark.parametrize(
    "command",
    [
        *(pytest.param(words, id=name) for name, words in COMMANDS.items()),
        pytest.param(("demo", "--out", "../out", "--jobs", "2"), id="demo", marks=pytest.mark.slow),
    ],
)
def test_the_command_imports_nothing_of_the_current_folder(command: tuple[str, ...], class_folder: Path) -> None:
    mark = class_folder.parent / MARK
    poison(class_folder, mark, grader=True)
    script = class_folder.parent / "bin" / "grader"  # as pip writes it
    script.parent.mkdir()
    script.write_text("import sys\nfrom grader.__main__ import main\nsys.exit(main())\n")
    done = started([sys.executable, str(script), *command], class_folder, class_folder.parent / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not mark.exists(), mark.read_text()


def test_python_m_is_safe_with_the_option_p_alone(class_folder: Path) -> None:
    """Python looks for its own modules and for ``grader`` in the current folder before the grader can prevent it."""
    mark = class_folder.parent / MARK
    poison(class_folder, mark, grader=True)
    home = class_folder.parent / "home"
    done = started([sys.executable, "-P", "-m", "grader", "assignments"], class_folder, home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not mark.exists(), mark.read_text()
    for name in (*LOADED_BY_PYTHON, "grader"):
        (class_folder / f"{name}.py").unlink()
        shutil.rmtree(class_folder / name)
    done = started([sys.executable, "-m", "grader", "assignments"], class_folder, home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not mark.exists(), mark.read_text()


def test_decoders_import_nothing_of_the_current_folder(class_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = class_folder.parent / MARK
    poison(class_folder, mark, grader=True)
    (class_folder / "report.pdf").write_bytes(typed(REPORT))
    (class_folder / "a.png").write_bytes(encoded(photo(1)))
    monkeypatch.chdir(class_folder)
    assert read_document([Attachment("report.pdf", Path("report.pdf"))], Wanted()).problem is None
    picture = Attachment("a.png", Path("a.png"))
    found = decode_photos([PhotoFile(picture, "a", "a.png")], (8, 8), class_folder.parent / "work")
    assert len(found.photos) == 1
    assert not mark.exists(), mark.read_text()


def test_a_students_folder_with_the_name_of_an_assignment_is_not_taken_for_it(
    class_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (class_folder / "disease").mkdir()
    (class_folder / "disease" / "assignment.toml").write_text("")
    monkeypatch.chdir(class_folder)
    with pytest.raises(AssignmentError, match=r"Write \./disease for the folder"):
        by_name("disease")
    (class_folder / "disease" / "assignment.toml").unlink()
    assert by_name("disease").id == "disease"
