"""The kit for Gradescope: packed, unpacked into a stand-in for the container, run on real notebooks there."""

from __future__ import annotations

import contextvars
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grader.cli.gradescope_kit import autograde
from grader.cli.gradescope_kit.container_folder import read_container
from grader.cli.gradescope_kit.kit_archive import requirements, write_kit
from grader.cli.main import app
from grader.data.generators import derive_secret
from grader.data.hidden_sets import load_secret
from grader.i18n.catalogue import translation
from grader.i18n.message import message
from grader.models.errors import AssignmentError, SandboxError
from grader.models.run import Outcome
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.fake import FakeSandbox, Script, finished
from grader.sandbox.memory import machine_memory_mb
from grader.spec import discovery
from grader.spec.loader import load_assignment
from tests.lms.gradescope_schema import VALIDATOR, has_a_score
from tests.support.notebooks import notebook_bytes

ROOT = Path(__file__).parents[3]
SECRET = b"the teacher's own secret, of thirty-two bytes and more"
TRAIN = """
import numpy as np
from sklearn.neighbors import KNeighborsRegressor
table = np.genfromtxt("cosine.csv", delimiter=",", skip_header=1)
model = KNeighborsRegressor(20).fit(table[:, :1], table[:, 1])
"""
TOLD = {
    "id": 77,
    "created_at": "2024-03-01T14:22:32.365935-08:00",
    "users": [{"email": "lin@school.edu", "id": 5, "name": "林小明"}],
}

# ---------------------------------------------------------------- what is in it


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kit(discovery.by_name("regression"), SECRET, tmp_path_factory.mktemp("kit") / "autograder.zip")


def contents(kit: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(kit) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_kit_holds_everything_that_the_container_needs(kit: Path) -> None:
    names = contents(kit)
    assert {"setup.sh", "run_autograder", "secret", "requirements.txt", "assignment/assignment.toml"} <= set(names)
    assert {
        "package/grader/cli/main.py",
        "package/grader/sandbox/guest/boot/worker.py",
        "package/grader/report/templates/base.html",
        "package/grader/i18n/locale/zh_TW/LC_MESSAGES/grader.po",
    } <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("package/grader/assignments")]
    assert b"tensorflow" in names["requirements.txt"] and b"tensorflow==" in names["constraints.txt"]


def test_the_teachers_secret_is_not_in_the_kit(kit: Path) -> None:
    packed = contents(kit)
    assert not [name for name, data in packed.items() if SECRET in data]
    assignment = discovery.by_name("regression")
    assert packed["secret"] == derive_secret(SECRET, assignment)
    assert len(packed["secret"]) >= 32
    others = {derive_secret(SECRET + b"x", assignment), derive_secret(SECRET, discovery.by_name("disease"))}
    assert packed["secret"] not in others and len(others) == 2


def test_only_root_may_read_the_secret_and_the_programs_may_be_run(kit: Path) -> None:
    with zipfile.ZipFile(kit) as archive:
        modes = {one.filename: one.external_attr >> 16 & 0o777 for one in archive.infolist()}
    assert (modes["secret"], modes["setup.sh"], modes["run_autograder"]) == (0o600, 0o755, 0o755)


def test_the_same_kit_twice_is_the_same_file(kit: Path, tmp_path: Path) -> None:
    again = write_kit(discovery.by_name("regression"), SECRET, tmp_path / "again.zip")
    assert again.read_bytes() == kit.read_bytes()


@pytest.mark.parametrize("program", ["setup.sh", "run_autograder"])
def test_the_programs_are_bash(kit: Path, tmp_path: Path, program: str) -> None:
    path = tmp_path / program
    path.write_bytes(contents(kit)[program])
    assert b"\r" not in path.read_bytes() and path.read_bytes().startswith(b"#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_public_sets_are_fetched_when_the_image_is_built(tmp_path: Path) -> None:
    assert contents(write_kit(discovery.by_name("mnist"), SECRET, tmp_path / "kit.zip"))["sets.txt"] == b"mnist\n"


def test_requirements_are_listed_without_a_network() -> None:
    assert any(line.startswith("tensorflow") for line in requirements())
    assert not [line for line in requirements() if "extra" in line]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    out = tmp_path / "autograder.zip"
    asked = ["kit", "gradescope", "regression", "--out", str(out), "--lang", "zh-TW"]
    done = contextvars.copy_context().run(CliRunner().invoke, app, asked)  # the language asked for stays in there
    assert done.exit_code == 0 and contents(out)["language"] == b"zh-TW"
    own = load_secret(tmp_path / "config" / "grader")
    assert own not in b"".join(contents(out).values())


def test_an_unknown_assignment_is_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["kit", "gradescope", "nothing", "--out", str(tmp_path / "a.zip")])
    assert isinstance(done.exception, AssignmentError) and not (tmp_path / "a.zip").exists()


# ---------------------------------------------------------------- run as Gradescope runs it


def unpacked(kit: Path, root: Path, files: dict[str, bytes], told: str | None = None) -> Path:
    """Lay out ``/autograder`` as Gradescope does when a submission has arrived."""
    with zipfile.ZipFile(kit) as archive:
        archive.extractall(root / "source")
    (root / "submission").mkdir(parents=True)
    for name, data in files.items():
        (root / "submission" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "submission" / name).write_bytes(data)
    (root / "submission_metadata.json").write_text(json.dumps(TOLD) if told is None else told)
    return root


def run_autograder(root: Path, python: str = sys.executable) -> tuple[dict[str, Any], str]:
    """``results.json``, checked against its schema, and what instructors see."""
    variables = {
        "AUTOGRADER_ROOT": str(root),
        "GRADER_PYTHON": python,
        "GRADER_CACHE": str(root / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", str(root / "source" / "run_autograder")],
        env={**os.environ, **variables},
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return results_in(root), done.stdout


def run_here(root: Path, script: Script = finished, memory_mb: int = 8000) -> autograde.Result:
    """Run the kit in this process, with a sandbox that runs nothing."""
    machine = autograde.Machine(os.environ, 1, memory_mb, root / "library")
    return autograde.run(
        root, machine, translation("en"), lambda _: (FakeSandbox(script), message("Confinement: none"))
    )


def results_in(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "results" / "results.json").read_bytes())
    VALIDATOR.validate(document)
    return document


def test_a_notebook_is_graded(kit: Path, tmp_path: Path) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"hw/my homework.ipynb": notebook_bytes(TRAIN)})
    document, seen = run_autograder(root)
    assert document["score"] == 70.0 and [test["score"] for test in document["tests"]] == [10, 60, 0, 0]
    assert document["tests"][1]["name"] == "R² against the curve without noise"
    assert document["stdout_visibility"] == "hidden" and "onfine" in seen
    key = (root / "source" / "secret").read_text()
    assert key not in json.dumps(document) + seen and str(root) not in json.dumps(document)
    assert (root / "source").stat().st_mode & 0o77 == (root / "source" / "secret").stat().st_mode & 0o77 == 0


def test_an_empty_submission_has_a_score(kit: Path, tmp_path: Path) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"report.pdf": b"%PDF-1.7"})
    ran = run_here(root)
    document = results_in(root)
    assert not ran.faulty and document["score"] == 0.0 and "report.pdf is a PDF document" in document["output"]


@pytest.mark.parametrize("gone", ["secret", "assignment/assignment.toml", "assignment/generator.py"])
def test_a_fault_of_the_grader_is_never_a_zero(kit: Path, tmp_path: Path, gone: str) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"hw.ipynb": notebook_bytes(TRAIN)})
    (root / "source" / gone).unlink()
    ran = run_here(root)
    assert ran.faulty and "The grader failed" in str(ran.notes[0])
    assert not has_a_score(results_in(root)) and "not a zero" in results_in(root)["output"]


def test_a_broken_sandbox_is_a_fault_of_the_grader(kit: Path, tmp_path: Path) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"hw.ipynb": notebook_bytes(TRAIN)})

    def broken(_job: Job) -> Reply:
        raise SandboxError(message("the disk is full"))

    assert run_here(root, broken).faulty and not has_a_score(results_in(root))
    assert "disk" not in json.dumps(results_in(root)), "students do not read of our machine"


@pytest.mark.parametrize(
    ("ended", "memory_mb", "open_"),
    [
        (EndReason.MEMORY, 8000, False),
        (EndReason.MEMORY, 1500, True),
        (EndReason.DIED, 1500, True),
        (EndReason.TIMEOUT, 1500, False),
        (EndReason.FINISHED, 1500, False),
    ],
)
def test_a_small_container_is_not_the_students_fault(
    kit: Path, tmp_path: Path, ended: EndReason, memory_mb: int, open_: bool
) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"hw.ipynb": notebook_bytes(TRAIN)})
    ran = run_here(root, lambda job: replace(finished(job), ended=ended), memory_mb)
    assert ran.faulty == open_ and has_a_score(results_in(root)) != open_
    assert ("This container has 1500 MB" in "\n".join(map(str, ran.notes))) == (memory_mb == 1500)


@pytest.mark.parametrize(("said", "found"), [("1610612736", 1536), ("max", None), ("9" * 19, None), (None, None)])
def test_the_container_s_memory(tmp_path: Path, said: str | None, found: int | None) -> None:
    group = tmp_path / "memory.max"
    if said is not None:
        group.write_text(f"{said}\n")
    assert machine_memory_mb((str(group),)) == (found or machine_memory_mb(()))


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false"], ids=["missing", "killed"])
def test_a_result_is_written_even_without_the_grader(kit: Path, tmp_path: Path, python: str) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"hw.ipynb": notebook_bytes(TRAIN)})
    (root / "results").mkdir()
    (root / "results" / "results.json").write_text('{"score": 100, "output": "of the run before"}')
    document, seen = run_autograder(root, python)
    assert not has_a_score(document) and "left no results" in seen


@pytest.mark.parametrize(
    "told", ["", "{", "[]", '{"users": 5}', '{"id": [], "users": [5, {"name": {}}]}', "[" * 10_000]
)
def test_missing_metadata_does_not_matter(kit: Path, tmp_path: Path, told: str) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"hw.ipynb": notebook_bytes(TRAIN)}, told)
    one = read_container(root, tmp_path / "work", with_pictures=False)
    assert one.notebook_name == "hw.ipynb" and one.outcome is None


def test_submitters_of_a_group_are_read(kit: Path, tmp_path: Path) -> None:
    users = [{"name": "Ann", "email": "a@x"}, {"name": "Bob", "email": "b@x"}]
    root = unpacked(kit, tmp_path / "autograder", {"hw.ipynb": b"{}"}, json.dumps(TOLD | {"users": users}))
    one = read_container(root, tmp_path / "work", with_pictures=False)
    assert [member.email for member in one.group] == ["a@x", "b@x"] and one.submitted_at is not None


def test_links_out_of_the_submission_are_refused(kit: Path, tmp_path: Path) -> None:
    root = unpacked(kit, tmp_path / "autograder", {})
    (root / "submission" / "hw.ipynb").symlink_to(root / "source" / "secret")
    one = read_container(root, tmp_path / "work", with_pictures=False)
    assert one.notebook is None and one.outcome is Outcome.FORBIDDEN


def test_the_packed_assignment_is_the_same(kit: Path, tmp_path: Path) -> None:
    root = unpacked(kit, tmp_path / "autograder", {})
    assert load_assignment(root / "source" / "assignment").rubric == discovery.by_name("regression").rubric


# ---------------------------------------------------------------- where nothing confines

LOOK = """
import os, pathlib
root = pathlib.Path({root!r})
tries = dict(
    secret=lambda: (root / "source" / "secret").read_text(),
    source=lambda: os.listdir(root / "source"),
    results=lambda: (root / "results" / "results.json").write_text("100"),
    submission=lambda: (root / "submission" / "hw.ipynb").read_text(),
    kill=lambda: os.kill({pid}, 0),
    memory=lambda: open("/proc/{pid}/mem", "rb").read(1),
    environment=lambda: open("/proc/{pid}/environ", "rb").read(1),
    root=lambda: os.setuid(0),
    giving=lambda: os.chown(os.getcwd(), 0, 0),
    user=lambda: None,
    )
done = []
for name, act in tries.items():
    try:
        act()
        done.append(name)
    except PermissionError:
        pass
    except Exception as error:
        done.append(name + type(error).__name__)
raise ValueError(str([os.getuid(), os.getgroups(), done]) + " and planted " + str(planted))
"""
# In every folder of its own, in place of every file that the grader reads or writes there.
PLANT = """
import os, pathlib
planted = 0
job = pathlib.Path(".").resolve().parent
for folder in [job / name for name in ("work", "home", "tmp", "exchange", "run", "out", "")]:
    for name in ("executed.ipynb", "facts.json", "predictions.npy", "driver.log", "kernel.log", "log", "started",
                 "ready", "request.json"):
        try:
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to({secret!r})
            planted += 1
        except OSError:
            pass
"""
GRADE = """
import os, pathlib, sys
from grader.cli.gradescope_kit.autograde import Machine, run
from grader.i18n.catalogue import translation
root = pathlib.Path(sys.argv[1])
notebook = root / "submission" / "hw.ipynb"
notebook.write_bytes(notebook.read_bytes().replace(b"4194300", str(os.getpid()).encode()))
ran = run(root, Machine(dict(os.environ), 1, 8000, root / "library", "container"), translation("en"))
print(*ran.notes, sep="\\n")
"""


@pytest.fixture
def anybodys_python() -> Iterator[str]:
    """Find a Python with our packages that every user of this machine may run; ours may lie in a private home."""
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv")
    folder = Path(tempfile.mkdtemp(prefix="grader-test-python-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield _reachable(folder)
    finally:
        shutil.rmtree(folder)


def _reachable(folder: Path) -> str:
    if _serves(sys.executable):
        return sys.executable
    system = "/usr/bin/python3"
    if Path(system).exists():
        subprocess.run([system, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        (place,) = (folder / "venv" / "lib").glob("python*/site-packages")
        (place / "ours.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
        if _serves(str(folder / "venv" / "bin" / "python")):
            return str(folder / "venv" / "bin" / "python")
    pytest.skip("no Python here that another user may run")


def _serves(python: str) -> bool:
    words = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        python,
        "-c",
        "import ipykernel, numpy, sklearn",
    ]
    return subprocess.run(words, capture_output=True, cwd="/", check=False).returncode == 0


def test_another_user_s_notebook_reaches_neither_secret_nor_results(kit: Path, anybodys_python: str) -> None:
    place = Path(tempfile.mkdtemp(prefix="grader-test-kit-", dir="/tmp"))
    place.chmod(0o755)
    try:
        root = unpacked(kit, place / "autograder", {})
        hostile = LOOK.format(root=str(root), pid=4194300)
        secret = root / "source" / "secret"
        content = secret.read_text()
        plant = PLANT.format(secret=str(secret))
        (root / "submission" / "hw.ipynb").write_bytes(notebook_bytes(TRAIN, plant, hostile))
        (root / "results").mkdir()
        for folder in ("source", "submission"):  # as run_autograder does
            (root / folder).chmod(0o700)
        done = subprocess.run(
            [anybodys_python, "-P", "-c", GRADE, str(root)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd="/", capture_output=True, text=True, check=True,
        )  # fmt: skip
        document = results_in(root)
    finally:
        shutil.rmtree(place)
    assert "ran as the user nobody" in done.stdout, done.stdout
    assert document["tests"][1]["score"] == 60.0, "its model was asked all the same"
    assert "[65534, [], ['user']]" in document["output"], "of all that it tried, what everybody may do was done"
    assert re.search(r"and planted [1-9]", document["output"]), document["output"]
    assert content not in json.dumps(document) + done.stdout + done.stderr


def test_without_a_way_to_keep_the_secret_nothing_is_run(kit: Path, tmp_path: Path) -> None:
    root = unpacked(kit, tmp_path / "autograder", {"hw.ipynb": notebook_bytes(TRAIN)})
    machine = autograde.Machine({"PATH": "/nowhere"}, 1, 8000, tmp_path / "library", "container")
    ran = autograde.run(root, machine, translation("en"))
    assert ran.faulty and "another user" in str(ran.notes[0]) and not has_a_score(results_in(root))
