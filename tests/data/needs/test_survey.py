"""The survey of a class: each need once, with the students, and whether it is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.data.needs.notebook_needs import Needs
from grader.data.needs.survey import Asked, Available, Kind, class_wide_files, missing_libraries, missing_sets, survey


def lines(wants: object) -> list[tuple[str, str, int, bool]]:
    return [(want.kind.value, want.name, len(want.students), want.there) for want in wants]  # type: ignore[attr-defined]


def test_a_library_that_many_import_is_told_once_and_first(tmp_path: Path) -> None:
    asked = [Asked(f"s{n}", Needs(modules={"numpy", "torchaudio"}, sets={"mnist"})) for n in range(30)]
    asked.append(
        Asked("cheat", Needs(modules={"nonsense_xyz", "wandb", "google", "helpers"}), frozenset({"helpers.py"}))
    )
    wants = survey(asked, Available(library=tmp_path))
    assert lines(wants) == [
        ("library", "torchaudio", 30, False),
        ("set", "mnist", 30, False),
        ("module", "nonsense_xyz", 1, False),
    ]
    assert [want.is_blocking for want in wants] == [True, False, False]
    assert missing_sets(wants) == ("mnist",)


def test_packages_that_nobody_knows_are_told_and_never_proposed(tmp_path: Path) -> None:
    installs = {
        "nonsense_xyz",
        "torchaudio",
        "numpy==1.0",
        "git+https://example.org/x.git",
        "--index-url https://evil.example",
    }
    listed = "xgboost\nother_nonsense>=2\n-r more.txt\n-e .\nhttps://example.org/x.whl\n"
    wants = survey([Asked("eve", Needs(installs=installs), lists=(listed,))], Available(library=tmp_path))
    assert {want.kind for want in wants} == {Kind.PACKAGE}
    assert [want.name for want in wants] == [
        "--index-url https://evil.example",
        "-e .",
        "-r more.txt",
        "git+https://example.org/x.git",
        "https://example.org/x.whl",
        "nonsense-xyz",
        "other-nonsense>=2",
    ]


def test_files_of_the_course_of_the_student_and_of_the_library_are_there(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").write_bytes(b"")
    available = Available(frozenset({"Heart.csv"}), {"https://example.org/a?id=1": "Heart.csv"}, tmp_path)
    needs = Needs(
        addresses={
            "https://raw.example.org/x/heart.csv",
            "http://example.org/a?id=1",
            "https://example.org/mnist.npz",
            "https://example.org/other.csv",
            "https://example.org/..",
        },
        files={"C:\\me\\HEART.CSV", "mine/own.csv", "lost.csv", "data/other.csv"},
    )
    wants = survey([Asked("s", needs, frozenset({"own.csv"}))], available)
    missing = [(want.kind, want.name) for want in wants if not want.there]
    assert missing == [
        (Kind.ADDRESS, "https://example.org/.."),
        (Kind.ADDRESS, "https://example.org/other.csv"),
        (Kind.FILE, "lost.csv"),
    ]


def readers(*names: set[str], own: frozenset[str] = frozenset()) -> list[Asked]:
    return [Asked(f"s{n}", Needs(files=files, read_cells=1), own) for n, files in enumerate(names)]


def test_a_file_that_the_whole_class_reads_and_nobody_gives_is_told_first() -> None:
    asked = readers({"heart.csv", "mine.csv"}, {"data/heart.csv"}, {"C:\\me\\heart.csv"})
    asked[0].needs.modules.add("torchaudio")
    asked.append(Asked("empty", Needs()))
    wants = survey(asked, Available())
    assert [want.name for want in wants] == ["heart.csv", "torchaudio", "mine.csv"]
    assert [want.is_blocking for want in wants] == [True, True, False]
    assert class_wide_files(wants) == {"heart.csv"}
    assert missing_libraries(wants) == ("torchaudio",)


@pytest.mark.parametrize(
    ("asked", "available"),
    [
        pytest.param(readers({"heart.csv"}, {"heart.csv"}), Available(), id="two notebooks"),
        pytest.param(readers({"heart.csv"}, set(), set()), Available(), id="a single student"),
        pytest.param(readers(*[{"heart.csv"}] * 9, set()), Available(), id="all but one"),
        pytest.param(readers(*[{"heart.csv"}] * 3), Available(frozenset({"Heart.csv"})), id="given by the assignment"),
        pytest.param(readers(*[{"heart.csv"}] * 3), Available(sources={"heart.csv": "h.csv"}), id="given for a name"),
        pytest.param(
            [*readers(*[{"heart.csv"}] * 3), *readers({"heart.csv"}, own=frozenset({"data/heart.csv"}))],
            Available(),
            id="handed in by one",
        ),
        pytest.param(readers(*[{"heart.csv"}] * 3), Available(is_complete=False), id="files of the assignment unknown"),
        pytest.param(readers(*[{"/usr/share/fonts", "../input", "."}] * 3), Available(), id="places of the system"),
    ],
)
def test_a_file_that_some_lack_is_the_students_own(asked: list[Asked], available: Available) -> None:
    assert class_wide_files(survey(asked, available)) == frozenset()


def test_folders_of_a_submission_are_its_own() -> None:
    (want,) = survey(readers({"pictures/cats"}, own=frozenset({"pictures/cats/1.png"})), Available())
    assert want.there
