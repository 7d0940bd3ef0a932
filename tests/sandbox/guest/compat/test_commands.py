"""Shell commands of notebooks written for Colab: installations, downloads, archives."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import nbformat
import pytest

from grader.execution.facts_parser import parse_facts
from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job
from grader.sandbox.guest.compat.commands import FOLDER, MAX_NOTES_BYTES, take_notes
from grader.sandbox.guest.compat.notes import Kind
from grader.sandbox.guest.compat.offline_programs import distribution_name, installed_version
from grader.sandbox.guest.compat.program import NOTES, Program
from grader.sandbox.namespaces import NamespaceSandbox
from tests.sandbox.guest.compat.notebooks import Outputs, CourseFiles
from tests.support.notebooks import notebook_bytes

HEART = "https://host.org/data/heart.csv"
PIP = """
!pip install -q numpy "pandas>=2" unheard-of==1.0
%pip install scikit-learn
!python -m pip install unheard-of-too
import subprocess, sys
print(subprocess.run([sys.executable, "-m", "pip", "install", "h5py"], capture_output=True, text=True).stdout)
!pip3 uninstall -y numpy && conda install -y -c conda-forge unheard-of-as-well && apt-get update && apt install -y sh graphviz
"""
WGET = f"""
!wget -q {HEART} && cat heart.csv
!wget --no-check-certificate "{HEART}?raw=true" -O a.csv; wget -qO b.csv {HEART}; wget -P deep/er {HEART}; wget {HEART}
!curl -sL {HEART} | wc -l
!curl -LO {HEART} && curl {HEART} --output c.csv
!gdown --id 1AbCdEfGhIjKl -O d.csv
!gdown "https://drive.google.com/file/d/1AbCdEfGhIjKl/view" && kaggle datasets download -d someone/pets -p zips
import os
print(sorted(os.listdir(".")), os.listdir("deep/er"), os.listdir("zips"))
"""
REFUSED = {
    "wget": "!wget https://host.org/unknown.csv",
    "several": f"!wget -q {HEART} https://host.org/unknown.csv",
    "curl": "!curl -s host.org/unknown.csv -o unknown.csv",
    "gdown": "!gdown 1unknownunknown",
    "kaggle": "!kaggle competitions download -c unknown",
    "kaggle_list": "!kaggle datasets list -s unknown",
    "git": "!git clone https://github.com/someone/unknown.git",
    "file": "!wget file:///etc/passwd && echo unknown",
}
ARCHIVES = """
!unzip -q /content/drive/MyDrive/pets.zip -d pets && ls pets/cats
!unzip -q pets.zip -d pets && cp "/content/drive/MyDrive/heart.csv" copied.csv && cat copied.csv
!cp heart.csv nothing/at/all
!git init -q repository && ls -a repository
!wc -l < heart.csv
"""
SLOW = (
    "import time\nbegan = time.monotonic()\n" + "\n".join(REFUSED.values()) + "\nprint(time.monotonic() - began < 20)"
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> CourseFiles:
    folder = tmp_path_factory.mktemp("course")
    (folder / "heart.csv").write_text("a,b\n1,2\n")
    with zipfile.ZipFile(folder / "pets.zip", "w") as archive:
        archive.writestr("cats/1.txt", "meow")
    names = ("heart.csv", "pets.zip")
    drive = {"https://drive.google.com/open?id=1AbCdEfGhIjKl": "heart.csv"}
    return CourseFiles({name: folder / name for name in names}, {name: name for name in names} | drive)


@pytest.fixture(scope="module")
def shell(warm: NamespaceSandbox, course: CourseFiles) -> Outputs:
    cells = {name: f"{code}\nprint(_exit_code != 0)" for name, code in REFUSED.items()}
    return course.run(warm, pip=PIP, bare="pip install tensorflow-gpu", fetched=WGET, archives=ARCHIVES, **cells)


def test_installations_report_what_is_installed(shell: Outputs) -> None:
    assert shell.error["pip"] == shell.error["bare"] == ""
    installed, missing = (
        [used if kind == "installed" else found for kind, found, used in shell.notes if kind == expected]
        for expected in ("installed", "not_installed")
    )
    assert [name.split()[0] for name in installed] == ["numpy", "pandas", "scikit-learn", "h5py", "sh", "tensorflow"]
    assert missing == ["unheard-of==1.0", "unheard-of-too", "unheard-of-as-well", "graphviz"]
    assert "unheard-of==1.0 is not available and was not installed" in shell.text["pip"]


def test_downloads_copy_the_course_file_to_the_requested_name(shell: Outputs) -> None:
    assert shell.error["fetched"] == ""
    *_, last = shell.text["fetched"].splitlines()
    names = "['a.csv', 'b.csv', 'c.csv', 'd.csv', 'deep', 'heart.csv', 'pets.zip', 'zips']"
    assert last == f"{names} ['heart.csv'] ['pets.zip']"
    assert shell.text["fetched"].splitlines()[1:3] == ["a,b", "1,2"]
    assert "\n2\n" in shell.text["fetched"], "curl without a name prints the file"


@pytest.mark.parametrize("cell", REFUSED)
def test_an_unknown_download_fails_with_one_line(shell: Outputs, cell: str) -> None:
    *_, refusal, failed = shell.text[cell].splitlines()
    assert refusal.startswith("not available offline: ")
    assert failed == "True"


def test_refused_downloads_do_not_wait(warm: NamespaceSandbox, course: CourseFiles) -> None:
    assert course.run(warm, slow=SLOW).text["slow"].endswith("True")


def test_cp_and_unzip_find_files_under_other_paths(shell: Outputs) -> None:
    lines = shell.text["archives"].splitlines()
    assert [line for line in lines if line in ("1.txt", "a,b", "1,2", ".git", "2")] == [
        "1.txt",
        "a,b",
        "1,2",
        ".git",
        "2",
    ]
    assert ("file", "/content/drive/MyDrive/pets.zip", "pets.zip") in shell.notes
    assert not any(found == "nothing/at/all" for _kind, found, _used in shell.notes), (
        "the target of cp is not looked up"
    )


# ---------------------------------------------------------------- arguments of a command


@pytest.mark.parametrize(
    ("arguments", "values", "flags", "rest"),
    [
        (["-O", "x", "u"], {"O": "x"}, set(), ["u"]),
        (["-Ox", "u"], {"O": "x"}, set(), ["u"]),
        (["-qO", "x", "u"], {"O": "x"}, {"q"}, ["u"]),
        (["--output=x", "u"], {"output": "x"}, set(), ["u"]),
        (["u", "--output", "x"], {"output": "x"}, set(), ["u"]),
        (["--quiet", "u", "-"], {}, {"quiet"}, ["u", "-"]),
        (["u", "-O"], {"O": ""}, set(), ["u"]),
    ],
)
def test_options_are_parsed(arguments: list[str], values: dict[str, str], flags: set[str], rest: list[str]) -> None:
    options = Program(Path(), Path(), "wget", arguments).options(("O", "output"))
    assert (options.values, options.flags, options.rest) == (values, flags, rest)


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("numpy", "numpy"),
        ("numpy==1.0", "numpy"),
        ("tensorflow[and-cuda]>=2", "tensorflow"),
        ("git+https://github.com/someone/thing.git@main", "thing"),
        ("git+https://github.com/someone/thing#egg=other", "other"),
        ("https://host.org/thing-1.0-py3-none-any.whl", "thing"),
        ("./local", "./local"),
    ],
)
def test_a_requirement_contains_a_name(requirement: str, name: str) -> None:
    assert distribution_name(requirement) == name


def test_modules_without_a_distribution_count_as_installed() -> None:
    assert installed_version("sklearn").startswith("scikit-learn ") and installed_version("PIL") == "PIL"
    assert installed_version("unheard-of") == installed_version("os.path.nothing") == installed_version("") == ""


# ---------------------------------------------------------------- forged notes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]\n3\nnull\n{}\n",
        b'{"kind": "translated"}\n{"kind": "no such", "found": "", "used": ""}',
        b'{"kind": ["file"], "found": "", "used": ""}',
        b"[" * 60_000,
        b'{"kind": "file", "found": ' + b"9" * 5000 + b', "used": ""}',
        b'{"kind": "file", "found": "x", "used": "' + b"y" * (MAX_NOTES_BYTES + 10) + b'"}',
    ],
)  # fmt: skip
def test_a_malformed_file_of_notes_is_ignored_and_deleted(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "home" / FOLDER / NOTES
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    noted: list[tuple[Kind, str, str]] = []
    take_notes(tmp_path, lambda *note: noted.append(note))
    assert noted == []
    assert not path.exists()


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_notes_that_are_no_file_do_not_block(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "home" / FOLDER / NOTES
    path.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    take_notes(tmp_path, lambda *_note: pytest.fail("noted"))


FLOOD = """
import json, os
path = os.path.expanduser("~/.ipython/commands/notes.jsonl")
with open(path, "w") as file:
    for number in range(100_000):
        file.write(json.dumps({"kind": "file", "found": f"{number}\\ud800" * 40, "used": "\\x00"}) + "\\n")
"""
PIPE = """
import shutil
shutil.rmtree(os.path.expanduser("~/.ipython"))
os.mkfifo("notes"); os.makedirs(os.path.dirname(path)); os.rename("notes", path)
for number in range(500):
    try: open(f"/content/drive/MyDrive/{number}\\udcff/heart.csv").close()
    except FileNotFoundError: pass
"""


def test_a_flood_of_forged_notes_does_not_break_the_facts(warm: NamespaceSandbox, course: CourseFiles) -> None:
    reply = warm.run(Job(notebook_bytes(FLOOD, PIPE, "print(1)"), course.files, Limits(seconds=60)))
    assert reply.ended is EndReason.FINISHED
    facts = parse_facts(reply.facts, ())
    assert facts is not None and 1 < len(facts.adaptations) <= 100
    assert len(reply.facts or b"") < 200_000
    assert json.loads(reply.facts or b"")["seeds"]


def test_an_endless_command_stops_with_its_cell(warm: NamespaceSandbox) -> None:
    cells = ("!yes", "!sleep 50 &\nprint(_exit_code)")
    reply = warm.run(Job(notebook_bytes(*cells), {}, Limits(seconds=60, cell_seconds=1.5)))
    assert reply.ended is EndReason.FINISHED and reply.peak_memory_mb < 1000
    assert reply.executed is not None
    endless, background = nbformat.reads(reply.executed.decode(), as_version=4).cells
    assert {output.ename for output in endless.outputs if output.output_type == "error"} == {"KeyboardInterrupt"}
    assert background.outputs[0].text == "0\n"
