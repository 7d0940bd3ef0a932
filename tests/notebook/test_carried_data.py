from __future__ import annotations

import base64
import json
import random
import textwrap
from pathlib import Path

import pytest

from grader.notebook.carried_data import data_characters

ROOT = Path(__file__).parents[2]
BYTES = random.Random(1).randbytes(900)
LABELS = [byte % 3 for byte in BYTES]
HANZI = "".join(chr(0x4E00 + byte * 20) for byte in BYTES)

CARRIERS = {
    "a list of numbers": repr(list(BYTES)),
    "JSON": json.dumps({"table": [[byte / 255 for byte in BYTES[n : n + 9]] for n in range(0, 900, 9)]}),
    "CSV": "\n".join(",".join(map(str, BYTES[n : n + 9])) for n in range(0, 900, 9)),
    "base64": f'DATA = "{base64.b64encode(BYTES).decode()}"',
    "base64 in lines of 60": "\n".join(textwrap.wrap(base64.b64encode(BYTES).decode(), 60)),
    "base85": f"DATA = {base64.b85encode(BYTES)!r}",
    "hexadecimal": f'DATA = "{BYTES.hex()}"',
    "escaped bytes": f"DATA = {BYTES!r}",
    "labels in a string": f'LABELS = "{"".join(map(str, LABELS))}"',
    "Chinese characters": f'DATA = "{HANZI}"',
    "a comment": "# " + " ".join(map(str, BYTES)),
}


@pytest.mark.parametrize("text", CARRIERS.values(), ids=CARRIERS)
def test_data_is_counted_in_every_writing(text: str) -> None:
    assert data_characters(text) >= 850


def honest_code() -> list[Path]:
    places = ("reference/solutions", "assignments/disease/samples", "tests/sandbox/guest/compat/listings")
    return [path for place in places for path in sorted((ROOT / place).glob("*.py"))]


@pytest.mark.parametrize("path", honest_code(), ids=lambda path: path.stem)
def test_honest_code_hardly_counts(path: Path) -> None:
    assert data_characters(path.read_text("utf-8")) <= 250


@pytest.mark.parametrize(
    "text",
    [
        '{"image_size": [64, 64], "batch_size": 32, "epochs": 25, "classes": ["cat", "dog", "rabbit"]}',
        "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒㄓㄔㄕㄖㄗㄘㄙㄧㄨㄩㄚㄛㄜㄝㄞㄟㄠㄡㄢㄣㄤㄥㄦ",
        "# 這份作業用手機拍了三種水果，每種二十張；我們先調整大小，再做左右翻轉與旋轉。\n" * 20,
        "model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-3), loss='sparse_categorical_crossentropy')",
        "tf.keras.preprocessing.image_dataset_from_directory('/content/drive/MyDrive/homework/pictures/train')",
        "See https://keras.io/api/data_loading/image/ and https://www.tensorflow.org/tutorials/images/classification",
    ],
    ids=["settings", "class names", "comments", "code", "a path", "addresses"],
)
def test_settings_names_and_words_are_not_data(text: str) -> None:
    assert data_characters(text) <= 40
