from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grader.data.group_photos import decoding
from grader.data.group_photos.decoding import DecodedPhotos, decode_photos
from grader.data.group_photos.photo_files import PhotoFile
from grader.files.isolated import ProcessLimits
from grader.models.errors import SandboxError
from tests.data.group_photos.drawn_photos import encoded, jpeg, laid_out, photo

SIZE = (20, 30)
GOOD = encoded(photo(1))


def decode_all(folder: Path, files: Mapping[str, bytes]) -> DecodedPhotos:
    attachments = laid_out(folder / "handed-in", files)
    return decode_photos(
        [PhotoFile(attachment, "a", attachment.name) for attachment in attachments], SIZE, folder / "work"
    )


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims this size and contains almost nothing: a decompression bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


UNREADABLE = {
    "empty.jpg": (b"", "it is an empty file, not an image"),
    "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", "it is a web page (HTML), not an image"),
    "words.png": (b"not an image at all\n" * 20, "it is plain text, not an image"),
    "report.png": (b"%PDF-1.7\n", "it is a PDF document, not an image"),
    "cut.jpg": (jpeg(photo(2))[:900], "it is damaged or cut off (OSError"),
    "cut.png": (GOOD[: len(GOOD) // 2], "it is damaged or cut off"),
    "head.jpg": (b"\xff\xd8\xff\xe0", "it is damaged or cut off"),
    "bomb.png": (png_header(10_000, 10_000), "it has 100 megapixels (10000 × 10000); expected at most 40"),
    "huge.png": (png_header(2**31 - 1, 2**31 - 1), "megapixels"),
    "little.png": (png_header(3000, 3000), "it is damaged or cut off"),
    "IMG_1.HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", "it is a HEIC photo of an iPhone"),
    "IMG_2.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0", "Export it as JPEG"),
    "scan.tiff": (encoded(photo(3), "TIFF"), "Keras cannot read .tiff files"),
    "scan.png": (encoded(photo(3), "TIFF"), "it is a file of unknown kind, not an image"),
    "vector.jpg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
}


def test_unreadable_files_are_reported_by_name_and_do_not_affect_others(tmp_path: Path) -> None:
    found = decode_all(tmp_path, {name: data for name, (data, _expected) in UNREADABLE.items()} | {"good.png": GOOD})
    assert [photo.file.name for photo in found.photos] == ["good.png"]
    assert found.problems.keys() == UNREADABLE.keys()
    for name, (_data, expected) in UNREADABLE.items():
        assert expected in str(found.problems[name]), name


def test_decompression_bombs_share_a_budget_of_pixels_and_honest_photos_do_not_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "PIXELS", 20_000_000)
    bomb = encoded(Image.new("L", (2000, 2000)))
    assert 4_000_000 / len(bomb) > 500
    bombs = {f"bomb{number}.png": bomb for number in range(12)}
    photos = {f"photo{number}.jpg": jpeg(photo(number)) for number in range(4)}
    drawings = {f"drawing{number}.png": encoded(photo(number)) for number in range(4)}
    found = decode_all(tmp_path, photos | drawings | bombs)
    skipped = {name for name, problem in found.problems.items() if "used up the pixels" in str(problem)}
    assert found.problems.keys() == skipped and len(skipped) >= 7
    assert {*photos, *drawings} <= {photo.file.name for photo in found.photos}


def rotated(orientation: int) -> bytes:
    """Return a photo with a white left half, stored as a rotated camera stores it."""
    upright = Image.new("RGB", (120, 80), "black")
    upright.paste("white", (0, 0, 60, 80))
    undo = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    transposition = undo[orientation]
    stored = upright if transposition is None else upright.transpose(transposition)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored, "JPEG", exif=exif)


def test_every_kind_of_image_becomes_rgb(tmp_path: Path) -> None:
    image = photo(7)
    clear = image.convert("RGBA")
    clear.putalpha(0)
    frames = [Image.new("P", (40, 40), 1), Image.new("P", (40, 40), 2)]
    files = {
        "grey.png": encoded(image.convert("L")),
        "deep.png": encoded(Image.fromarray(np.full((50, 50), 40_000, np.uint16))),
        "palette.png": encoded(image.convert("P")),
        "bits.png": encoded(image.convert("1")),
        "clear.png": encoded(clear),
        "print.jpg": encoded(image.convert("CMYK"), "JPEG"),
        "moving.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "web.webp": encoded(image, "WEBP"),
        "paint.bmp": encoded(image, "BMP"),
        "dot.png": encoded(Image.new("RGB", (1, 1), "red")),
        "line.png": encoded(Image.new("RGB", (3000, 1), "red")),
    }
    found = decode_all(tmp_path, files)
    assert found.problems == {}
    pixels = found.rows([photo.row for photo in found.photos], "pixels")
    assert (pixels.shape, pixels.dtype) == ((len(files), *SIZE, 3), np.uint8)
    by_name = dict(zip(files, pixels, strict=True))
    assert np.abs(by_name["deep.png"].astype(int) - 155).max() <= 1
    assert (by_name["dot.png"] == (255, 0, 0)).all()
    assert by_name["clear.png"].mean() == pytest.approx(by_name["paint.bmp"].mean(), abs=1), "as TensorFlow reads it"
    assert found.rows([4], "thumbnails").min() == 255, "as people see it"


def test_photos_are_stored_upright_as_their_cameras_say(tmp_path: Path) -> None:
    found = decode_all(tmp_path, {f"{orientation}.jpg": rotated(orientation) for orientation in (1, 3, 6, 8)})
    for decoded in found.photos:
        pixels = found.rows([decoded.row], "pixels")[0]
        assert pixels[:, :12].min() > 240 and pixels[:, 18:].max() < 15
        with Image.open(decoded.path) as given:
            assert given.getexif().get(0x0112, 1) == 1
            assert (given.size, given.format) == ((120, 80), "JPEG")


def test_rows_are_read_in_any_order_from_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BATCH", 2)
    colours = ("red", "lime", "blue", "white", "black")
    found = decode_all(tmp_path, {f"{name}.png": encoded(Image.new("RGB", (9, 9), name)) for name in colours})
    assert len(found.batches) == 3
    assert found.rows([4, 0, 2, 0], "pixels")[:, 0, 0].tolist() == [[0, 0, 0], [255, 0, 0], [0, 0, 255], [255, 0, 0]]


@pytest.fixture
def crashing_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "DECODER", "tests.support.crashing_decoder")


@pytest.mark.usefixtures("crashing_decoder")
def test_a_photo_that_crashes_the_decoder_does_not_affect_others(tmp_path: Path) -> None:
    files = {f"{number}.png": encoded(photo(number)) for number in range(4)}
    bad = {"crash.png": GOOD + b"crash", "hang.png": GOOD + b"hang", "hungry.png": GOOD + b"hungry"}
    found = decode_all(tmp_path, {"first.png": GOOD} | bad | files)
    assert {photo.file.name for photo in found.photos} == {"first.png", *files}
    assert "crashed the program that reads it" in str(found.problems["crash.png"])
    assert "crashed the program that reads it" in str(found.problems["hang.png"])
    assert "MemoryError" in str(found.problems["hungry.png"])


@pytest.mark.usefixtures("crashing_decoder")
def test_after_many_crashes_the_other_photos_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MOST_CRASHES", 2)
    found = decode_all(tmp_path, {f"{number}.png": GOOD + b"crash" for number in range(5)})
    assert found.photos == ()
    assert [
        str(problem).count("it was skipped, because 2 other files crashed") for problem in found.problems.values()
    ].count(1) == 3


def test_when_the_time_is_over_the_other_photos_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BATCH", 1)
    monkeypatch.setattr(decoding, "LIMITS", ProcessLimits(seconds=0))
    found = decode_all(tmp_path, {"0.png": GOOD, "1.png": GOOD})
    assert found.photos == ()
    assert [str(problem) for problem in found.problems.values()] == [
        "it was skipped: reading the pictures before it took 0 s"
    ] * 2


def test_a_decoder_that_cannot_start_is_a_fault_of_the_grader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LIMITS", ProcessLimits(memory_mb=20))
    with pytest.raises(SandboxError):
        decode_all(tmp_path, {"good.png": GOOD})


def test_images_with_random_damage_are_decoded_or_reported(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    files = {}
    for number, image in enumerate([GOOD, jpeg(photo(1)), encoded(photo(1), "GIF"), encoded(photo(1), "WEBP")] * 15):
        content = bytearray(image)
        for place in random.integers(8, len(content), 20):
            content[place] = random.integers(256)
        files[f"{number}.png"] = bytes(content)
    found = decode_all(tmp_path, files)
    assert len(found.photos) + len(found.problems) == len(files)
