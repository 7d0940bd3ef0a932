"""Notebooks that use a public set, in a real kernel: access to hidden rows, and attacks that look answers up."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from grader.data.hidden_sets import hidden_inputs, open_hidden_set, prepare_data
from grader.execution.runner import prepare_assignment, run_submission
from grader.models.assignment import Assignment
from grader.models.grade import Graded
from grader.models.run import Run
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from grader.sandbox.namespaces import NamespaceSandbox
from grader.sandbox.process import ProcessSandbox
from tests.sandbox.guest.compat.notebooks import CourseFiles
from tests.support.notebooks import submission
from tests.support.public_sets import SECRET, add_cifar, add_mnist, add_photos, bars, noise, public_assignment

KERAS = "import keras\n"
LOAD = "from keras.datasets import mnist\n(x_train, y_train), (x_test, y_test) = mnist.load_data()\n"
# An attack: search all files for images of the public test set, by bytes from their middle.
SEARCH = """
import json, os, sys, numpy as np
wanted = {bytes.fromhex(piece) for piece in json.load(open("pieces.json"))}
found, opened = set(), 0
def look(data):
    global opened
    opened += 1
    for piece in wanted - found:
        if piece in data: found.add(piece)
system = {sys.prefix, sys.base_prefix, os.path.realpath(sys.executable).rsplit("/bin/", 1)[0], "/guest", "/etc",
          *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/proc", "/sys", "/opt")}
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in system and name != "site-packages"]
    for name in names:
        path = os.path.join(folder, name)
        if name == "pieces.json" or not os.path.isfile(path): continue
        try:
            look(open(path, "rb").read(200_000_000))
            for array in np.load(path, allow_pickle=True).values(): look(array.tobytes())
        except Exception: pass
print(json.dumps([opened, sorted(piece.hex() for piece in found)]))
"""
NEIGHBOURS = """
def predict(X):
    flat = lambda x: (lambda y: y / (np.linalg.norm(y, axis=1, keepdims=True) + 1e-9))(
        x.reshape(len(x), -1).astype(float) - x.reshape(len(x), -1).mean(axis=1, keepdims=True))
    return known_y[(flat(X) @ flat(known_x).T).argmax(axis=1)]
"""
IMPORTS = "import numpy as np\n"
ALL_IN_SIGHT = "known_x, known_y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test]).astype(int)\n"
HASHES = """
import hashlib
table = {hashlib.sha1(x.tobytes()).digest(): int(y) for x, y in zip(known_x, known_y)}
def predict(X):
    return np.array([table.get(hashlib.sha1(x.astype(np.uint8).tobytes()).digest(), 0) for x in X])
"""
HONEST = """
x = x_train[..., None] / 255.0
model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.MaxPooling2D(2), keras.layers.Flatten(),
                          keras.layers.Dense(10, activation="softmax")])
model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y_train, epochs=8, verbose=0)
print(model.evaluate(x_test[..., None] / 255.0, y_test, verbose=0)[1] > 0.9)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a library of random images, so that labels can only be looked up."""
    folder = tmp_path_factory.mktemp("library")
    add_mnist(folder, noise(300, (28, 28), 1), noise(600, (28, 28), 2))
    add_photos(add_cifar(folder), rows=20)
    shutil.copy(folder / "arrays" / "cifar10.npz", folder / "datasets" / "cifar10.npz")
    return folder


@pytest.fixture(scope="module")
def digits(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    work = tmp_path_factory.mktemp("digits")
    return prepare_data(public_assignment(library, "mnist", rows=200), SECRET, library, work)


def accuracy(run: Run, assignment: Assignment) -> float:
    assert run.predictions is not None, (run.reason, run.no_predictions, run.cells)
    answers = np.load(run.predictions)
    return float(np.mean(answers == open_hidden_set(assignment, SECRET).labels))


def graded(sandbox: Sandbox, assignment: Assignment, library: Path, folder: Path, *cells: str) -> Run:
    exam = prepare_assignment(assignment, SECRET, library=library)
    return run_submission(submission(folder, "student", *cells), exam, sandbox, out=folder / "out")


# ---------------------------------------------------------------- attacks


def test_a_search_of_all_files_finds_no_hidden_image(
    warm: NamespaceSandbox, library: Path, digits: Assignment, tmp_path: Path
) -> None:
    with (
        np.load(library / "datasets" / "mnist.npz") as original,
        np.load(digits.withheld["datasets/mnist.npz"]) as seen,
    ):
        test, shown = original["x_test"], seen["x_test"]
    still_there = {image[8:20].tobytes().hex() for image in shown}
    hidden = {image[8:20].tobytes().hex() for image in test} - still_there
    pieces = [*sorted(hidden)[:40], *sorted(still_there)[:20]]
    (tmp_path / "pieces.json").write_text(json.dumps(pieces))
    place = CourseFiles({"pieces.json": tmp_path / "pieces.json"}, {}, library, digits.withheld)
    outputs = place.run(warm, load=KERAS + LOAD, search=SEARCH)
    outputs.assert_no_errors()
    opened, found = json.loads(outputs.text["search"])
    assert opened > 3
    assert (len(hidden), set(found)) == (200, set(pieces[40:]))


@pytest.mark.parametrize("attack", [ALL_IN_SIGHT + NEIGHBOURS, ALL_IN_SIGHT + HASHES], ids=["neighbours", "hashes"])
def test_lookup_in_visible_images_is_no_better_than_chance(
    warm: NamespaceSandbox, library: Path, digits: Assignment, tmp_path: Path, attack: str
) -> None:
    run = graded(warm, digits, library, tmp_path, IMPORTS + KERAS + LOAD + attack)
    assert accuracy(run, digits) < 0.2  # a tenth is chance; three standard deviations of 200 rows


def test_hashes_of_the_public_test_set_match_no_perturbed_image(
    warm: NamespaceSandbox, library: Path, digits: Assignment, tmp_path: Path
) -> None:
    """Put the whole public test set into the notebook, as any student can."""
    with np.load(library / "datasets" / "mnist.npz") as original:
        images = original["x_test"].tobytes().hex()
        brought = f"known_x = np.frombuffer(bytes.fromhex({images!r}), np.uint8).reshape(-1, 28, 28)\n"
        brought += f"known_y = np.array({original['y_test'].tolist()})\n"
    run = graded(warm, digits, library, tmp_path, IMPORTS + brought + HASHES)
    assert accuracy(run, digits) < 0.2
    neighbours = graded(warm, digits, library, tmp_path, IMPORTS + brought + NEIGHBOURS)
    assert accuracy(neighbours, digits) > 0.8, "as documented; a person is asked to check"
    assert neighbours.carried is not None and neighbours.carried.kb > 60


def test_a_notebook_without_mounts_sees_the_same_data(
    warm: NamespaceSandbox, library: Path, digits: Assignment
) -> None:
    cell = (
        KERAS + LOAD + "import zlib\nprint(x_train.shape, zlib.crc32(x_test.tobytes()), zlib.crc32(x_train.tobytes()))"
    )
    place = CourseFiles({}, {}, library, digits.withheld)
    seen = [place.run(sandbox, cell=cell) for sandbox in (warm, ProcessSandbox(os.environ))]
    shapes = [[line for line in output.text["cell"].splitlines() if line.startswith("(")] for output in seen]
    assert shapes[0] == shapes[1] and len(shapes[0]) == 1
    assert [output.error["cell"] for output in seen] == ["", ""]
    assert seen[1].notes == [], "found in the library, not downloaded"


def test_only_the_files_of_the_set_are_empty_in_the_library(
    warm: NamespaceSandbox, library: Path, tmp_path: Path
) -> None:
    assignment = prepare_data(public_assignment(library, "cifar10"), SECRET, library, tmp_path)
    cell = """
import os
print(os.path.getsize("/library/datasets/cifar10.npz"), os.path.getsize("/library/datasets/mnist.npz") > 1000)
for path in ("/library/datasets/cifar10.npz", "/library/datasets/x"):
    try: open(path, "wb")
    except OSError as error: print(type(error).__name__)
import keras
(x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
print(x.shape, x_test.shape, len({image.tobytes() for image in x_test}))
"""
    outputs = CourseFiles({}, {}, library, assignment.withheld).run(warm, cell=cell)
    outputs.assert_no_errors()
    assert outputs.text["cell"].splitlines()[0] == "0 True"
    assert outputs.text["cell"].splitlines()[-1] == "(50000, 32, 32, 3) (200, 32, 32, 3) 140"


# ---------------------------------------------------------------- photos


PLACES = {
    "folder": """
import os
print(len(os.listdir("cats_and_dogs_filtered/train/cats")), os.path.exists("cats_and_dogs_filtered/test"))
""",
    "wget": """
!wget --no-check-certificate https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip -O /tmp/c.zip
import zipfile
zipfile.ZipFile("/tmp/c.zip").extractall("/tmp")
print(len(os.listdir("/tmp/cats_and_dogs_filtered/validation/dogs")))
""",
    "get_file": """
import keras
path = keras.utils.get_file("cats_and_dogs_filtered.zip", extract=True,
    origin="https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip")
print(sum(len(names) for _, _, names in os.walk(path)))
""",
    "course": """
data = keras.utils.image_dataset_from_directory("/content/drive/MyDrive/cats_and_dogs_small/train", image_size=(24, 24))
print(data.class_names)
""",
    "library": "print(os.path.exists('/library/photos'), os.path.exists('/library/arrays'))",
    "writes": "os.remove('cats_and_dogs_filtered/train/cats/' + os.listdir('cats_and_dogs_filtered/train/cats')[0])",
}


def test_photos_are_found_in_all_usual_places(warm: NamespaceSandbox, library: Path, tmp_path: Path) -> None:
    assignment = prepare_data(
        public_assignment(tmp_path, "cats-dogs", size=(24, 24)), SECRET, library, tmp_path / "work"
    )
    assert assignment.data is not None
    files = {path.name: path for path in assignment.data.files}
    sources = {"cats_and_dogs_filtered.zip": "cats_and_dogs_filtered.zip"}
    outputs = CourseFiles(files, sources, library, assignment.withheld).run(warm, **PLACES)
    outputs.assert_no_errors()
    last = {name: text.splitlines()[-1] if text else "" for name, text in outputs.text.items()}
    assert last == {
        "folder": "20 False",
        "wget": "20",
        "get_file": "80",
        "course": "['cats', 'dogs']",
        "library": "False False",
        "writes": "",
    }
    assert len(list((files["cats_and_dogs_filtered"]).rglob("*.jpg"))) == 80, "the originals are unchanged"


# ---------------------------------------------------------------- a class


def test_a_class_is_graded_on_a_public_set(warm: NamespaceSandbox, tmp_path: Path) -> None:
    library = add_mnist(tmp_path / "library", bars(1500, 1), bars(600, 2))
    announced: list[str] = []
    settings = Settings(tmp_path / "out", SECRET, library=library, announce=lambda words: announced.append(str(words)))
    assignment = public_assignment(tmp_path, "mnist", rows=100)
    handed_in = [
        submission(tmp_path, "honest", KERAS + LOAD, HONEST),
        submission(tmp_path, "empty", KERAS + LOAD),
        submission(tmp_path, "heavy", KERAS + LOAD, HONEST, "# " + "x" * 70_000),
        submission(tmp_path, "wordy", KERAS + LOAD, HONEST, "#md" + "x" * 70_000),
    ]
    results = {graded.submission.student.id: graded for graded in grade_class(assignment, handed_in, warm, settings)}
    assert announced == ["Drawing the hidden rows of mnist …"]
    assert points(results["honest"]) == {"runs": 10, "accuracy": 90}
    assert points(results["empty"]) == {"runs": 10, "accuracy": 0}
    for name in ("honest", "wordy"):  # text does not reach the run
        assert not any(" kB" in str(reason) for reason in results[name].grade.review_reasons)
    assert any("hold 7" in str(reason) for reason in results["heavy"].grade.review_reasons)
    assert len(hidden_inputs(prepare_data(assignment, SECRET, library, tmp_path / "again"), SECRET)) == 100


def points(result: Graded) -> dict[str, float | None]:
    return {score.criterion: score.points for score in result.grade.scores}
