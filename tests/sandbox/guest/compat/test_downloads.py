"""The file that an address stands for, and downloads with every function that notebooks use."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.guest.compat.handout import Handout, is_remote, last_name, refusal
from grader.sandbox.namespaces import NamespaceSandbox
from tests.sandbox.guest.compat.notebooks import Outputs, CourseFiles

HEART = "https://raw.githubusercontent.com/somebody/Course/main/data/heart%20disease.csv"
DRIVE = "https://drive.google.com/uc?id=1AbCdEfGhIjKl"
SOURCES = {HEART: "patients.csv", "heart.csv": "patients.csv", DRIVE: "patients.csv", "patients.csv": "patients.csv"}


@pytest.fixture
def handout(tmp_path: Path) -> Handout:
    for name in ("work/patients.csv", "library/datasets/mnist.npz", "library/models/vgg.h5", "secret.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    request = {"files": ["a.txt", "patients.csv"], "sources": SOURCES, "library": str(tmp_path / "library")}
    return Handout.from_request(tmp_path, request)


@pytest.mark.parametrize(
    "address",
    [
        HEART,
        HEART.replace("https", "http"),
        HEART.replace("%20", " "),
        HEART + "?raw=true#top",
        "https://RAW.githubusercontent.com/somebody/Course/main/data/heart%20disease.csv",
        "ftp://elsewhere.org/deep/heart.csv",
        "https://elsewhere.org/Heart.CSV?download=1",
        "heart.csv",
        "https://elsewhere.org/patients.csv",
        "https://drive.google.com/file/d/1AbCdEfGhIjKl/view?usp=sharing",
        "https://drive.google.com/uc?export=download&id=1AbCdEfGhIjKl",
    ],
)
def test_a_known_address_means_the_course_file(handout: Handout, address: str) -> None:
    assert handout.file_for(address) == handout.work / "patients.csv"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz", "datasets/mnist.npz"),
        ("https://github.com/models/vgg.h5?raw=true", "models/vgg.h5"),
    ],
)
def test_a_library_file_is_found_by_its_name(handout: Handout, address: str, name: str) -> None:
    assert handout.library is not None
    assert handout.file_for(address) == handout.library / name


@pytest.mark.parametrize(
    "address",
    [
        "https://raw.githubusercontent.com/somebody/Course/main/data/other.csv",
        "https://raw.githubusercontent.com/somebody/course/main/data/heart%20disease.csv",
        "https://elsewhere.org/",
        "https://elsewhere.org/..%2f..%2fsecret.csv",
        "https://elsewhere.org/..%2fsecret.csv",
        "https://elsewhere.org/a/..",
        "https://drive.google.com/uc?id=1AbCdEfGhIjKX",
        "",
    ],
)
def test_another_address_is_unknown(handout: Handout, address: str) -> None:
    assert handout.file_for(address) is None


def test_a_deleted_file_is_unknown(handout: Handout) -> None:
    (handout.work / "patients.csv").unlink()
    assert handout.file_for(HEART) is None


def test_the_courses_own_files_come_first(handout: Handout) -> None:
    assert handout.files == ("patients.csv", "a.txt")


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("https://a.org/x", True),
        ("HTTP://a.org", True),
        ("ftp://a.org", True),
        ("https://user:word@a.org", True),
        ("http://localhost:8000/x", False),
        ("http://127.0.0.1/x", False),
        ("http://localhost.a.org/x", True),
        ("file:///etc/passwd", False),
        ("data:text/plain,x", False),
        ("patients.csv", False),
        (None, False),
    ],
)
def test_remote_addresses_are_recognised(address: object, remote: bool) -> None:
    assert is_remote(address) == remote


def test_a_refusal_is_one_line() -> None:
    assert refusal("https://a.org/\nx" + "y" * 5000).count("\n") == 0
    assert len(refusal("y" * 5000)) < 400
    assert last_name("https://a.org/b/c.csv?d=e/f") == "c.csv"


# ---------------------------------------------------------------- in a notebook

READS = f"""
import io, urllib.request, numpy as np, pandas as pd, requests
heart = {HEART!r}
shapes = [
    pd.read_csv(heart).shape, pd.read_csv("https://elsewhere.org/heart.csv", header=None).shape,
    np.loadtxt(heart, delimiter=",", skiprows=1).shape, np.genfromtxt(heart, delimiter=",").shape,
    pd.read_csv(urllib.request.urlopen(urllib.request.Request(heart))).shape,
    pd.read_csv(urllib.request.urlretrieve(heart, "mine.csv")[0]).shape,
    pd.read_csv(io.StringIO(requests.get(heart).text)).shape,
    pd.read_csv(io.BytesIO(b"".join(requests.get(heart, stream=True).iter_content(3)))).shape,
]
print(shapes)
print(requests.get(heart).status_code, len(urllib.request.urlopen(heart).read()))
"""
GET_FILE = f"""
import os, keras, tensorflow as tf
path = keras.utils.get_file("h.csv", {HEART!r}, file_hash="0" * 32)
print(open(path).readline().strip(), os.path.basename(path), path.startswith(os.path.expanduser("~")))
print(open(tf.keras.utils.get_file(origin="https://a.org/heart.csv", force_download=True)).readline().strip())
"""
ARCHIVE = """
import zipfile
with zipfile.ZipFile("pets.zip", "w") as archive: archive.writestr("pets/cats/1.txt", "meow")
old = keras.utils.get_file("pets_old.zip", "https://a.org/pets.zip", extract=True)
print(os.listdir(old), os.listdir(os.path.join(os.path.dirname(old), "pets")))
"""
GDOWN = f"""
import gdown, wget
print(gdown.download({DRIVE!r}, "d.csv", quiet=False), gdown.download(id="1AbCdEfGhIjKl"), wget.download({HEART!r}))
"""
REFUSED = {
    "pandas": "pd.read_csv('https://a.org/unknown.csv')",
    "excel": "pd.read_excel('https://a.org/unknown.xlsx')",
    "json": "pd.read_json('https://a.org/unknown.json')",
    "numpy": "np.loadtxt('https://a.org/unknown.csv')",
    "urlopen": "urllib.request.urlopen('ftp://a.org/unknown.csv')",
    "urlretrieve": "urllib.request.urlretrieve('https://a.org/unknown.csv')",
    "requests": "requests.get('https://a.org/unknown.csv')",
    "post": "requests.Session().post('https://a.org/unknown.csv', json={})",
    "get_file": "keras.utils.get_file('unknown.zip', 'https://a.org/unknown.zip', extract=True)",
    "openml": "from sklearn.datasets import fetch_openml\nfetch_openml('unknown.csv')",
    "california": "import sklearn.datasets\nsklearn.datasets.fetch_california_housing()",
    "gdown": "gdown.download('https://drive.google.com/uc?id=unknown.csv')",
}


@pytest.fixture(scope="module")
def downloads(warm: NamespaceSandbox, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    patients = tmp_path_factory.mktemp("course") / "patients.csv"
    patients.write_text("age,ill\n50,1\n60,0\n")
    course = CourseFiles({"patients.csv": patients}, SOURCES | {"pets.zip": "pets.zip"})
    return course.run(warm, reads=READS, kept=GET_FILE, archive=ARCHIVE, drive=GDOWN, **REFUSED)


def test_every_function_reads_a_known_address(downloads: Outputs) -> None:
    assert downloads.error["reads"] == ""
    assert downloads.text["reads"] == (
        "[(2, 2), (3, 2), (2, 2), (3, 2), (2, 2), (2, 2), (2, 2), (2, 2)]\n200 18"
    )  # fmt: skip
    assert ("download", HEART, "patients.csv") in downloads.notes


def test_get_file_caches_in_the_notebook_home_and_ignores_the_hash(downloads: Outputs) -> None:
    assert downloads.error["kept"] == ""
    lines = [line for line in downloads.text["kept"].splitlines() if not line.startswith("Downloading")]
    assert lines == ["age,ill h.csv True", "age,ill"]


def test_an_archive_is_unpacked_where_keras_2_unpacked_it(downloads: Outputs) -> None:
    assert downloads.error["archive"] == ""
    assert downloads.text["archive"].endswith("['pets'] ['cats']")


def test_gdown_and_wget_return_the_course_file(downloads: Outputs) -> None:
    assert (downloads.error["drive"], downloads.text["drive"]) == ("", "d.csv patients.csv patients.csv")


@pytest.mark.parametrize("cell", REFUSED)
def test_an_unknown_address_raises_a_connection_error(downloads: Outputs, cell: str) -> None:
    name, _, text = downloads.error[cell].partition(": ")
    assert name == "ConnectionError"
    assert text.startswith("not available offline: ") and "\n" not in text
    assert "unknown" in text or "fetch_california_housing" in text
