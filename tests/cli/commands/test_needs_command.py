"""``grader data fetch --for``: a class's needs are read, listed and fetched; nothing of the class is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from grader.cli.class_survey import print_missing
from grader.cli.commands import needs_command
from grader.cli.main import app
from grader.cli.terminal import screen
from grader.data.needs.survey import Kind, Want
from grader.i18n import catalogue
from tests.data.cache.faulty_server import Web, run_server
from tests.support.notebooks import notebook_bytes


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the submissions' folder on a machine with an empty library and without a proxy."""
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(screen, "width", 200)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "submissions"


@pytest.fixture
def web() -> Iterator[Web]:
    with run_server() as web:
        web.files = {"heart.csv": b"age,target\n1,0\n"}
        yield web


def hand_in(folder: Path, **students: str) -> None:
    for name, code in students.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "hw.ipynb").write_bytes(notebook_bytes(code))


def fetch(*arguments: str | Path, lang: str = "en") -> Result:
    return CliRunner().invoke(app, ["data", "fetch", *map(str, arguments), "--lang", lang])


def test_needs_are_listed_with_students_and_addresses_only_downloaded_into_a_folder(machine: Path, web: Web) -> None:
    url = web.url("heart.csv")
    code = f"import torchaudio, nonsense_xyz\nimport pandas as pd\npd.read_csv({url!r})\nopen('ran.txt', 'w')"
    hand_in(machine, ann=code, bob=code, eve=f"get({web.url('loop')!r})")
    web.redirects["loop"] = web.url("loop")
    listed, chinese = fetch("--for", machine), fetch("--for", machine, lang="zh-TW")
    assert (listed.exit_code, chinese.exit_code, web.requests) == (0, 0, [])
    assert "3 submissions were read; nothing of them was run." in listed.output and "2 (ann, bob)" in listed.output
    assert "pip install torchaudio" in listed.output and "pip install nonsense" not in listed.output
    assert "--into FOLDER downloads the 2 addresses" in listed.output
    assert "未知的模組" in chinese.output and "請自行安裝套件：pip install torchaudio" in chinese.output

    refused = fetch("--for", machine, "--into", "course")
    assert refused.exit_code == 1 and web.requests == []
    assert "leads to a private address" in refused.output and "[sources]" not in refused.output.split("grader:")[-1]

    taken = fetch("--for", machine, "--into", "course", "--allow-private")
    assert taken.exit_code == 1 and "redirected more than 5 times" in taken.output
    assert f"{url}, asked for by ann, bob …" in taken.output
    assert f'[sources]\n"{url}" = "heart.csv"' in taken.output
    assert [path.name for path in Path("course").iterdir()] == ["heart.csv"]
    assert "heart.csv is there already" in fetch("--for", machine, "--into", "course", "--allow-private").output
    assert not list(machine.rglob("ran.txt"))


def test_a_notebook_that_asks_for_forty_sets_does_not_hold_the_teacher_up(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    names = ("Xception", "VGG19", "DenseNet121", "DenseNet169", "DenseNet201", "ResNet101", "ResNet152", "NASNetLarge")
    hand_in(machine, eve="\n".join(f"keras.applications.{name}(include_top={top})" for name in names for top in (0, 1)))
    done = fetch("--for", machine)
    assert done.exit_code == 1
    assert done.output.count("could not be fetched. Download") == needs_command.MOST_FAILURES
    assert "Nothing else is tried: 3 sets" in done.output


def test_names_and_submissions_are_not_mixed(machine: Path) -> None:
    assert fetch().exit_code == 2
    assert fetch("mnist", "--for", machine).exit_code == 2


def test_names_of_files_are_made_safe() -> None:
    assert needs_command._file_name("https://x.org/a/heart.csv?raw=1#top", 1) == "heart.csv"
    for address in (
        "https://x.org/..",
        "https://x.org/",
        "https://x.org/.bashrc",
        "https://x.org/%2e%2e%2fx",
        "x" * 300,
    ):
        assert needs_command._file_name(address, 7) == "download-7"


def test_the_survey_before_grading_is_short_and_names_libraries_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "width", 120)
    wants = [Want(Kind.LIBRARY, "torchaudio", ("ann", "bob"), False)]
    wants += [Want(Kind.FILE, f"lost{n}.csv", ("\x1b[31meve",), False) for n in range(40)]
    wants += [Want(Kind.SET, "mnist", ("ann",), True)]
    print_missing(wants, catalogue.translation("en"))
    print_missing(wants[-1:], catalogue.translation("en"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 20 and "\x1b" not in "".join(lines)
    assert "torchaudio" in lines[2] and "pip install torchaudio" in lines[2]
    assert "… and 29 more" in lines[-2] and "Stop here" in lines[-1]
