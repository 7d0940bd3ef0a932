"""Sets of photos: every picture looked at once, and laid out as ``photos/SET/SPLIT/CLASS/``, bytes as they came."""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.data.cache.converters.packages import Material
from grader.data.cache.location import PHOTOS
from grader.files.archives.entry_names import is_junk
from grader.i18n.message import message
from grader.models.errors import DatasetError

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp")
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
MOST_PIXELS = 100_000_000
SPLITS = {
    name: split
    for split, names in {
        "train": ("train", "training"),
        "validation": ("validation", "valid", "val"),
        "test": ("test", "testing"),
    }.items()
    for name in names
}
# The course's cats and dogs: of each kind the first thousand to train, and so on.
PET_RANGES = {"train": range(1000), "validation": range(1000, 1500), "test": range(1500, 2000)}
PETS = {"cat": "cats", "dog": "dogs"}


@dataclass(frozen=True, slots=True)
class Picture:
    """``place`` is ``SPLIT/CLASS/NAME``."""

    place: PurePosixPath
    content: bytes


def photo_folders(material: Material) -> None:
    """Folders of classes, in folders of splits or (all to train) in none; what a file is shows when it is opened."""
    classes = {place.partition("/")[2].lower(): place.partition("/")[2] for place in material.entry.facts.pictures}
    pictures = []
    for name, path in sorted(material.files.items()):
        parts = PurePosixPath(name).parts
        if len(parts) < 2 or parts[-2].lower() not in classes or is_junk(name):
            continue
        split = SPLITS.get(parts[-3].lower(), "train") if len(parts) > 2 else "train"
        pictures.append((PurePosixPath(split, classes[parts[-2].lower()], parts[-1]), path))
    _lay_out((Picture(place, path.read_bytes()) for place, path in pictures), material)


def pet_images(material: Material) -> None:
    """Microsoft's 25,000: ``PetImages/Cat/0.jpg`` ... ``PetImages/Dog/12499.jpg``."""

    def chosen() -> Iterable[Picture]:
        for name, path in sorted(material.files.items()):
            parts = re.search(r"(?:^|/)(cat|dog)s?/(\d+)\.jpe?g$", name, re.IGNORECASE)
            for split, numbers in PET_RANGES.items() if parts else ():
                if parts and int(parts[2]) in numbers:
                    kind = parts[1].lower()
                    yield Picture(PurePosixPath(split, PETS[kind], f"{kind}.{parts[2]}.jpg"), path.read_bytes())

    _lay_out(chosen(), material)


def grocery_table(material: Material) -> None:
    """A table with a picture in each row, its class and the set's own split."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise DatasetError(
            message("this package can only be read with pyarrow; do: pip install 'grader[data]'")
        ) from error
    (file,) = material.named("images2.parquet")
    rows = parquet.read_table(file).to_pylist()

    def chosen() -> Iterable[Picture]:
        for number, row in enumerate(rows):
            name = f"{row['finegrained_cat']}_{number:04d}.jpg"
            yield Picture(PurePosixPath(SPLITS[row["dataset"]], row["coarse_cat"], name), row["image_data"])

    _lay_out(chosen(), material)


def _lay_out(pictures: Iterable[Picture], material: Material) -> None:
    folder = f"{PHOTOS}/{material.entry.name}"
    broken: list[str] = []
    written: Counter[PurePosixPath] = Counter()
    for picture in pictures:
        suffix = _suffix(picture.content)
        place = picture.place if picture.place.suffix.lower() in SUFFIXES else picture.place.with_suffix(suffix or "")
        path = material.target(f"{folder}/{place}")
        if suffix is None or path.exists():
            broken.append(str(picture.place))
        else:
            path.write_bytes(picture.content)
            written[picture.place.parent] += 1
    if broken:
        shown = ", ".join(broken[:5])
        left_out = message(
            "{n} files were left out, broken pictures or twice there: {names}", n=len(broken), names=shown
        )
        material.notes.append(left_out)
    if not written:
        expected = ", ".join(material.entry.facts.pictures)
        raise DatasetError(message("no pictures were found; expected folders {names}", names=expected))


def _suffix(content: bytes) -> str | None:
    """What a file of this format is called; None where the picture cannot be decoded to its end."""
    from PIL import Image

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            warnings.simplefilter("ignore")  # cameras write EXIF of every kind
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.load()
            return {"JPEG": ".jpg"}.get(str(picture.format), f".{str(picture.format).lower()}")
    except Exception:  # noqa: BLE001  a damaged picture raises whatever its decoder runs into
        return None
