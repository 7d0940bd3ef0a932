"""What may be wrong in ``[data]``, ``[public]`` and ``[pictures]``, beyond what types say, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.data.public_sets.definitions import SETS
from grader.data.tables import ARRAYS
from grader.models.assignment import Assignment, Data, Pictures, PublicSet

FOLDER = re.compile(r"[^\W_][\w-]{0,63}")
FEWEST_PER_CLASS = 3  # different pictures: with fewer none can be held out


def section_problems(assignment: Assignment) -> Iterator[str]:
    """Whatever the hidden rows come from; there is one such section at most."""
    if assignment.data is not None:
        yield from data_problems(assignment.data)
    if assignment.public is not None:
        yield from public_problems(assignment.public)
    if assignment.pictures is not None:
        yield from pictures_problems(assignment.pictures)
    if assignment.data is not None and assignment.public is not None:
        yield "public: found beside [data]; expected one of the two: a public set brings its own data"
    if assignment.pictures is not None and (assignment.data is not None or assignment.public is not None):
        yield "pictures: found beside [data] or [public]; expected one of them: a group's pictures are its data"


def data_problems(data: Data) -> Iterator[str]:
    yield from _file_problems(data)
    if data.table not in data.files:
        yield f"data.table: found {data.table.name!r}, expected one of data.files"
    elif data.table.is_dir():
        yield f"data.table: found the folder {data.table.name!r}, expected a file"
    if not data.inputs:
        yield "data.inputs: empty; expected the names of the input columns"
    for name in sorted({name for name in data.inputs if data.inputs.count(name) > 1}):
        yield f"data.inputs: found {name!r} more than once"
    if data.table.suffix == ARRAYS and len(data.inputs) > 1:
        yield f"data.inputs: found {len(data.inputs)} names, expected the one array of {data.table.name} that is asked"
    if data.target in data.inputs:
        yield f"data.target: found {data.target!r}, which is also an input: the answer would be handed out"
    if data.hidden.file in data.files:
        yield "data.hidden.file: found among data.files: the hidden rows would be handed out"
    yield from _hidden_problems(data)


def _file_problems(data: Data) -> Iterator[str]:
    """Files, and folders with all that is in them."""
    kept = {"data.hidden.file": data.hidden.file, "data.hidden.generator": data.hidden.generator}
    for index, path in enumerate(data.files):
        if not path.exists():
            yield f"data.files[{index}]: {path} is not there"
        if path.is_dir():
            for place, secret in kept.items():
                if secret is not None and secret.resolve().is_relative_to(path.resolve()):
                    yield f"{place}: found in the folder {path.name!r} of data.files: it would be handed out"
    names = [path.name for path in data.files]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"data.files: found {name!r} more than once; all lie side by side, so each needs a name of its own"


def public_problems(public: PublicSet) -> Iterator[str]:
    if public.set not in SETS:
        yield f"public.set: found {public.set!r}, expected one of {', '.join(SETS)}"
    elif SETS[public.set].is_photos and public.size is None:
        yield "public.size: missing; photos need the height and width of what models are asked, as in size = [150, 150]"
    elif not SETS[public.set].is_photos and public.size is not None:
        yield f"public.size: found {list(public.size)}, but the pictures of {public.set} have the size they have"
    if public.size is not None and not all(16 <= side <= 512 for side in public.size):
        yield f"public.size: found {list(public.size)}, expected height and width from 16 to 512"
    if not 50 <= public.rows <= 10_000:
        yield f"public.rows: found {public.rows}, expected 50 to 10000"


def pictures_problems(pictures: Pictures) -> Iterator[str]:
    if not all(16 <= side <= 512 for side in pictures.size):
        yield f"pictures.size: found {list(pictures.size)}, expected height and width from 16 to 512"
    if not 2 <= pictures.min_classes <= 1000:
        yield f"pictures.min_classes: found {pictures.min_classes}, expected 2 to 1000"
    if not FEWEST_PER_CLASS <= pictures.min_per_class <= 10_000:
        yield f"pictures.min_per_class: found {pictures.min_per_class}, expected {FEWEST_PER_CLASS} to 10000"
    if not FOLDER.fullmatch(pictures.folder):
        yield f"pictures.folder: found {pictures.folder!r}, expected a folder's plain name"
    if not 0.05 <= pictures.hold_out <= 0.5:  # also false for NaN
        yield f"pictures.hold_out: found {pictures.hold_out}, expected a share from 0.05 to 0.5"


def _hidden_problems(data: Data) -> Iterator[str]:
    if (data.hidden.generator is None) == (data.hidden.file is None):
        yield "data.hidden: expected exactly one of generator and file"
    elif data.hidden.file is not None and data.hidden.file.suffix != data.table.suffix:
        yield f"data.hidden.file: found {data.hidden.file.name!r}, expected a {data.table.suffix} file as data.table is"
    for name in ("generator", "file"):
        path = getattr(data.hidden, name)
        if path is not None and not path.is_file():
            yield f"data.hidden.{name}: {path} is not there"
    if not 50 <= data.hidden.rows <= 1_000_000:
        yield f"data.hidden.rows: found {data.hidden.rows}, expected 50 to 1000000"
