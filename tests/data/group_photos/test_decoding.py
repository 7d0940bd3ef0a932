"""Pictures from strangers: each is read as people see it, or said with the reason; none costs another."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grader.data.group_photos import decoding
from grader.data.group_photos.decoding import Reading, read
from grader.data.group_photos.photo_files import Picture
from grader.files.isolated import ProcessLimits
from grader.models.errors import IsolationError
from tests.data.group_photos.drawn_photos import encoded, jpeg, laid_out, photo

SIZE = (20, 30)
GOOD = encoded(photo(1))


def read_all(folder: Path, files: Mapping[str, bytes]) -> Reading:
    attachments = laid_out(folder / "handed-in", files)
    return read([Picture(one, "a", one.name) for one in attachments], SIZE, folder / "work")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims this size and has next to nothing in it: a bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


BAD = {
    "empty.jpg": (b"", "it is an empty file, not a picture"),
    "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", "it is a web page (HTML), not a picture"),
    "words.png": (b"not a picture at all\n" * 20, "it is plain text, not a picture"),
    "report.png": (b"%PDF-1.7\n", "it is a PDF document, not a picture"),
    "cut.jpg": (jpeg(photo(2))[:900], "it is damaged or cut off (OSError"),
    "cut.png": (GOOD[: len(GOOD) // 2], "it is damaged or cut off"),
    "head.jpg": (b"\xff\xd8\xff\xe0", "it is damaged or cut off"),
    "bomb.png": (png_header(10_000, 10_000), "it has 100 megapixels (10000 × 10000); expected at most 40"),
    "huge.png": (png_header(2**31 - 1, 2**31 - 1), "megapixels"),
    "little.png": (png_header(3000, 3000), "it is damaged or cut off"),
    "IMG_1.HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", "it is a HEIC picture of an iPhone"),
    "IMG_2.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0", "Export it as JPEG"),
    "scan.tiff": (encoded(photo(3), "TIFF"), "Keras does not read .tiff files"),
    "scan.png": (encoded(photo(3), "TIFF"), "it is a file of unknown kind, not a picture"),
    "vector.jpg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
}


def test_what_is_no_picture_is_said_by_name_and_costs_no_other(tmp_path: Path) -> None:
    found = read_all(tmp_path, {name: data for name, (data, _said) in BAD.items()} | {"good.png": GOOD})
    assert [one.picture.name for one in found.pictures] == ["good.png"]
    assert found.problems.keys() == BAD.keys()
    for name, (_data, said) in BAD.items():
        assert said in str(found.problems[name]), name


def turned(orientation: int) -> bytes:
    """A photo with a white left half, kept as a camera held on its side keeps it."""
    upright = Image.new("RGB", (120, 80), "black")
    upright.paste("white", (0, 0, 60, 80))
    undo = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    how = undo[orientation]
    kept = upright if how is None else upright.transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(kept, "JPEG", exif=exif)


def test_every_kind_of_picture_becomes_rgb(tmp_path: Path) -> None:
    one = photo(7)
    clear = one.convert("RGBA")
    clear.putalpha(0)
    frames = [Image.new("P", (40, 40), 1), Image.new("P", (40, 40), 2)]
    files = {
        "grey.png": encoded(one.convert("L")),
        "deep.png": encoded(Image.fromarray(np.full((50, 50), 40_000, np.uint16))),
        "palette.png": encoded(one.convert("P")),
        "bits.png": encoded(one.convert("1")),
        "clear.png": encoded(clear),
        "print.jpg": encoded(one.convert("CMYK"), "JPEG"),
        "moving.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "web.webp": encoded(one, "WEBP"),
        "paint.bmp": encoded(one, "BMP"),
        "dot.png": encoded(Image.new("RGB", (1, 1), "red")),
        "line.png": encoded(Image.new("RGB", (3000, 1), "red")),
    }
    found = read_all(tmp_path, files)
    assert found.problems == {}
    pixels = found.rows([one.place for one in found.pictures], "pixels")
    assert (pixels.shape, pixels.dtype) == ((len(files), *SIZE, 3), np.uint8)
    by_name = dict(zip(files, pixels, strict=True))
    assert np.abs(by_name["deep.png"].astype(int) - 155).max() <= 1
    assert (by_name["dot.png"] == (255, 0, 0)).all()
    assert by_name["clear.png"].mean() == pytest.approx(by_name["paint.bmp"].mean(), abs=1), "as TensorFlow reads it"
    assert found.rows([4], "thumbnails").min() == 255, "as people see it"


def test_a_photo_lies_as_its_camera_says_for_every_reader(tmp_path: Path) -> None:
    found = read_all(tmp_path, {f"{orientation}.jpg": turned(orientation) for orientation in (1, 3, 6, 8)})
    for one in found.pictures:
        pixels = found.rows([one.place], "pixels")[0]
        assert pixels[:, :12].min() > 240 and pixels[:, 18:].max() < 15
        with Image.open(one.path) as given:
            assert given.getexif().get(0x0112, 1) == 1
            assert (given.size, given.format) == ((120, 80), "JPEG")


def test_rows_come_in_any_order_from_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BATCH", 2)
    colours = ("red", "lime", "blue", "white", "black")
    found = read_all(tmp_path, {f"{name}.png": encoded(Image.new("RGB", (9, 9), name)) for name in colours})
    assert len(found.batches) == 3
    assert found.rows([4, 0, 2, 0], "pixels")[:, 0, 0].tolist() == [[0, 0, 0], [255, 0, 0], [0, 0, 255], [255, 0, 0]]


# A decoder that a picture breaks, in the manner of the picture's name.
BREAKING = """
import os, signal, sys, time
from pathlib import Path
from grader.pictures import decoder

def answer(request):
    decoder.SECONDS_EACH = 1
    real = decoder._decoded
    def breaking(path, *rest):
        content = path.read_bytes()
        if content.endswith(b"crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if content.endswith(b"hang"):
            while True:
                time.sleep(1)
        if content.endswith(b"hungry"):
            bytearray(1 << 36)
        return real(path, *rest)
    decoder._decoded = breaking
    return decoder.answer(request)
"""


@pytest.fixture
def breaking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "breaking_decoder.py").write_text(BREAKING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"), prepend=":")
    monkeypatch.setattr(decoding, "DECODER", "breaking_decoder")


@pytest.mark.usefixtures("breaking")
def test_a_picture_that_breaks_its_process_costs_no_other(tmp_path: Path) -> None:
    files = {f"{number}.png": encoded(photo(number)) for number in range(4)}
    bad = {"crash.png": GOOD + b"crash", "hang.png": GOOD + b"hang", "hungry.png": GOOD + b"hungry"}
    found = read_all(tmp_path, {"first.png": GOOD} | bad | files)
    assert {one.picture.name for one in found.pictures} == {"first.png", *files}
    assert "broke the program that reads it" in str(found.problems["crash.png"])
    assert "broke the program that reads it" in str(found.problems["hang.png"])
    assert "MemoryError" in str(found.problems["hungry.png"])


@pytest.mark.usefixtures("breaking")
def test_many_such_pictures_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BROKEN_AT_MOST", 2)
    found = read_all(tmp_path, {f"{number}.png": GOOD + b"crash" for number in range(5)})
    assert found.pictures == ()
    assert [str(why).count("it was not looked at: 2 others broke") for why in found.problems.values()].count(1) == 3


def test_a_process_that_cannot_start_is_no_pictures_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BOUNDS", ProcessLimits(memory_mb=20))
    with pytest.raises(IsolationError):
        read_all(tmp_path, {"good.png": GOOD})


def test_random_bytes_with_a_pictures_beginning(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    files = {}
    for number, picture in enumerate([GOOD, jpeg(photo(1)), encoded(photo(1), "GIF"), encoded(photo(1), "WEBP")] * 15):
        content = bytearray(picture)
        for place in random.integers(8, len(content), 20):
            content[place] = random.integers(256)
        files[f"{number}.png"] = bytes(content)
    found = read_all(tmp_path, files)
    assert len(found.pictures) + len(found.problems) == len(files)
