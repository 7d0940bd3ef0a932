"""A group's notebook that looks its own held-out photos up, in everything that it can hand in with them.

The classes cannot be learnt: the photos are noise, and so is the class of each. Whoever is right was told.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping

import nbformat
import numpy as np
import pytest
from PIL import Image

from grader.lms.archive.submissions import read_submissions
from grader.models.grade import Graded
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from tests.data.group_photos.drawn_photos import encoded, jpeg, photo
from tests.data.group_photos.photo_assignment import photo_assignment
from tests.support.builders import write_folder
from tests.support.notebooks import notebook_bytes

SECRET = b"a teacher's secret, of thirty-two bytes or more"
CHECK = "Check whether they describe the photos that were held out."
EACH = 25
PHOTOS = {
    f"pictures/{label}/{number:03d}.png": photo(500 * place + number)
    for place, label in enumerate(("one", "two"))
    for number in range(EACH)
}
LABELS = [int("/two/" in name) for name in PHOTOS]


def thumbnails(side: int) -> np.ndarray:
    """Return all photos as ``(n, side, side)`` grey pixels, uint8."""
    return np.stack([np.asarray(image.convert("L").resize((side, side))) for image in PHOTOS.values()])


LOOK_UP = """
import cv2, numpy as np
def predict(X):
    side = KEYS.shape[1]
    small = np.stack([cv2.resize(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), (side, side), interpolation=cv2.INTER_AREA)
                      for x in np.asarray(X, np.uint8)]).reshape(len(X), -1).astype(float)
    keys = KEYS.reshape(len(KEYS), -1).astype(float)
    shape = lambda rows: (rows - rows.mean(1, keepdims=True)) / (rows.std(1, keepdims=True) + 1e-9)
    return LABELS[(shape(small) @ shape(keys).T).argmax(1)]
"""
EMPTY = "import numpy as np\nKEYS, LABELS = np.zeros((2, 8, 8)), np.array([0, 1])\n"

SETTINGS = json.dumps({"keys": thumbnails(8).tolist(), "labels": LABELS}).encode()
FROM_SETTINGS = """
import json, numpy as np
found = json.load(open("settings.json"))
KEYS, LABELS = np.array(found["keys"]), np.array(found["labels"])
"""
PACKED = base64.b64encode(thumbnails(8).tobytes()).decode()
FROM_CODE = f"""
import base64, numpy as np
KEYS = np.frombuffer(base64.b64decode("{PACKED}"), np.uint8).reshape(-1, 8, 8)
LABELS = np.array({LABELS})
"""
# Searches everything that the notebook can read for a mark, after which the table stands.
MARK = b"TABLE" + b"OF" + b"ANSWERS:"
TABLE = MARK + PACKED.encode() + b":" + json.dumps(LABELS).encode() + b"!"
SEARCH = (
    EMPTY
    + """
import base64, glob, json, os, re
MARK = b"TABLE" + b"OF" + b"ANSWERS:"
for top, _, names in (found for place in (".", "..", "/job", "/tmp", "/home") for found in os.walk(place)):
    for name in names:
        try:
            data = open(os.path.join(top, name), "rb").read()
        except OSError:
            continue
        table = re.search(MARK + rb"([A-Za-z0-9+/=]+):(\\[[0-9, ]+\\])!", data)
        if table:
            print("-".join(["FOUND", "IT"]), name)
            KEYS = np.frombuffer(base64.b64decode(table[1]), np.uint8).reshape(-1, 8, 8)
            LABELS = np.array(json.loads(table[2]))
"""
)
HONEST = """
import json, numpy as np
from PIL import Image
from pathlib import Path
from sklearn.linear_model import LogisticRegression
settings = json.load(open("settings.json"))
names = Path("classes.txt").read_text().split()
files = [(path, names.index(folder.name)) for folder in sorted(Path("pictures").iterdir()) for path in folder.iterdir()]
X = np.stack([np.asarray(Image.open(path).convert("RGB").resize(settings["size"])) for path, _ in files])
model = LogisticRegression(max_iter=settings["steps"]).fit(X.reshape(len(X), -1) / 255, [label for _, label in files])
def predict(X):
    return model.predict(np.asarray(X).reshape(len(X), -1) / 255)
"""


def files(change: Callable[[bytes], bytes] = lambda data: data) -> dict[str, bytes]:
    return {name: change(encoded(image)) for name, image in PHOTOS.items()}


def sheet() -> bytes:
    """Return a picture with all photos side by side."""
    drawn = Image.new("RGB", (10 * 96, 5 * 96))
    for place, image in enumerate(PHOTOS.values()):
        drawn.paste(image, (place % 10 * 96, place // 10 * 96))
    return encoded(drawn)


def with_pasted_picture(*cells: str) -> bytes:
    notebook = nbformat.reads(notebook_bytes("#md![photo](attachment:photo.jpg)", *cells).decode(), 4)
    pasted = base64.b64encode(jpeg(photo(9, side=700), 95)).decode()
    notebook.cells[0]["attachments"] = {"photo.jpg": {"image/jpeg": pasted}}
    return nbformat.writes(notebook).encode()


FROM_SHEET = f"""
import cv2, numpy as np
drawn = cv2.cvtColor(cv2.imread("overview.png"), cv2.COLOR_BGR2GRAY)
drawn = cv2.resize(drawn, (960, 480))
KEYS = np.stack([cv2.resize(drawn[r:r + 96, c:c + 96], (8, 8), interpolation=cv2.INTER_AREA)
                 for r in range(0, 480, 96) for c in range(0, 960, 96)])
LABELS = np.array({LABELS})
"""
FOUND_OUT: dict[str, dict[str, bytes]] = {
    "settings": {"hw.ipynb": notebook_bytes(FROM_SETTINGS, LOOK_UP), "settings.json": SETTINGS},
    "code": {"hw.ipynb": notebook_bytes(FROM_CODE, LOOK_UP)},
    "module": {"hw.ipynb": notebook_bytes("from answers import *", LOOK_UP), "answers.py": FROM_CODE.encode()},
}
PREVENTED: dict[str, dict[str, bytes]] = {
    "markdown": {"hw.ipynb": notebook_bytes(f"#md{TABLE.decode()}", SEARCH, LOOK_UP)},
    "appended": {"hw.ipynb": notebook_bytes(SEARCH, LOOK_UP), **files(lambda data: data + TABLE)},
    "arrays": {"hw.ipynb": notebook_bytes(SEARCH, LOOK_UP), "weights.npz": TABLE, "model.keras": TABLE},
    "large": {"hw.ipynb": notebook_bytes(SEARCH, LOOK_UP), "notes.txt": b"words " * 12_000 + TABLE},
}
OTHERS: dict[str, dict[str, bytes]] = {
    "honest": {
        "hw.ipynb": with_pasted_picture(HONEST),
        "settings.json": b'{"size": [24, 24], "steps": 300}',
        "classes.txt": b"one\ntwo\n",
        "README.md": b"# Our photos\n\nTaken in November with two telephones.\n" * 20,
    },
    "sheet": {"hw.ipynb": notebook_bytes(FROM_SHEET, LOOK_UP), "overview.png": sheet()},
}


@pytest.fixture(scope="module")
def groups(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Graded]:
    folder = tmp_path_factory.mktemp("groups")
    assignment = photo_assignment(folder / "assignment")
    for name, handed_in in (FOUND_OUT | PREVENTED | OTHERS).items():
        write_folder(folder / "in" / name, files() | handed_in)
    handed = read_submissions([folder / "in"], workspace=folder / "work", assignment=assignment).submissions
    results = grade_class(assignment, handed, sandbox, Settings(folder / "out", SECRET))
    return {graded.submission.student.name: graded for graded in results}


def accuracy(graded: Graded) -> float:
    measured = graded.grade.scores[2]
    assert measured.value is not None, (graded.run.reason, measured.reason)
    return measured.value


def reasons(graded: Graded) -> str:
    return " ".join(map(str, graded.grade.review_reasons))


@pytest.mark.parametrize("name", FOUND_OUT)
def test_a_table_of_thumbnails_goes_to_review_with_its_size(groups: Mapping[str, Graded], name: str) -> None:
    assert accuracy(groups[name]) == 1, "what it gains, which is why a person must look"
    assert CHECK in reasons(groups[name])
    assert "kB of numbers and codes" in reasons(groups[name])


@pytest.mark.parametrize("name", PREVENTED)
def test_a_table_hidden_in_text_photos_or_arrays_does_not_reach_the_notebook(
    groups: Mapping[str, Graded], name: str
) -> None:
    assert accuracy(groups[name]) <= 0.8  # of ten photos; a guess is right in half
    executed = groups[name].run.executed
    assert executed is not None and "FOUND-IT" not in executed.read_text("utf-8")


def test_a_sheet_of_all_photos_outside_the_classes_gains_little(groups: Mapping[str, Graded]) -> None:
    assert accuracy(groups["sheet"]) <= 0.9


def test_an_honest_group_with_settings_and_pasted_pictures_is_left_alone(groups: Mapping[str, Graded]) -> None:
    graded = groups["honest"]
    assert [score.points for score in graded.grade.scores[:2]] == [10, 20], graded.run.reason
    assert CHECK not in reasons(graded)
    assert graded.run.carried is not None and graded.run.carried.data_kb < 0.1
    executed = graded.run.executed
    assert executed is not None and "attachment:photo.jpg" in executed.read_text("utf-8")
    assert nbformat.read(executed, 4).cells[0].attachments["photo.jpg"]
