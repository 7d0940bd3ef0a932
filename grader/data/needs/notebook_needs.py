"""The libraries, data, weights, addresses and files that a notebook asks for, read from its code without running it.

Names are followed through imports and simple assignments. What is only put together while the notebook runs, such as
``base + "heart.csv"``, is not seen: the survey is a help for the teacher, and no grade depends on it.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import pairwise
from pathlib import PurePosixPath

from grader.data.cache.known_sets import TOP, catalogue

MAX_CELL_CHARACTERS, MAX_CHARACTERS = 20_000, 200_000  # parsing may take a time that grows with the square of a cell
MAX_WANTS = 200  # of a notebook, of each kind
MAX_NAME = 200  # characters of an address or a name

KERAS_SETS = {  # module below keras.datasets -> name in the catalogue
    "mnist": "mnist",
    "fashion_mnist": "fashion-mnist",
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "imdb": "imdb",
    "reuters": "reuters",
    "boston_housing": "boston-housing",
    "california_housing": "california-housing",
}
SERVICES = {  # libraries that fetch data from servers of their own
    "tensorflow_datasets": ("load", "builder"),
    "tensorflow_hub": ("load", "KerasLayer"),
    "sklearn.datasets": ("fetch_",),
    "torchvision.datasets": ("",),
    "datasets": ("load_dataset",),
    "kagglehub": ("dataset_download", "model_download"),
    "nltk": ("download",),
}
READERS = frozenset(
    {
        *("read_csv", "read_excel", "read_table", "read_json", "read_pickle", "read_parquet", "read_fwf"),
        *("loadtxt", "genfromtxt", "loadmat", "imread", "load_img"),
        *("load_model", "load_weights", "load", "open", "File", "ZipFile"),
    }
)
FOLDER_READERS = frozenset(
    {
        *("listdir", "scandir", "flow_from_directory", "ImageFolder"),
        *("image_dataset_from_directory", "text_dataset_from_directory", "audio_dataset_from_directory"),
    }
)
# Beginnings of the names of functions that write the files or folders that they name.
WRITERS = (
    *("to_", "save", "write", "imwrite", "dump", "export", "copy", "move", "rename", "makedirs", "mkdir", "plot_model"),
    *("ModelCheckpoint", "CSVLogger", "urlretrieve", "get_file", "download", "extract", "unpack"),
)
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
# Possessive quantifiers (*+, ++) keep the time linear in the length of a hostile line.
_COMMAND = re.compile(r"^\s*+(?:[\w, ]++=\s*+)?[!%]\s*+(\S.*)$")
_SHELL = re.compile(r"^\s*+%%(?:bash|sh|shell|script)\b")
_PIP_SOURCES = (
    *("-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links"),
    *("-e", "--editable", "-t", "--target"),
)
_WRITING_MODE = re.compile(r"r?[wax][bt+]*|r[bt]*\+[bt]*")
_WRITEFILE = re.compile(r"\s*+%%(?:writefile|file)\s++(?:-a\s++)?(\S++)")
_WRITING_COMMANDS = ("wget", "curl", "gdown", "aria2c", "cp", "mv", "ln", "mkdir", "touch", "tee")
_DESTINATIONS = (">", ">>", "-d", "-C")  # the next word of a command is a place where it writes
_DOWNLOADERS = ("wget", "curl", "gdown", "git", "aria2c", "kaggle")
_FILE = re.compile(
    r"[^\n*?{}<>|]{1,200}\.(?:csv|tsv|xlsx?|npz|npy|h5|hdf5|keras|zip|tar|gz|tgz|jpe?g|png|bmp|gif|txt|json|mat"
    r"|data|dat|pkl|pickle|parquet|arff|wav|mp3|mp4)",
    re.IGNORECASE,
)
_FOLDER = re.compile(r"[^\n*?{}<>|]{1,200}")


@dataclass(slots=True)
class Needs:
    """Everything that one notebook asks for. ``files`` are paths of files and folders, without those it writes."""

    modules: set[str] = field(default_factory=set)  # top-level names of imports, without those of Python
    installs: set[str] = field(default_factory=set)  # requirements of its own pip commands
    sets: set[str] = field(default_factory=set)  # names in the catalogue
    services: set[str] = field(default_factory=set)  # such as "tensorflow_datasets.load('cats_vs_dogs')"
    addresses: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    read_cells: int = 0  # cells that Python could parse


@dataclass(slots=True)
class Cell:
    """The code of a cell: ``python`` without IPython's own syntax, which is a hole there, and the original source."""

    python: str
    source: str


def read_needs(cells: Iterable[Cell]) -> Needs:
    """Return what the cells ask for. Cells that Python cannot parse, or longer than anybody writes, add nothing."""
    needs, trees, left = Needs(), list[ast.Module](), MAX_CHARACTERS
    reader = _Reader(needs)
    for cell in cells:
        left -= len(cell.source)
        if len(cell.source) > MAX_CELL_CHARACTERS or left < 0:
            continue
        for line in _commands(cell.source):
            _read_command(line, needs, reader.written)
        if (made := _WRITEFILE.match(cell.source)) is not None:
            reader.written.add(made[1])
        tree = _parsed(cell.python)
        if tree is not None:
            trees.append(tree)
            needs.read_cells += bool(tree.body)
    for tree in trees:
        reader.read_names(tree)
    for tree in trees:
        reader.read_wants(tree)
    return _bounded(needs, reader.written)


def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a student's "\d"
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bounded(needs: Needs, written: set[str]) -> Needs:
    needs.modules -= sys.stdlib_module_names
    names = {PurePosixPath(path).name for path in written}
    names |= {f"{name}{ending}" for name in names for ending in (".npy", ".npz")}  # which NumPy adds
    needs.files = {path for path in needs.files if PurePosixPath(path).name not in names}
    for kind in fields(needs):
        found = getattr(needs, kind.name)
        if isinstance(found, set):
            setattr(needs, kind.name, set(sorted(name for name in found if len(name) <= MAX_NAME)[:MAX_WANTS]))
    return needs


# ---------------------------------------------------------------- commands


def _commands(source: str) -> Iterator[str]:
    if _SHELL.match(source):
        yield from source.splitlines()[1:]
        return
    for line in source.splitlines():
        if (found := _COMMAND.match(line)) is not None and not line.lstrip().startswith("%%"):
            yield found[1]


def _read_command(line: str, needs: Needs, written: set[str]) -> None:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quotation mark without its partner
        words = line.split()
    if not words:
        return
    written |= {after.rstrip("/") for word, after in pairwise(words) if word in _DESTINATIONS}
    if PurePosixPath(words[0]).name in _WRITING_COMMANDS:
        written |= {word.rstrip("/") for word in words[1:] if not _ADDRESS.fullmatch(word)}
    if "pip" in words[:3] and "install" in words:
        needs.installs |= set(_requirements(words[words.index("install") + 1 :]))
    elif PurePosixPath(words[0]).name == "kaggle" and "download" in words:
        needs.services.add(" ".join(words))
    elif PurePosixPath(words[0]).name in _DOWNLOADERS:
        needs.addresses |= {word for word in words[1:] if _ADDRESS.fullmatch(word)}


def _requirements(words: Sequence[str]) -> Iterator[str]:
    """Yield what a pip command asks for; an option that names a source stays with its value, as one entry."""
    left = iter(words)
    for word in left:
        if word in _PIP_SOURCES:
            yield f"{word} {next(left, '')}"
        elif word in ("&&", ";", "|", "||"):
            return
        elif not word.startswith("-") or word.startswith(("--index-url=", "--extra-index-url=", "--find-links=")):
            yield word


# ---------------------------------------------------------------- code


class _Reader:
    """Reads syntax trees. The names of all cells are known before anything is looked up, whatever their order."""

    def __init__(self, needs: Needs) -> None:
        self.needs = needs
        self.paths: dict[str, str] = {}  # name in the notebook -> dotted path
        self.texts: dict[str, str] = {}  # name -> the text that was assigned to it
        self.written: set[str] = set()

    def read_names(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    self.needs.modules.add(top)
                    self.paths[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self.needs.modules.add(node.module.partition(".")[0])
                for alias in node.names:
                    self.paths[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                    self.texts[name] = node.value.value
                elif isinstance(node.value, ast.Attribute) and (path := self._path(node.value)):
                    self.paths.setdefault(name, path)

    def read_wants(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._read_call(node)

    def _path(self, node: ast.expr) -> str:
        """Return the dotted path of a name or an attribute; "" for the attribute of anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return parts[0] if parts else ""  # a method of some result
        return ".".join([self.paths.get(node.id, node.id), *reversed(parts)])

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self.texts.get(node.id)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    def _read_call(self, call: ast.Call) -> None:
        path = self._path(call.func)
        function = path.rpartition(".")[2]
        given = [*call.args, *(word.value for word in call.keywords)]
        texts = [text.strip() for text in map(self._text, given) if text]
        addresses = {text for text in texts if _ADDRESS.fullmatch(text)}
        if function not in ("Image", "HTML", "IFrame", "YouTubeVideo"):  # these only display it
            self.needs.addresses |= addresses
        self._read_set(call, path, function)
        self._read_service(path, texts)
        opens_to_write = function in ("open", "File", "ZipFile") and any(map(_WRITING_MODE.fullmatch, texts[1:]))
        if function.startswith(WRITERS) or opens_to_write:
            self.written |= {text.rstrip("/\\") for text in texts}
        elif function in READERS:
            self.needs.files |= {text for text in texts if text not in addresses and _FILE.fullmatch(text)}
        elif function in FOLDER_READERS:
            named = (word.value for word in call.keywords if word.arg in ("directory", "path", "root"))
            folder = next((text for text in map(self._text, (*call.args[:1], *named)) if text), "").strip()
            self.needs.files |= {folder.rstrip("/\\")} if _FOLDER.fullmatch(folder) else set()

    def _read_set(self, call: ast.Call, path: str, function: str) -> None:
        if "keras" in path and function in ("load_data", "get_word_index"):
            module = path.split(".")[-2]
            if module in KERAS_SETS:
                self.needs.sets.add(KERAS_SETS[module])
        elif path.endswith("mnist.input_data.read_data_sets"):  # TensorFlow 1's tutorial
            self.needs.sets.add(KERAS_SETS["mnist"])
        elif function == "decode_predictions":
            self.needs.sets.add("imagenet-classes")
        elif function.lower() in _networks() and function[:1].isupper() and _asks_for_imagenet(call):
            self.needs.sets.add(_weights_name(function, call))

    def _read_service(self, path: str, texts: Sequence[str]) -> None:
        module, _, function = path.rpartition(".")
        starts = SERVICES.get(module, ())
        if starts and function.startswith(starts):
            self.needs.services.add(f"{path}({', '.join(map(repr, texts[:1]))})"[:MAX_NAME])


@cache
def _networks() -> frozenset[str]:
    """Return the names of the networks in the catalogue, which are those of Keras' functions in small letters."""
    return frozenset(name.removesuffix(TOP) for name, known in catalogue().items() if known.is_network)


def _argument(call: ast.Call, name: str, place: int) -> ast.expr | None:
    named = next((word.value for word in call.keywords if word.arg == name), None)
    return named or (call.args[place] if len(call.args) > place else None)


def _asks_for_imagenet(call: ast.Call) -> bool:
    """Return whether ``weights`` is left out, is "imagenet", or is only known when the notebook runs."""
    weights = _argument(call, "weights", 1)
    return not isinstance(weights, ast.Constant) or weights.value == "imagenet"


def _weights_name(function: str, call: ast.Call) -> str:
    top = _argument(call, "include_top", 0)
    with_top = not (isinstance(top, ast.Constant) and not top.value)
    name = function.lower()
    return f"{name}{TOP}" if with_top and f"{name}{TOP}" in catalogue() else name
