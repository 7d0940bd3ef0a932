"""Paths of other computers: the file that each means, paths without a match, and reads in a notebook."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import Job
from grader.sandbox.guest.compat.handout import MAX_ENTRIES, FileFinder, Handout
from grader.sandbox.namespaces import NamespaceSandbox
from tests.sandbox.guest.compat.notebooks import Outputs, CourseFiles
from tests.support.confined import question
from tests.support.notebooks import notebook_bytes

FILES = (
    "patients.csv",
    "two words.csv",
    "data/train/cats/1.png",
    "data/train/dogs/1.png",
    "data/train/labels.csv",
    "data/test/labels.csv",
    "Notes.txt",
    "notes.txt",
    ".hidden.csv",
)


@pytest.fixture
def finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileFinder:
    job = tmp_path / "job"
    for name in FILES:
        (job / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (job / "work" / name).touch()
    for name in ("hidden/inputs.npy", "out/facts.json", "home/.keras/keras.json"):
        (job / name).parent.mkdir(parents=True, exist_ok=True)
        (job / name).touch()
    monkeypatch.chdir(job / "work")
    return FileFinder(job, Handout(job / "work", sources={"heart.csv": "patients.csv"}))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/content/patients.csv", "patients.csv"),
        ("/content/drive/MyDrive/Colab Notebooks/patients.csv", "patients.csv"),
        ("/kaggle/input/heart-disease/patients.csv", "patients.csv"),
        ("../input/patients.csv", "patients.csv"),
        ("./data/patients.csv", "patients.csv"),
        ("/Users/me/Desktop/patients.csv", "patients.csv"),
        ("~/patients.csv", "patients.csv"),
        (r"C:\Users\me\Desktop\patients.csv", "patients.csv"),
        (r"D:patients.csv", "patients.csv"),
        (r"data\train\labels.csv", "data/train/labels.csv"),
        (r"\\server\share\two words.csv", "two words.csv"),
        ("/content/Patients.CSV", "patients.csv"),
        (b"/content/patients.csv", "patients.csv"),
        (Path("/content/patients.csv"), "patients.csv"),
        ("/content/train/labels.csv", "data/train/labels.csv"),
        ("train/cats/1.png", "data/train/cats/1.png"),
        ("/home/student/notes.txt", "notes.txt"),
        ("/content/drive/MyDrive/heart.csv", "patients.csv"),
    ],
)
def test_a_path_from_elsewhere_means_the_file_of_its_name(finder: FileFinder, path: object, found: str) -> None:
    match = finder.file(path)
    assert match is not None and finder.shown(match) == found


@pytest.mark.parametrize(
    "path",
    [
        "/content/labels.csv",  # two files match
        "/content/1.png",
        "/content/NOTES.TXT",
        "/content/other.csv",
        "/content/.hidden.csv",
        "patients.csv",  # exists
        "../hidden/inputs.npy",  # exists
        "../hidden/patients.csv",
        "../out/patients.csv",
        "../run/patients.csv",
        "../home/.keras/patients.csv",
        "/etc/patients.csv",
        "/usr/share/patients.csv",
        "/tmp/patients.csv",
        "/proc/self/patients.csv",
        "/",
        "..",
        "",
        "a\0/patients.csv",
        3,
        None,
    ],
)
def test_a_path_with_no_or_several_matches_stays_missing(finder: FileFinder, path: object) -> None:
    assert finder.file(path) is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/kaggle/input/cats-and-dogs/train", "data/train"),
        ("/content/train/cats/", "data/train/cats"),
        (r"C:\photos\Dogs", "data/train/dogs"),
        ("/content/drive/MyDrive", "./"),
        ("../input", "./"),
    ],
)
def test_a_folder_path_means_the_folder_of_its_name(finder: FileFinder, path: str, found: str) -> None:
    match = finder.folder(path)
    assert match is not None and finder.shown(match) == found


@pytest.mark.parametrize("path", ["/content/nothing", "/kaggle/input/nothing", "nothing", "/etc/train", "data"])
def test_an_unknown_folder_is_not_found(finder: FileFinder, path: str) -> None:
    assert finder.folder(path) is None


def test_links_out_of_the_work_folder_are_not_followed(finder: FileFinder, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").touch()
    (tmp_path / "job" / "work" / "inside").symlink_to(tmp_path / "outside")
    assert finder.file("/content/secret.csv") is None


def test_names_are_listed_once_per_cell(finder: FileFinder, tmp_path: Path) -> None:
    assert finder.file("/content/late.csv") is None
    (tmp_path / "job" / "work" / "late.csv").touch()
    assert finder.file("/content/late.csv") is None
    finder.forget()
    assert finder.file("/content/late.csv") is not None
    assert MAX_ENTRIES < 100_000


# ---------------------------------------------------------------- in a notebook

READS = r"""
import io, os, pathlib, shutil, tarfile, zipfile, numpy as np, pandas as pd
from PIL import Image
far = "/content/drive/MyDrive/homework/"
windows = "C:\\Users\\me\\"
with zipfile.ZipFile("kept.zip", "w") as archive: archive.write("table.csv")
with tarfile.open("kept.tar", "w") as archive: archive.add("table.csv")
os.mkdir("sub"); os.rename("kept.zip", "sub/kept.zip"); os.rename("kept.tar", "sub/kept.tar")
"""
LOOKS = r"""
print(open(far + "table.csv").read() == open(windows + "table.csv").read())
print(pathlib.Path(far, "table.csv").read_text() == io.open("D:/table.csv").read())
print(pd.read_csv(windows + "Table.csv").shape, np.genfromtxt(far + "table.csv", delimiter=",").shape)
print(np.loadtxt("../input/x/table.csv", delimiter=",", skiprows=1).shape)
print(zipfile.ZipFile(far + "kept.zip").namelist(), tarfile.open(far + "kept.tar").getnames())
print(Image.open(far + "photos/cats/0.png").size, shutil.copy(far + "table.csv", "copied.csv"))
print(sorted(os.listdir("/kaggle/input/pets/photos")), sorted(e.name for e in os.scandir("photos2/photos/cats")))
print([len(files) for top, folders, files in os.walk(windows + "photos\\cats")])
"""
KERAS = r"""
import keras, h5py, tensorflow as tf
pictures = keras.utils.image_dataset_from_directory("/kaggle/input/pets/photos", image_size=(8, 8), batch_size=4)
print(pictures.class_names, sum(len(y) for _, y in pictures))
generator = tf.keras.preprocessing.image.ImageDataGenerator().flow_from_directory(far + "photos", target_size=(8, 8))
print(generator.n, generator.class_indices, next(generator)[0].shape)
print(keras.utils.load_img(windows + "photos\\dogs\\0.png").size)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
os.mkdir("models"); model.save("models/m.keras"); model.save_weights("models/m.weights.h5"); model.save("models/m.h5")
"""
LOADS = r"""
print(keras.saving.load_model(far + "m.keras").count_params(), keras.models.load_model(far + "m.h5").count_params())
model.load_weights(windows + "m.weights.h5")
print(list(h5py.File(far + "models/m.h5")))
"""
WRITES = {
    "written": "open('/nowhere/table.csv', 'w')",
    "appended": "open('C:\\\\x\\\\table.csv', 'a').close(); print(os.path.exists('C:\\\\x\\\\table.csv'))",
    "changed": "open('/nowhere/table.csv', 'r+')",
    "hdf5": "h5py.File('/nowhere/m.h5', 'w')",
}


@pytest.fixture(scope="module")
def notebook(warm: NamespaceSandbox, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    from PIL import Image

    folder = tmp_path_factory.mktemp("course")
    (folder / "table.csv").write_text("a,b\n1,2\n3,4\n")
    files = {"table.csv": folder / "table.csv"}
    for kind in ("cats", "dogs"):
        for number in range(2):
            path = folder / f"{kind}{number}.png"
            Image.new("RGB", (9, 9)).save(path)
            files[f"photos/{kind}/{number}.png"] = path
    return CourseFiles(files, {"table.csv": "table.csv"}).run(
        warm, makes=READS, looks=LOOKS, keras=KERAS, loads=LOADS, ambiguous="open(far + '0.png')",
        hidden="open('../hidden/inputs.npy')", shadow="open('/etc/table.csv')", **WRITES,
    )  # fmt: skip


def test_every_way_of_reading_finds_the_file(notebook: Outputs) -> None:
    assert notebook.error["looks"] == ""
    assert notebook.text["looks"].splitlines() == [
        "True",
        "True",
        "(2, 2) (3, 2)",
        "(2, 2)",
        "['table.csv'] ['table.csv']",
        "(9, 9) copied.csv",
        "['cats', 'dogs'] ['0.png', '1.png']",
        "[2]",
    ]


def test_keras_finds_image_folders_and_saved_models(notebook: Outputs) -> None:
    assert (notebook.error["keras"], notebook.error["loads"]) == ("", "")
    lines = notebook.text["keras"].splitlines()
    for line in ("['cats', 'dogs'] 4", "4 {'cats': 0, 'dogs': 1} (4, 8, 8, 3)", "(9, 9)"):
        assert line in lines
    assert notebook.text["loads"].splitlines()[:2] == ["3 3", "['model_weights']"]


def test_every_replaced_path_is_noted(notebook: Outputs) -> None:
    for found, used in [
        ("/content/drive/MyDrive/homework/table.csv", "table.csv"),
        ("C:\\Users\\me\\Table.csv", "table.csv"),
        ("/kaggle/input/pets/photos", "photos"),
        ("/content/drive/MyDrive/homework/m.h5", "models/m.h5"),
    ]:
        assert ("file", found, used) in notebook.notes


@pytest.mark.parametrize("cell", ["ambiguous", "hidden", "shadow", "written", "changed", "hdf5"])
def test_writing_and_ambiguous_paths_still_fail(notebook: Outputs, cell: str) -> None:
    assert notebook.error[cell].startswith("FileNotFoundError: ")


def test_writing_goes_to_the_path_as_written(notebook: Outputs) -> None:
    assert (notebook.error["appended"], notebook.text["appended"]) == ("", "True")


# ---------------------------------------------------------------- attacks

PRYING = """
import functools, glob, os, subprocess, urllib.request
def opens(path):
    try: open(path, "rb").close()
    except OSError: return False
    return True
@functools.cache
def pried():
    found = [opens(path) for path in (
        "/content/inputs.npy", "/content/drive/MyDrive/exchange/inputs.npy", "C:\\\\exchange\\\\inputs.npy",
        "INPUTS.NPY",
        "/kaggle/input/job/exchange/inputs.npy", "/content/drive/executed.ipynb", "/content/labels.csv")]
    for command in ("cp /content/exchange/inputs.npy a", "cp /content/drive/shadow b",
                    "unzip /content/exchange/inputs.npy", "wget -O c file:///job/exchange/inputs.npy",
                    "curl -o d file:///job/request.json",
                    "wget -O e https://a.org/..%2fexchange%2finputs.npy"):
        subprocess.run(command, shell=True, capture_output=True)
    found += [bool(glob.glob(name)) for name in "abcde"]
    try: urllib.request.urlopen("https://a.org/..%2f..%2fjob%2fexchange%2finputs.npy"); found.append(True)
    except OSError: found.append(False)
    return float(any(found))
def predict(X):
    return [pried() if os.path.exists("/job/exchange/inputs.npy") else 0.0] * len(X)
"""


def test_hidden_files_are_not_found_under_other_names(warm: NamespaceSandbox) -> None:
    reply = warm.run(Job(notebook_bytes(PRYING), {}, Limits(seconds=60), question=question()))
    assert reply.predictions is not None, reply.log
    assert not np.load(io.BytesIO(reply.predictions), allow_pickle=False).any()
