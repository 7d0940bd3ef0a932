"""Converters for sets of photos: every photo is decoded as a check; its bytes go to ``photos/SET/SPLIT/CLASS/``."""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.data.cache.cached_sets import PHOTOS
from grader.data.cache.converters.packages import Material
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
# The course's cats and dogs: the first thousand of each kind for training, and so on.
PET_RANGES = {"train": range(1000), "validation": range(1000, 1500), "test": range(1500, 2000)}
PETS = {"cat": "cats", "dog": "dogs"}


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo file and its place in the set."""

    place: PurePosixPath  # SPLIT/CLASS/NAME
    content: bytes


def photo_folders(material: Material) -> None:
    """Convert class folders, in split folders or without (then all are for training). File suffixes are not trusted."""
    classes = {place.partition("/")[2].lower(): place.partition("/")[2] for place in material.known.facts.photos}
    photos = []
    for name, path in sorted(material.files.items()):
        parts = PurePosixPath(name).parts
        if len(parts) < 2 or parts[-2].lower() not in classes or is_junk(name):
            continue
        split = SPLITS.get(parts[-3].lower(), "train") if len(parts) > 2 else "train"
        photos.append((PurePosixPath(split, classes[parts[-2].lower()], parts[-1]), path))
    _lay_out((Photo(place, path.read_bytes()) for place, path in photos), material)


def pet_images(material: Material) -> None:
    """Convert Microsoft's 25,000 photos: ``PetImages/Cat/0.jpg`` ... ``PetImages/Dog/12499.jpg``."""

    def chosen() -> Iterable[Photo]:
        for name, path in sorted(material.files.items()):
            parts = re.search(r"(?:^|/)(cat|dog)s?/(\d+)\.jpe?g$", name, re.IGNORECASE)
            for split, numbers in PET_RANGES.items() if parts else ():
                if parts and int(parts[2]) in numbers:
                    kind = parts[1].lower()
                    yield Photo(PurePosixPath(split, PETS[kind], f"{kind}.{parts[2]}.jpg"), path.read_bytes())

    _lay_out(chosen(), material)


def grocery_table(material: Material) -> None:
    """Convert a table with an image, its class and its split in each row."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise DatasetError(
            message("this package can be read only with pyarrow; run: pip install 'grader[data]'")
        ) from error
    (file,) = material.named("images2.parquet")
    rows = parquet.read_table(file).to_pylist()

    def chosen() -> Iterable[Photo]:
        for number, row in enumerate(rows):
            name = f"{row['finegrained_cat']}_{number:04d}.jpg"
            yield Photo(PurePosixPath(SPLITS[row["dataset"]], row["coarse_cat"], name), row["image_data"])

    _lay_out(chosen(), material)


def _lay_out(photos: Iterable[Photo], material: Material) -> None:
    folder = f"{PHOTOS}/{material.known.name}"
    broken: list[str] = []
    written: Counter[PurePosixPath] = Counter()
    for photo in photos:
        suffix = _suffix(photo.content)
        place = photo.place if photo.place.suffix.lower() in SUFFIXES else photo.place.with_suffix(suffix or "")
        path = material.target(f"{folder}/{place}")
        if suffix is None or path.exists():
            broken.append(str(photo.place))
        else:
            path.write_bytes(photo.content)
            written[photo.place.parent] += 1
    if broken:
        shown = ", ".join(broken[:5])
        left_out = message(
            "{n} files were left out, because they are broken or duplicates: {names}", n=len(broken), names=shown
        )
        material.notes.append(left_out)
    if not written:
        expected = ", ".join(material.known.facts.photos)
        raise DatasetError(message("no photos were found; expected folders {names}", names=expected))


def _suffix(content: bytes) -> str | None:
    """Return the file suffix for the image's format, or None if the image cannot be decoded completely."""
    from PIL import Image

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            warnings.simplefilter("ignore")  # cameras write invalid EXIF data
            if image.width * image.height > MOST_PIXELS:
                return None
            image.load()
            return {"JPEG": ".jpg"}.get(str(image.format), f".{str(image.format).lower()}")
    except Exception:  # noqa: BLE001  a decoder can raise any error for a damaged image
        return None
