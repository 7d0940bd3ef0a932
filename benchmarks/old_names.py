"""List the public names of old releases of Keras from their source, without running it.

    python benchmarks/old_names.py --downloads FOLDER

pip downloads the releases from PyPI into FOLDER, about 250 MB with two of TensorFlow. The result is written to
``grader/sandbox/guest/compat/keras_names.json``: modules, names, arguments of functions and constructors, and methods,
grouped by the first and the last of the examined releases that has them. Paths are relative to ``keras``.

Only what is public is listed. From 2.4 on, that is the generated interface (``tf.keras``, ``api``) and each definition
with ``@keras_export`` at the module that defines it. Before, it is what the documented modules define without an
underscore, and what a documented package imports from its own modules. Helper functions beside layers, and modules such
as ``K`` or ``np``, are no part of it.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parents[1] / "grader" / "sandbox" / "guest" / "compat" / "keras_names.json"
SOURCE, WHEEL = "--no-binary=:all:", "--only-binary=:all:"
PYTHON_37 = ("--python-version=3.7", "--platform=manylinux2010_x86_64", "--implementation=cp", "--abi=cp37m")


@dataclass(frozen=True)
class Release:
    """A release on PyPI; ``root`` is the folder of its ``keras`` in the archive."""

    requirement: str
    keras: str  # the version of Keras in it
    root: str = "keras"
    options: Sequence[str] = (WHEEL,)
    all_modules: bool = True  # else the documented interface alone


RELEASES = (
    *(Release(f"keras=={version}", version, options=(SOURCE,)) for version in ("1.0.8", "1.2.2", "2.0.0", "2.0.9")),
    *(Release(f"keras=={version}", version, options=(SOURCE,)) for version in ("2.1.6", "2.2.5")),
    Release("tensorflow==1.15.5", "2.2.4", "tensorflow_core/python/keras/api/_v1/keras", (WHEEL, *PYTHON_37), False),
    Release("keras==2.3.1", "2.3.1", options=(SOURCE,)),
    Release("tensorflow-cpu==2.3.4", "2.4.0", "tensorflow/keras", (WHEEL, *PYTHON_37), False),
    *(Release(f"keras=={version}", version) for version in ("2.6.0", "2.7.0", "2.8.0", "2.9.0", "2.10.0", "2.11.0")),
    *(Release(f"keras=={version}", version) for version in ("2.12.0", "2.13.1", "2.14.0", "2.15.0")),
)
API = ("api/_v2/keras", "api/_v1/keras")  # where releases from 2.6 on list their documented interface
# Parts of paths that are no interface, in any release.
INTERNAL = {"tests", "integration_test", "testing_infra", "protobuf", "benchmarks", "distribute", "tools", "api", "src"}
INTERNAL |= {"__internal__", "type", "dtensor", "estimator", "legacy_tf_layers"}
# Modules of Keras before 2.4 that notebooks import from; those of ``layers``, ``applications`` and ``datasets`` too.
DOCUMENTED = {
    *("", "activations", "applications", "backend", "callbacks", "constraints", "datasets", "engine", "layers"),
    *("initializations", "initializers", "losses", "metrics", "models", "objectives", "optimizers", "preprocessing"),
    *("preprocessing.image", "preprocessing.sequence", "preprocessing.text", "regularizers", "utils"),
    *("backend.tensorflow_backend", "engine.topology", "engine.training", "legacy.layers", "wrappers.scikit_learn"),
    *(f"utils.{name}_utils" for name in ("np", "generic", "vis", "data", "io", "layer", "multi_gpu")),
    *("callbacks.callbacks", "utils.visualize_util"),
}
HELPERS = {"preprocessing.text.base_filter", "preprocessing.text.maketrans"}
UNDOCUMENTED = {"applications.audio_conv_utils", "datasets.cifar", "datasets.data_utils"}
# Modules of which only what ``keras.utils`` itself has is public.
UTILITIES = {f"utils.{name}_utils" for name in ("generic", "vis", "data", "io", "layer", "multi_gpu")}
OF_CLASSES = ("layers", "engine", "legacy", "applications")
# Functions of modules beside classes and models; others there are helpers.
FUNCTIONS = {"preprocess_input", "decode_predictions", "relu6", "Input", "merge", "serialize", "deserialize"}


def download(release: Release, folder: Path) -> Path:
    """Return the folder with the unpacked Python files of a release."""
    name = release.requirement.replace("==", "-")
    target = folder / name
    if not target.is_dir():
        archives = folder / f"{name}.archive"
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *release.options, "-d", str(archives)]
        subprocess.run([*command, release.requirement], check=True)
        _unpack(next(archives.iterdir()), target)
    return target


def _unpack(archive: Path, target: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target, [name for name in packed.namelist() if name.endswith(".py")])
        return
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            member.name = member.name.partition("/")[2]
            if member.isfile() and member.name.endswith(".py"):
                packed.extract(member, target, filter="data")


# ------------------------------------------------------------------ modules


class Package:
    """The modules of a package, by their names with dots; ``root`` is the folder of the package."""

    def __init__(self, folder: Path, root: str) -> None:
        self.folder, self.name = folder, root.replace("/", ".")
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        if name not in self._modules:
            path = self.folder / name.replace(".", "/")
            files = [file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()]
            self._modules[name] = Module(self, name, files[0]) if files else None
        return self._modules[name]


@dataclass
class Definition:
    """A name at the top level of a module: a definition there, or an import from ``source`` as ``original``."""

    node: ast.AST | None = None
    source: str = ""
    original: str = ""


@dataclass
class Module:
    package: Package
    name: str
    file: Path

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Return the public names; modules of other packages that are imported are no part of them."""
        found: dict[str, Definition] = {}
        for node in _statements(ast.parse(self.file.read_text("utf-8", errors="replace")).body):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                found[node.name] = Definition(node)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found[target.id] = self._aliased(node.value, found)
            elif isinstance(node, ast.ImportFrom):
                found |= self._imported(node)
        return {name: value for name, value in found.items() if not name.startswith("_")}

    def _aliased(self, value: ast.AST, found: dict[str, Definition]) -> Definition:
        return found[value.id] if isinstance(value, ast.Name) and value.id in found else Definition()

    def _imported(self, node: ast.ImportFrom) -> dict[str, Definition]:
        source = node.module or ""
        if node.level:
            parts = self.name.split(".")
            keep = len(parts) - node.level + (self.file.name == "__init__.py")
            source = ".".join([*parts[:keep], *([source] if source else [])])
        if source.partition(".")[0] not in ("keras", "tensorflow_core", "tensorflow"):
            return {}
        if source.startswith("tensorflow") and not self.name.startswith("tensorflow"):
            return {}
        if source.endswith(("theano_backend", "cntk_backend")):
            return {}  # the package ``backend`` has the names of one of its three backends
        module = self.package.module(source)
        found = {}
        for alias in node.names:
            if alias.name != "*":
                found[alias.asname or alias.name] = Definition(None, source, alias.name)
            elif module is not None and module is not self:
                found |= {name: Definition(None, source, name) for name in module.definitions}
        return found

    def origin(self, name: str, depth: int = 0) -> ast.AST | None:
        """Return the definition that a name leads to, through imports."""
        definition = self.definitions.get(name)
        if definition is None or definition.node is not None or not definition.source or depth > 9:
            return definition.node if definition else None
        module = self.package.module(definition.source)
        return module.origin(definition.original, depth + 1) if module else None

    def package_definitions(self, relative: str) -> dict[str, Definition]:
        module = self.package.module(f"{self.package.name}.{relative}")
        return module.definitions if module else {}

    def leads_to_module(self, name: str) -> bool:
        definition = self.definitions[name]
        return self.package.module(f"{definition.source}.{definition.original}") is not None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements at the top level, also those of ``if`` and ``try``."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _statements([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _statements(node.body)
        else:
            yield node


# ------------------------------------------------------------------ listings


@dataclass
class Listing:
    """Sets of paths relative to ``keras``: modules, names, ``name(argument)`` and ``class.method``."""

    modules: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    arguments: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)

    def add(self, relative: str, name: str, node: ast.AST | None) -> None:
        path = f"{relative}.{name}" if relative else name
        parts = relative.split(".")
        self.modules |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)} - {""}
        self.names.add(path)
        if isinstance(node, ast.ClassDef):
            self._add_class(path, node)
        elif isinstance(node, ast.FunctionDef) and relative in WITH_ARGUMENTS:
            self.arguments |= {f"{path}({argument})" for argument in _argument_names(node)}

    def _add_class(self, path: str, node: ast.ClassDef) -> None:
        if path.rpartition(".")[0] not in WITH_ARGUMENTS:
            return
        for part in node.body:
            if not isinstance(part, ast.FunctionDef):
                continue
            if part.name == "__init__":
                self.arguments |= {f"{path}({argument})" for argument in _argument_names(part)}
            elif path in WITH_METHODS and not part.name.startswith("_"):
                self.methods.add(f"{path}.{part.name}")
                self.arguments |= {f"{path}.{part.name}({argument})" for argument in _argument_names(part)}


def _argument_names(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


WITH_ARGUMENTS = {
    *(
        "callbacks",
        "constraints",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "models",
        "optimizers",
        "regularizers",
    ),
    *("preprocessing.image", "preprocessing.sequence", "preprocessing.text", "utils"),
}
WITH_METHODS = {"layers.Layer", "models.Model", "models.Sequential", "optimizers.Optimizer", "metrics.Metric"}
WITH_METHODS |= {"callbacks.Callback"}


def list_release(release: Release, folder: Path) -> Listing:
    listing = Listing()
    package = Package(folder, release.root)
    stubs = [f"{release.root}/{api}" for api in API if (folder / release.root / api).is_dir()]
    if not release.all_modules:
        stubs = [release.root]
    for root in stubs:
        for module, relative in _modules(package, root):
            for name in module.definitions:
                node = module.origin(name)
                if node is not None or not module.leads_to_module(name):
                    listing.add(relative, name, node)
    for module, relative in _modules(package, release.root) if release.all_modules else ():
        for name, node in _exported(module) if stubs else _documented(module, relative):
            listing.add(relative, name, node)
    return listing


def _modules(package: Package, root: str) -> Iterator[tuple[Module, str]]:
    """Yield the modules below ``root`` that are no internals, and their names relative to ``root``."""
    for file in sorted((package.folder / root).rglob("*.py")):
        parts = file.relative_to(package.folder / root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if INTERNAL.isdisjoint(parts) and not any(part.startswith("_") or "test" in part for part in parts):
            module = package.module(".".join([*root.split("/"), *parts]))
            if module is not None:
                yield module, ".".join(parts)


def _exported(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield the definitions with ``@keras_export``."""
    for name, definition in module.definitions.items():
        for decorator in getattr(definition.node, "decorator_list", ()):
            constants = [node.value for node in ast.walk(decorator) if isinstance(node, ast.Constant)]
            exported = [name for name in constants if str(name).startswith("keras.") and "__internal__" not in name]
            if exported and definition.node is not None and "keras_export" in ast.dump(decorator):
                yield name, definition.node


def _documented(module: Module, relative: str) -> Iterator[tuple[str, ast.AST | None]]:
    """Yield what a module of Keras before 2.4 offers to notebooks."""
    first = relative.partition(".")[0]
    if relative in UNDOCUMENTED or not (relative in DOCUMENTED or first in ("layers", "applications", "datasets")):
        return
    is_package = module.file.name == "__init__.py"
    for name, definition in module.definitions.items():
        node = module.origin(name)
        if definition.source and (node is None or not is_package):
            continue  # a module, a constant, or an import for the module's own use
        if f"{relative}.{name}" in HELPERS or (first == "applications" and "_" in name and name.isupper()):
            continue
        if node is None and first == "backend":
            continue  # Python's own functions under another name, such as py_all
        if relative in UTILITIES and name not in module.package_definitions("utils"):
            continue
        is_helper = isinstance(node, ast.FunctionDef) and first in OF_CLASSES and name not in FUNCTIONS
        if not is_helper or relative == "layers.merge" or definition.source.endswith("layers.merge"):
            yield name, node


def merge(listings: Sequence[tuple[str, Listing]]) -> dict[str, Any]:
    """Return the modules by their releases, and the names, arguments and methods of each owner by their releases."""
    result: dict[str, Any] = {"modules": {}}
    for path, span in _spans(listings, "modules").items():
        result["modules"].setdefault(span, []).append(path)
    for kind, separator in (("names", "."), ("arguments", "("), ("methods", ".")):
        owners: dict[str, dict[str, list[str]]] = {}
        for path, span in _spans(listings, kind).items():
            owner, _, name = path.rstrip(")").rpartition(separator)
            owners.setdefault(owner, {}).setdefault(span, []).append(name)
        result[kind] = {
            owner: {span: " ".join(found) for span, found in spans.items()} for owner, spans in owners.items()
        }
    result["modules"] = {span: " ".join(found) for span, found in result["modules"].items()}
    return result


def _spans(listings: Sequence[tuple[str, Listing]], kind: str) -> dict[str, str]:
    """Return the first and the last release of each path."""
    found: dict[str, list[str]] = {}
    for version, listing in listings:
        for path in getattr(listing, kind):
            found.setdefault(path, []).append(version)
    return {path: f"{versions[0]}-{versions[-1]}" for path, versions in sorted(found.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description="List the public names of old releases of Keras.")
    parser.add_argument(
        "--downloads", type=Path, required=True, help="folder for the downloads, outside of the repository"
    )
    options = parser.parse_args()
    listings = [(release.keras, list_release(release, download(release, options.downloads))) for release in RELEASES]
    merged = merge(listings)
    RESULT.write_text(json.dumps(merged, indent=1) + "\n", "utf-8")
    for kind in ("modules", "names", "arguments", "methods"):
        print(f"{len(_spans(listings, kind)):6} {kind}")


if __name__ == "__main__":
    main()
