"""List what left NumPy, pandas, scikit-learn and SciPy since 2017, from their source, without running it.

    python benchmarks/old_library_names.py --downloads FOLDER

pip downloads one release of each minor version from PyPI, about 1.5 GB; FOLDER keeps their Python files. The result
is ``grader/sandbox/guest/compat/library_names.json``: modules, names, arguments and methods that the installed
versions lack, by the last minor version that has them.

A module is public if no part of its name begins with an underscore. Its names are those of ``__all__``; without one,
those that it defines, and for a package also what it imports from its own modules. Arguments and methods are listed
for what a package itself offers, such as ``sklearn.cluster.KMeans``.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import importlib
import importlib.util
import inspect
import json
import re
import shutil
import subprocess
import sys
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parents[1] / "grader" / "sandbox" / "guest" / "compat" / "library_names.json"
PLATFORMS = [
    f"--platform={name}_x86_64" for name in ("manylinux1", "manylinux2010", "manylinux_2_17", "manylinux_2_28")
]
PACKAGES = {"numpy": "numpy", "pandas": "pandas", "scikit-learn": "sklearn", "scipy": "scipy"}
# The last release of each minor version, by the Python that its wheels are for.
RELEASES = {
    "numpy": {
        "3.6": "1.13.3 1.14.6 1.15.4 1.16.6 1.17.5 1.18.5 1.19.5",
        "3.9": "1.20.3 1.21.6 1.22.4 1.23.5 1.24.4 1.25.2 1.26.4 2.0.2",
        "3.11": "2.1.3 2.2.6",
    },
    "pandas": {
        "3.6": "0.19.2 0.20.3 0.21.1 0.22.0 0.23.4 0.24.2 0.25.3",
        "3.8": "1.0.5 1.1.5",
        "3.9": "1.2.5 1.3.5 1.4.4 1.5.3 2.0.3 2.1.4 2.2.3",
    },
    "scikit-learn": {
        "3.6": "0.18.2 0.19.2 0.20.4 0.21.3 0.22.2.post1 0.23.2 0.24.2",
        "3.9": "1.0.2 1.1.3 1.2.2 1.3.2 1.4.2 1.5.2 1.6.1",
        "3.11": "1.7.2 1.8.0",
    },
    "scipy": {
        "3.6": "1.0.1 1.1.0 1.2.3 1.3.3 1.4.1 1.5.4",
        "3.9": "1.6.3 1.7.3 1.8.1 1.9.3 1.10.1 1.11.4 1.12.0 1.13.1",
        "3.11": "1.14.1 1.15.3 1.16.3",
    },
}
# Parts of paths that are no interface for notebooks.
INTERNAL = {"tests", "conftest", "setup", "setupscons", "distutils", "f2py", "src", "benchmarks", "build_utils", "libs"}
INTERNAL |= {
    "array_api_compat",
    "array_api_extra",
    "doc",
    "py3k",
    "generate_numpy_api",
    "cython",
    "array_api",
    "typing",
    "version",
    "setup_common",
    "pyinstaller",
}
# Their names are internal, but notebooks import the modules.
WITHOUT_NAMES = ("pandas.core", "pandas.compat", "pandas.formats", "pandas.indexes", "pandas.types", "pandas.util")
WITHOUT_NAMES += (
    "pandas.arrays",
    "scipy.sparse.linalg.eigen",
    "scipy.sparse.linalg.isolve",
    "scipy.sparse.linalg.dsolve",
)
WITHOUT_NAMES += ("numpy.core", "numpy.compat", "sklearn.externals", "pandas.computation", "pandas.rpy", "numpy.lib")
NUMPY_IN_SCIPY = ("from numpy import *", "_num.__all__", "use numpy.{0} instead")  # how SciPy took NumPy's names
STUBS = {"Panel", "SparseSeries", "SparseDataFrame"}  # classes of pandas that were empty in their last releases
OTHER_NAMES = {
    "absolute_import",
    "division",
    "print_function",
    "unicode_literals",
    "annotations",
    "sys",
    "os",
    "warnings",
}
OTHER_NAMES |= {"HalvingGridSearchCV", "HalvingRandomSearchCV"}  # still there, once they are enabled
CLASSES = {  # of pandas, beside those that the package itself offers
    "pandas.core.groupby.DataFrameGroupBy": ("core.groupby.generic", "core.groupby.groupby", "core.groupby"),
    "pandas.core.groupby.SeriesGroupBy": ("core.groupby.generic", "core.groupby.groupby", "core.groupby"),
    "pandas.core.window.Rolling": ("core.window.rolling", "core.window"),
    "pandas.io.formats.style.Styler": ("io.formats.style", "formats.style"),
}
# Constructors that notebooks do not call, and a function that takes any argument.
NOT_CALLED = {*CLASSES, "pandas.plotting.register_matplotlib_converters", "scipy.stats.rv_discrete"}
# What is not visible in Python source: it is defined in C or Cython, or made while the library is imported.
BY_HAND = {
    "methods": {
        "pandas.DataFrame": {"0.25": "ix"},
        "pandas.Series": {"0.25": "ix"},
        "numpy.ndarray": {"1.26": "itemset newbyteorder ptp", "2.2": "tostring"},
        "pandas.DatetimeIndex": {"1.5": "week weekofyear", "0.25": "weekday_name"},
        "pandas.core.indexes.accessors.DatetimeProperties": {"1.5": "week weekofyear", "0.25": "weekday_name"},
    },
    "names": {
        "scipy.special": {"1.16": "sph_harm"},
        "pandas": {"1.5": "Float64Index Int64Index UInt64Index"},
    },
    "arguments": {"pandas.date_range": {"1.5": "closed"}},
}


def download(project: str, version: str, python: str, folder: Path) -> Path:
    """Return the folder with the Python files of a release."""
    target = folder / f"{project}-{version}"
    if not target.is_dir():
        archives = folder / f"{project}-{version}.archive"
        abi = f"cp{python.replace('.', '')}{'m' if python == '3.6' else ''}"
        options = [
            "--only-binary=:all:",
            f"--python-version={python}",
            "--implementation=cp",
            f"--abi={abi}",
            *PLATFORMS,
        ]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *options, "-d", str(archives)]
        subprocess.run([*command, f"{project}=={version}"], check=True)
        with zipfile.ZipFile(next(archives.iterdir())) as packed:
            packed.extractall(target, [name for name in packed.namelist() if name.endswith((".py", ".pyi"))])
        shutil.rmtree(archives)
    return target


# ------------------------------------------------------------------ source


@dataclass
class Definition:
    """A name at the top level of a module: a definition there, or an import from ``source`` as ``original``."""

    node: ast.AST | None = None
    source: str = ""
    original: str = ""


class Source:
    """The modules of a release by their names with dots."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        if name not in self._modules:
            paths = [folder / name.replace(".", "/") for folder in self.folders]
            files = [
                file for path in paths for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()
            ]
            self._modules[name] = Module(self, name, files[0]) if files else None
        return self._modules[name]

    def public_modules(self, package: str) -> Iterator[Module]:
        root = self.folders[0]
        for file in sorted((root / package).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            is_public = not any(part.startswith(("_", "test_")) for part in parts) and INTERNAL.isdisjoint(parts)
            module = self.module(".".join(parts)) if is_public else None
            if module is not None:
                yield module


@dataclass
class Module:
    source: Source
    name: str
    file: Path
    reading: bool = False  # modules import one another with a star

    @property
    def is_package(self) -> bool:
        return self.file.name == "__init__.py"

    @cached_property
    def _body(self) -> list[ast.stmt]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(_statements(ast.parse(self.file.read_bytes()).body))

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        if self.reading:
            return {}
        self.reading = True
        found: dict[str, Definition] = {}
        texts: dict[str, ast.AST] = {}
        for node in self._body:
            if isinstance(node, ast.ClassDef) and node.name in STUBS and isinstance(node.body[0], ast.Pass):
                continue
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                found[node.name] = Definition(node)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    names = target.elts if isinstance(target, ast.Tuple) else [target]
                    for name in names:
                        if isinstance(name, ast.Name):
                            found[name.id] = self._aliased(node.value, found)
                            texts[name.id] = node.value
            elif isinstance(node, ast.ImportFrom):
                found |= self._imported(node)
            elif isinstance(node, ast.Import):
                names_of = [alias for alias in node.names if alias.asname or "." not in alias.name]
                found |= {alias.asname or alias.name: Definition(None, alias.name) for alias in names_of}
            elif isinstance(node, ast.For) and isinstance(node.iter, ast.Name) and "locals()[" in ast.unparse(node):
                found |= {name: Definition() for name in _texts(texts.get(node.iter.id))}
        return found | self._of_stub()

    def _of_stub(self) -> dict[str, Definition]:
        """Return the names that NumPy's type stubs list for its top level."""
        stub = self.file.with_suffix(".pyi")
        if self.name != "numpy" or not stub.is_file():
            return {}
        found: dict[str, Definition] = {}
        for node in _statements(ast.parse(stub.read_text("utf-8")).body):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = Definition()
            elif isinstance(node, ast.ImportFrom):
                found |= {alias.asname: Definition() for alias in node.names if alias.asname == alias.name}
        return found

    def _aliased(self, value: ast.AST, found: dict[str, Definition]) -> Definition:
        return found[value.id] if isinstance(value, ast.Name) and value.id in found else Definition()

    def _imported(self, node: ast.ImportFrom) -> dict[str, Definition]:
        source = node.module or ""
        if source == "__future__":
            return {}
        if node.level:
            parts = self.name.split(".")
            keep = len(parts) - node.level + self.is_package
            source = ".".join([*parts[:keep], *([source] if source else [])])
        module = self.source.module(source)
        found: dict[str, Definition] = {}
        for alias in node.names:
            if alias.name != "*":
                found[alias.asname or alias.name] = Definition(None, source, alias.name)
            elif module is not None and module is not self:
                found |= {name: Definition(None, source, name) for name in module.offered}
        return found

    @property
    def offered(self) -> list[str]:
        """Return the names that ``from module import *`` gives."""
        names = self.listed
        return [name for name in self.definitions if not name.startswith("_")] if names is None else names

    @cached_property
    def listed(self) -> list[str] | None:
        """Return ``__all__``; None if there is none, or one that is computed."""
        names: list[str] | None = None
        for node in self._body:
            text = ast.unparse(node) if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) else ""
            if text.startswith("__all__ =") and "dir()" in text:
                return None
            if text.startswith("__all__"):
                names = [*(names or []), *_texts(node)]
            if text.startswith(("__all__ +=", "__all__.extend", "extend_all(")) and not _texts(node):
                names = [*(names or []), *self._starred]
        return names or None

    @cached_property
    def _starred(self) -> list[str]:
        """Return the names that come from the library's other modules with a star."""
        nodes = [node for node in self._body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
        return [name for node in nodes for name in self._imported(node)]

    def public_names(self) -> Iterator[str]:
        """Yield the public names; those without ``__all__`` that are imported count for packages only."""
        is_top = self.name in PACKAGES.values()
        for name in dict.fromkeys([*(self.definitions if is_top else self.offered), *self._computed()]):
            definition = self.definitions.get(name, Definition())
            is_own = not definition.source or (self.is_package and definition.source.startswith(self.name))
            is_listed = name in (self.listed or ())
            if is_listed or ((is_own or is_top) and not self.leads_to_import(name)) or self._is_known_alias(name):
                yield name

    def _computed(self) -> Iterator[str]:
        """Yield the names that a function ``__getattr__`` of pandas gives, and those of NumPy in SciPy."""
        for node in self._body if self.name == "pandas" else ():
            if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
                for test in (part for part in ast.walk(node) if isinstance(part, ast.Compare)):
                    yield from (name for name in _texts(test) if name not in STUBS)
        numpy = self.source.module("numpy") if self.name == "scipy" else None
        if numpy is not None and any(text in self.text for text in NUMPY_IN_SCIPY):
            yield from numpy.offered

    @cached_property
    def text(self) -> str:
        return self.file.read_text("utf-8", errors="replace")

    def _is_known_alias(self, name: str) -> bool:
        return (self.name, name) in {("pandas", "np"), ("pandas", "datetime")} or (
            self.name == "scipy" and name in self._computed()
        )

    def leads_to_import(self, name: str, depth: int = 0) -> bool:
        """Check whether a name is a module that the library imports for itself."""
        definition = self.definitions.get(name)
        if definition is None or depth > 9 or not definition.source:
            return False
        inner = f"{definition.source}.{definition.original}"
        is_foreign = definition.source.partition(".")[0] != self.name.partition(".")[0]
        if not definition.original or is_foreign or self.source.module(inner):
            return True
        module = self.source.module(definition.source)
        return module is None or module.leads_to_import(definition.original, depth + 1)

    def origin(self, name: str, depth: int = 0) -> tuple[Module, ast.AST] | None:
        """Return the definition that a name leads to, with its module."""
        definition = self.definitions.get(name)
        if definition is None or depth > 9:
            return None
        if definition.node is not None:
            return self, definition.node
        module = self.source.module(definition.source) if definition.original else None
        return module.origin(definition.original, depth + 1) if module else None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements at the top level, also those of ``if`` and ``try``."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _statements([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _statements(node.body)
        else:
            yield node


def _texts(node: ast.AST | None) -> list[str]:
    values = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)] if node is not None else []
    return [value for value in values if isinstance(value, str) and value.isidentifier()]


# ------------------------------------------------------------------ one release


@dataclass
class Listing:
    """Sets of full names: modules, names, ``owner(argument`` and ``class.method``."""

    modules: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    arguments: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    deprecated: set[str] = field(default_factory=set)  # modules that pass on the names of a private one

    def add_class(self, path: str, module: Module, node: ast.ClassDef) -> None:
        members = _members(module, node)
        for name, function in members.items():
            if name == "__init__":
                self._add_arguments(path, function)
            elif not name.startswith("_"):
                self.methods.add(f"{path}.{name}")
                if path.startswith("pandas."):
                    self._add_arguments(f"{path}.{name}", function)

    def add_function(self, path: str, node: ast.AST) -> None:
        self._add_arguments(path, node)

    def _add_arguments(self, path: str, node: ast.AST | None) -> None:
        if isinstance(node, ast.FunctionDef):
            self.arguments |= {f"{path}({name}" for name in _argument_names(node)}


def _argument_names(function: ast.FunctionDef) -> list[str]:
    inner = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef) and node.name == "parser_f"]
    arguments = (inner or [function])[0].args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    for decorator in function.decorator_list:  # a renamed argument was still accepted
        text = ast.unparse(decorator)
        if isinstance(decorator, ast.Call) and ("deprecate_kwarg" in text or "_rename_parameter" in text):
            words = {word.arg: word.value for word in decorator.keywords}
            names += _texts(words.get("old_arg_name", decorator.args[0] if decorator.args else None))[:1]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def _members(module: Module, node: ast.ClassDef, depth: int = 0) -> dict[str, ast.AST]:
    """Return the attributes that the class itself and its bases define."""
    found: dict[str, ast.AST] = {}
    for base in reversed(node.bases) if depth < 9 else ():
        plain = base.value if isinstance(base, ast.Subscript) else base
        origin = module.origin(plain.id) if isinstance(plain, ast.Name) else None
        if origin is not None and isinstance(origin[1], ast.ClassDef) and origin[1] is not node:
            found |= _members(*origin, depth + 1)
    for part in node.body:
        if isinstance(part, ast.FunctionDef):
            found[part.name] = part
        elif isinstance(part, (ast.Assign, ast.AnnAssign)):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            found |= {target.id: part for target in targets if isinstance(target, ast.Name)}
    for part in ast.walk(node):  # pandas adds methods to classes
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and ast.unparse(part.value) == "cls":
            found[part.attr] = part
    return found


def list_release(source: Source, package: str) -> Listing:
    listing = Listing()
    for module in source.public_modules(package):
        if module.name.startswith("sklearn.externals.joblib."):
            continue
        listing.modules.add(module.name)
        if "deprecated_path" in module.text:
            listing.deprecated.add(module.name)
            continue
        if module.name.startswith(WITHOUT_NAMES) or (package == "scipy" and not module.is_package):
            continue
        for name in module.public_names():
            if (
                name in OTHER_NAMES
                or name.startswith("_")
                or name.endswith(("_gen", "_frozen"))
                or source.module(f"{module.name}.{name}")
            ):
                continue
            listing.names.add(f"{module.name}.{name}")
            origin = module.origin(name) if module.is_package else None
            if origin is not None and isinstance(origin[1], ast.ClassDef):
                listing.add_class(f"{module.name}.{name}", *origin)
            elif origin is not None and isinstance(origin[1], ast.FunctionDef):
                listing.add_function(f"{module.name}.{name}", origin[1])
            elif f"{module.name}.{name}" in ("pandas.read_csv", "pandas.read_table"):
                _add_reader(listing, source, f"{module.name}.{name}")
    if package == "pandas":
        _add_classes_of_pandas(listing, source)
    return listing


def _add_reader(listing: Listing, source: Source, path: str) -> None:
    """Add the arguments of a function that another function of pandas makes."""
    module = source.module("pandas.io.parsers")
    maker = module.origin("_make_parser_function") if module else None
    if maker is not None:
        listing.add_function(path, maker[1])


def _add_classes_of_pandas(listing: Listing, source: Source) -> None:
    for path, homes in CLASSES.items():
        name = path.rpartition(".")[2]
        modules = [source.module(f"pandas.{home}") for home in homes]
        origins = [module.origin(name) for module in modules if module]
        origin = next((each for each in origins if each and isinstance(each[1], ast.ClassDef)), None)
        if origin is not None and isinstance(origin[1], ast.ClassDef):
            listing.add_class(path, origin[0], origin[1])
        if "GroupBy" in name:
            for module in (*modules, source.module("pandas.core.groupby.base")):
                other = "series" if "DataFrame" in name else "dataframe"
                listing.methods |= {f"{path}.{name}" for name in _allowed_names(module, other)}


def _allowed_names(module: Module | None, other: str) -> Iterator[str]:
    """Yield the methods of the table that a group passes on; ``other`` is the word for another kind of group."""
    for node in module._body if module else ():
        target = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
        if isinstance(node, ast.Assign) and target.endswith(("whitelist", "allowlist")) and other not in target:
            yield from _texts(node.value)


# ------------------------------------------------------------------ what today lacks


def find(path: str) -> Any:
    """Return the object or module at ``path`` today; raise AttributeError or ImportError if there is none."""
    parts = path.split(".")
    value: Any = importlib.import_module(parts[0])
    for end, part in enumerate(parts[1:], 2):
        if isinstance(value, types.ModuleType) and not hasattr(value, part):
            importlib.import_module(".".join(parts[:end]))
        value = getattr(value, part)
    return value


def exists(path: str) -> bool:
    try:
        find(path)
    except (AttributeError, ImportError):
        return False
    except Exception:  # noqa: BLE001 - a module that does not run here
        return True
    return True


def is_module(path: str) -> bool:
    """Check whether the module can be imported; a function of the same name does not count."""
    with contextlib.suppress(ModuleNotFoundError, AttributeError):
        return importlib.util.find_spec(path) is not None
    return False


def is_set_by_instances(path: str, name: str) -> bool:
    """Check whether today's class or a base of it assigns the attribute to its instances."""
    owner = find(path)
    assigns = re.compile(rf"self\.{name}\b\s*(=[^=]|,|:)")
    modules = {sys.modules.get(base.__module__) for base in getattr(owner, "__mro__", ())}
    files = [str(getattr(module, "__file__", None)) for module in modules]
    return any(assigns.search(Path(file).read_text("utf-8")) for file in files if file.endswith(".py"))


def lacks_argument(path: str, name: str) -> bool:
    """Check whether the function or class at ``path`` exists and does not take ``name``."""
    try:
        parameters = inspect.signature(find(path)).parameters
    except (AttributeError, ImportError, TypeError, ValueError):
        return False
    return name not in parameters and not any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def _lacks_method(owner: str, name: str) -> bool:
    return exists(owner) and not exists(f"{owner}.{name}") and not is_set_by_instances(owner, name)


def last_releases(listings: list[tuple[str, Listing]], kind: str) -> dict[str, str]:
    """Return the last minor version of each path.

    scikit-learn kept modules for two releases that only pass on the names they had.
    """
    found: dict[str, str] = {}
    for version, listing in listings:
        paths: set[str] = getattr(listing, kind)
        found |= dict.fromkeys(paths, version)
        if kind == "names":
            kept = {module for module in listing.deprecated if module in listing.modules}
            found |= {path: version for path in found if path.rpartition(".")[0] in kept}
    return found


def lacking(listings: list[tuple[str, Listing]]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """Return owner, last release and names of what is missing today, by kind."""
    result: dict[str, dict[str, dict[str, list[str]]]] = {}
    checks: dict[str, tuple[str, Callable[[str, str], bool]]] = {
        "modules": (".", lambda owner, name: not is_module(f"{owner}.{name}")),
        "names": (".", lambda owner, name: exists_as_old(owner) and not exists(f"{owner}.{name}")),
        "methods": (".", _lacks_method),
        "arguments": ("(", lacks_argument),
    }
    old_modules = set(last_releases(listings, "modules"))

    def exists_as_old(owner: str) -> bool:
        return owner in old_modules

    for kind, (separator, is_missing) in checks.items():
        for path, version in sorted(last_releases(listings, kind).items()):
            owner, _, name = path.rpartition(separator)
            is_called = kind != "arguments" or owner not in NOT_CALLED
            if owner and is_called and is_missing(owner, name):
                result.setdefault(kind, {}).setdefault(owner, {}).setdefault(version, []).append(name)
    return result


def list_project(folder: Path, project: str) -> dict[str, dict[str, dict[str, str]]]:
    """Return kind, owner, last release and names of what today's version of a library lacks."""
    warnings.simplefilter("ignore")
    listings = []
    for python, version in ((python, each) for python, found in RELEASES[project].items() for each in found.split()):
        folders = [download(project, version, python, folder)]
        if project == "scipy":  # its top level had the names of NumPy
            folders.append(download("numpy", "1.16.6", "3.6", folder))
        listings.append((".".join(version.split(".")[:2]), list_release(Source(*folders), PACKAGES[project])))
    return {
        kind: {owner: {last: " ".join(names) for last, names in spans.items()} for owner, spans in owners.items()}
        for kind, owners in lacking(listings).items()
    }


def _joined(spans: dict[str, str], added: dict[str, str]) -> dict[str, str]:
    """Return the names with their last releases; ``added`` is right where both have a name."""
    last = {name: version for found in (spans, added) for version, names in found.items() for name in names.split()}
    return {version: " ".join(name for name in last if last[name] == version) for version in sorted({*last.values()})}


def main() -> None:
    parser = argparse.ArgumentParser(description="List what left NumPy, pandas, scikit-learn and SciPy.")
    parser.add_argument("--downloads", type=Path, required=True, help="folder outside of the repository")
    folder = parser.parse_args().downloads
    result: dict[str, Any] = {}
    with ProcessPoolExecutor(2) as pool:
        for found in pool.map(functools.partial(list_project, folder), RELEASES):
            for kind, owners in found.items():
                result.setdefault(kind, {}).update(owners)
    for kind, added in BY_HAND.items():
        for owner, spans in added.items():
            result[kind][owner] = _joined(result[kind].get(owner, {}), spans)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
