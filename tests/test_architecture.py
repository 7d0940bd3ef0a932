"""The house's rules, read off its source: who may import whom, who may speak, how long anything may be."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "grader"
GUEST = PACKAGE / "sandbox" / "guest"

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
GUESTS = {name: path for name, path in MODULES.items() if path.is_relative_to(GUEST)}
DEPTH_OF_GUEST = "grader.sandbox.guest".count(".")
ALONE = ("grader.sandbox.supervisor", "grader.sandbox.keep_stdin_open")  # programs of their own, started by path

# Keras' own files of CIFAR-10 and IMDB are pickles; no student's file gets there.
PICKLES = "grader.data.cache.keras_pickles"

# The entries of ``grader/``: the pipeline's stages and what every stage stands on.
ENTRIES = {
    "cli", "pipeline", "models", "spec", "lms", "notebook", "data",
    "sandbox", "execution", "scoring", "grading", "report", "i18n", "files",
}  # fmt: skip
MOST_FLOORS = 10

HEAVY = (
    "tensorflow",
    "keras",
    "sklearn",
    "matplotlib",
    "pandas",
    "requests",
    "h5py",
    "PIL",
    "onnx",
    "fontTools",
    "pyarrow",
)
# What the guest may need before the notebook's first cell (ipykernel itself needs psutil), and what it only looks at
# when the notebook has imported it.
GUEST_NEEDS = {"numpy", "nbformat", "nbclient", "jupyter_client", "ipykernel", "psutil"}
GUEST_LOOKS_AT = {"IPython", "PIL", "keras", "matplotlib", "pandas", "sklearn"}

EVERY_MODULE = pytest.mark.parametrize("name", MODULES)


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Dotted names as written: ``from a import b`` gives ``a`` and ``a.b``; relative ones begin with their dots."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            dots, module = "." * node.level, node.module
            names |= {f"{dots}{module}"} if module else set()
            names |= {f"{dots}{module}.{alias.name}" if module else f"{dots}{alias.name}" for alias in node.names}
    return names


def foreign(names: set[str]) -> set[str]:
    """Top-level packages that are neither the standard library's nor ours."""
    tops = {name.split(".")[0] for name in names if not name.startswith(".")}
    return tops - set(sys.stdlib_module_names) - {"grader"}


@cache
def uses(name: str) -> frozenset[str]:
    """The modules of the package that ``name`` imports, wherever in its code."""
    found = imported(ast.walk(tree(name)))
    absolute = {
        re.sub(r"^\.+", lambda dots: ".".join(name.split(".")[: -len(dots[0])]) + ".", one).rstrip(".") for one in found
    }
    return frozenset((absolute & MODULES.keys()) - {name, "grader"})


def reaches(name: str) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for other in uses(waiting.pop()) - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def arrows(package: str) -> dict[str, set[str]]:
    """Return which children of ``package`` each of its children imports from."""
    found: dict[str, set[str]] = {}
    for name in MODULES:
        if name.startswith(f"{package}."):
            child = _child(package, name)
            inside = {_child(package, other) for other in uses(name) if other.startswith(f"{package}.")}
            found.setdefault(child, set()).update(inside - {child})
    return found


def _child(package: str, name: str) -> str:
    return name.removeprefix(f"{package}.").split(".")[0]


def floor(entry: str, below: dict[str, set[str]]) -> int:
    return 1 + max((floor(other, below) for other in below[entry]), default=0)


PACKAGE_NAMES = {path.parent.name for path in PACKAGE.rglob("__init__.py")}
PACKAGES = sorted({name.rpartition(".")[0] for name in MODULES if "." in name})


# ---------------------------------------------------------------- imports


def test_the_graph_is_read_rightly() -> None:
    assert "grader.scoring.rubric.metric" in uses("grader.scoring.scoring")
    assert "grader.sandbox.guest.protocol" in uses("grader.sandbox.guest.run.driver")
    assert "grader.scoring.metrics" in reaches("grader.pipeline")


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(("grader.models", "grader.i18n"))])
def test_models_and_i18n_import_nothing_above_them(name: str) -> None:
    assert all(other.startswith(("grader.models", "grader.i18n")) for other in uses(name))


def test_models_are_made_of_the_standard_library_alone() -> None:
    for name in MODULES:
        if name.startswith("grader.models"):
            assert foreign(imported(ast.walk(tree(name)))) == set(), name


def test_the_top_level_reads_as_the_pipeline() -> None:
    entries = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith(("__", "."))}
    assert entries - {"py", "assignments"} == ENTRIES  # py.typed; assignments only where installed


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_imports_in_a_circle(package: str) -> None:
    try:
        TopologicalSorter(arrows(package)).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle in {package}: {' -> '.join(error.args[1])}")


def test_the_house_has_few_floors() -> None:
    below = arrows("grader")
    assert max(floor(entry, below) for entry in below) <= MOST_FLOORS


def test_nothing_imports_in_a_circle() -> None:
    try:
        TopologicalSorter({name: uses(name) for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(("grader.cli", "grader.__main__"))])
def test_nothing_imports_the_command_line(name: str) -> None:
    assert not any(other.startswith("grader.cli") for other in uses(name))


@pytest.mark.parametrize("name", GUESTS)
def test_the_guest_imports_nothing_of_the_graders(name: str) -> None:
    found = imported(ast.walk(tree(name)))
    assert {one for one in found if one.split(".")[0] == "grader"} == set()
    inside = name.count(".") - DEPTH_OF_GUEST
    assert {one for one in found if len(one) - len(one.lstrip(".")) > inside} == set()
    assert uses(name) <= GUESTS.keys()


@pytest.mark.parametrize("name", GUESTS)
def test_the_guest_needs_jupyter_and_numpy_alone(name: str) -> None:
    at_start = foreign(imported(iter(tree(name).body)))
    assert at_start <= GUEST_NEEDS
    assert foreign(imported(ast.walk(tree(name)))) - at_start <= GUEST_NEEDS | GUEST_LOOKS_AT


# What lives among the student's code: it hooks into Keras, runs cells, asks the model.
RUNS = ("boot.worker", "run.driver", "run.kernel", "safe_call")
GUEST_RUNS = {f"grader.sandbox.guest.{name}" for name in RUNS} | {
    name for name in GUESTS if ".guest.record." in name or ".guest.probe." in name
}


def test_the_host_takes_from_the_guest_only_what_runs_nothing() -> None:
    assert GUESTS.keys() >= GUEST_RUNS
    for name in MODULES.keys() - GUESTS.keys():
        taken = uses(name) & GUESTS.keys()
        assert taken & GUEST_RUNS == set(), name
        assert foreign(imported(node for other in taken for node in tree(other).body)) <= {"numpy"}, name


@pytest.mark.parametrize("name", ALONE)
def test_programs_of_their_own_run_without_the_package(name: str) -> None:
    assert uses(name) == frozenset()


# Where a reference model gets its data from, and how what it reaches is measured.
REFERENCE_NEEDS = ("grader.data.cache", "grader.scoring.metrics", "grader.models.errors")


def test_the_references_know_the_grader_by_its_data_and_its_metrics_alone() -> None:
    for path in (ROOT / "reference").rglob("*.py"):
        names = imported(ast.walk(ast.parse(path.read_text("utf-8"))))
        ours = {name for name in names if name.split(".")[0] == "grader"}
        assert {name for name in ours if not name.startswith(REFERENCE_NEEDS)} == set(), path.name


def test_the_command_line_starts_without_what_is_heavy() -> None:
    code = f"import sys, grader.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------- who may do what


def names_in(name: str) -> set[str]:
    """Every name and attribute that the module's code speaks of; its texts are not code."""
    found = {node.id for node in ast.walk(tree(name)) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)}
    return found | {one.rpartition(".")[2] for one in imported(ast.walk(tree(name)))}


def calls_in(name: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree(name)) if isinstance(node, ast.Call)}


def test_hidden_labels_are_opened_by_scoring_alone() -> None:
    openers = {"open_hidden_set", "HiddenSet", "_hidden_table", "_draw_table"}
    users = {name for name in MODULES if names_in(name) & openers}
    assert users == {"grader.data.hidden_sets", "grader.scoring.scoring"}


SPEAKING = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "os.abort", "typer.Exit", "SystemExit"}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "sys.argv"}


@pytest.mark.parametrize("name", [name for name in MODULES if name not in GUESTS and name not in ALONE])
def test_the_command_line_alone_prints_exits_and_reads_the_environment(name: str) -> None:
    attributes = {ast.unparse(node) for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)}
    found = (calls_in(name) & SPEAKING) | ((attributes | imported(ast.walk(tree(name)))) & ENVIRONMENT)
    assert name.startswith("grader.cli.") or found == set()


@EVERY_MODULE
def test_nothing_is_unpickled_or_evaluated(name: str) -> None:
    assert foreign(imported(ast.walk(tree(name)))) & {"dill", "joblib", "cloudpickle"} == set()
    pickling = {one.split(".")[0] for one in imported(ast.walk(tree(name)))} & {"pickle", "marshal", "shelve"}
    assert pickling == ({"pickle"} if name == PICKLES else set())
    assert calls_in(name) & {"eval", "exec", "compile", "__import__"} == set()
    trusting = [
        ast.unparse(node)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "allow_pickle" and ast.unparse(word.value) != "False"
    ]
    assert trusting == []


def test_of_pickles_nothing_but_arrays_is_built() -> None:
    spoken = {ast.unparse(node) for node in ast.walk(tree(PICKLES)) if isinstance(node, ast.Attribute)}
    assert {one for one in spoken if one.startswith("pickle.")} == {
        "pickle.Unpickler",
        "pickle.UnpicklingError",
        "pickle.dumps",
    }
    readers = [node for node in ast.walk(tree(PICKLES)) if isinstance(node, ast.ClassDef)]
    assert [[ast.unparse(base) for base in one.bases] for one in readers] == [["pickle.Unpickler"]]
    assert "find_class" in {node.name for one in readers for node in one.body if isinstance(node, ast.FunctionDef)}
    users = {name for name in MODULES if PICKLES in uses(name)}
    assert users == {"grader.data.cache.converters.image_sets", "grader.data.cache.converters.imdb"}


def test_the_teachers_generator_is_the_only_code_ever_loaded_from_a_file() -> None:
    loaders = {name for name in MODULES.keys() - GUESTS.keys() if "exec_module" in names_in(name)}
    assert loaders == {"grader.data.hidden_sets"}


# ---------------------------------------------------------------- size and names


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_sub_packages_hold_nothing(path: Path) -> None:
    assert path.parent == PACKAGE or path.read_text("utf-8") == ""


# The files that each LMS's package may have alike: what the shared code asks of every system.
SAME_IN_EVERY_LMS = {"archive", "export", "gradebook", "feedback"}


def test_no_two_files_have_one_name() -> None:
    counted = Counter(name.rpartition(".")[2] for name in MODULES.keys() - GUESTS.keys() if "." in name)
    assert {name for name, count in counted.items() if count > 1} - SAME_IN_EVERY_LMS - set(PACKAGE_NAMES) == set()


@EVERY_MODULE
def test_files_are_named_for_what_is_in_them(name: str) -> None:
    assert {"utils", "util", "helpers", "helper", "misc", "common"}.isdisjoint(name.split("."))


@EVERY_MODULE
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert MODULES[name].name == "__init__.py" or ast.get_docstring(tree(name))


def test_no_file_names_the_place_where_it_was_written() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    place = re.compile(re.escape(str(ROOT)) + r"(?![\w-])")
    files = [ROOT / name for name in listed.split("\0") if name]
    assert len(files) > 50
    assert [path for path in files if path.is_file() and place.search(path.read_text("utf-8", "replace"))] == []
