"""The structure of the house, read off its source: who may import whom, who may print, how files are named."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
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
PROGRAMS = ("grader.sandbox.supervisor",)  # started by path, without the package
PACKAGE_NAMES = {path.parent.name for path in PACKAGE.rglob("__init__.py")}
PACKAGES = sorted({name.rpartition(".")[0] for name in MODULES if "." in name})

# The entries of ``grader/``: the pipeline's stages and what every stage stands on.
ENTRIES = {
    "cli", "pipeline", "models", "spec", "lms", "notebook", "data",
    "sandbox", "execution", "scoring", "grading", "gradebook", "report", "i18n", "files",
}  # fmt: skip
MOST_FLOORS = 10

# Keras' own files of CIFAR-10 and IMDB are pickles; no student's file gets there.
PICKLES = "grader.data.cache.keras_pickles"
# Packages that ``grader --help`` must not import.
HEAVY = (
    *("tensorflow", "keras", "sklearn", "matplotlib", "pandas", "requests", "h5py", "PIL", "onnx", "fontTools"),
    *("pyarrow", "numpy", "nbformat", "pydantic", "babel", "jinja2", "pypdf", "sqlalchemy", "cattrs"),
)
# Packages that the guest may need before the notebook's first cell (ipykernel itself needs psutil), and those that it
# only looks at when the notebook has imported them.
GUEST_NEEDS = {"numpy", "nbformat", "nbclient", "jupyter_client", "ipykernel", "psutil"}
GUEST_LOOKS_AT = {"IPython", "PIL", "keras", "matplotlib", "pandas", "sklearn"}
# Modules of the guest that run student code or hook into its libraries.
GUEST_RUNS = {
    name
    for name in GUESTS
    if name.startswith(("grader.sandbox.guest.record.", "grader.sandbox.guest.probe."))
    or name.removeprefix("grader.sandbox.guest.")
    in {"boot.worker", "run.driver", "run.kernel", "run.kernel_host", "safe_call"}
}
# What a reference model takes from the grader: its data, and how results are measured.
REFERENCE_NEEDS = ("grader.data.cache", "grader.scoring.metrics", "grader.models.errors", "grader.i18n.message")
# The files that the package of each LMS may have alike: what the shared code asks of every system.
SAME_IN_EVERY_LMS = {"archive", "export", "gradebook", "feedback"}

SPEAKING = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "os.abort", "typer.Exit", "SystemExit"}
# It passes to its process the two variables without which libraries do not load.
PASSES_VARIABLES = {"grader.files.isolated"}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "sys.argv"}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


def imported(nodes: Iterable[ast.AST]) -> set[str]:
    """Return dotted names as written: ``from a import b`` gives ``a`` and ``a.b``; relative ones keep their dots."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            dots, module = "." * node.level, node.module
            names |= {f"{dots}{module}"} if module else set()
            names |= {f"{dots}{module}.{alias.name}" if module else f"{dots}{alias.name}" for alias in node.names}
    return names


@cache
def imports(name: str) -> frozenset[str]:
    """Return the dotted names that a module imports anywhere in its code."""
    return frozenset(imported(ast.walk(tree(name))))


def foreign(names: Iterable[str]) -> set[str]:
    """Return the top-level packages that belong neither to the standard library nor to the grader."""
    tops = {name.split(".")[0] for name in names if not name.startswith(".")}
    return tops - set(sys.stdlib_module_names) - {"grader"}


@cache
def uses(name: str) -> frozenset[str]:
    """Return the modules of the grader that ``name`` imports, anywhere in its code."""
    absolute = {
        re.sub(r"^\.+", lambda dots: ".".join(name.split(".")[: -len(dots[0])]) + ".", found).rstrip(".")
        for found in imports(name)
    }
    return frozenset((absolute & MODULES.keys()) - {name, "grader"})


def names_in(name: str) -> set[str]:
    """Return every name and attribute in the code of a module; strings are not code."""
    found = {node.id for node in ast.walk(tree(name)) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)}
    return found | {found.rpartition(".")[2] for found in imports(name)}


def calls_in(name: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree(name)) if isinstance(node, ast.Call)}


def arrows(package: str) -> dict[str, set[str]]:
    """Return for each child of ``package`` the other children that it imports from."""
    found: dict[str, set[str]] = {}
    for name in MODULES:
        if name.startswith(f"{package}."):
            child = _child(package, name)
            inside = {_child(package, other) for other in uses(name) if other.startswith(f"{package}.")}
            found.setdefault(child, set()).update(inside - {child})
    return found


def _child(package: str, name: str) -> str:
    return name.removeprefix(f"{package}.").split(".")[0]


def floors() -> dict[str, int]:
    """Return the floor of every entry: one above the highest entry that it imports from."""
    below = arrows("grader")

    def floor(entry: str) -> int:
        return 1 + max((floor(other) for other in below[entry]), default=0)

    return {entry: floor(entry) for entry in below}


def assert_no_circle(graph: dict[str, set[str]], place: str) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle in {place}: {' -> '.join(error.args[1])}")


# ---------------------------------------------------------------- imports


def test_imports_are_found_in_absolute_and_relative_form() -> None:
    assert "grader.scoring.rubric.metric" in uses("grader.scoring.rubric.kinds")
    assert "grader.sandbox.guest.protocol" in uses("grader.sandbox.guest.run.driver")


def test_the_top_level_reads_as_the_pipeline() -> None:
    entries = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith(("__", "."))}
    assert entries - {"py", "assignments"} == ENTRIES  # py.typed; assignments only where installed


def test_models_and_i18n_import_nothing_above_them() -> None:
    low = [name for name in MODULES if name.startswith(("grader.models", "grader.i18n"))]
    assert {name: uses(name) for name in low if not uses(name) <= set(low)} == {}


def test_models_are_made_of_the_standard_library() -> None:
    models = [name for name in MODULES if name.startswith("grader.models")]
    assert {name: foreign(imports(name)) for name in models if foreign(imports(name))} == {}


def test_no_file_imports_in_a_circle() -> None:
    assert_no_circle({name: set(uses(name)) for name in MODULES}, "grader")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_imports_in_a_circle(package: str) -> None:
    assert_no_circle(arrows(package), package)


def test_the_house_has_few_floors() -> None:
    assert max(floors().values()) <= MOST_FLOORS


def test_the_architecture_page_draws_the_floors() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)(?:/|\.py)`", (ROOT / "docs/architecture.md").read_text("utf-8"), re.M)
    assert {name: int(floor) for floor, name in rows} == floors()


def test_nothing_outside_the_command_line_imports_it() -> None:
    outside = [name for name in MODULES if not name.startswith(("grader.cli", "grader.__main__"))]
    assert [name for name in outside if any(other.startswith("grader.cli") for other in uses(name))] == []


@pytest.mark.parametrize("name", GUESTS)
def test_the_guest_imports_nothing_of_the_grader(name: str) -> None:
    assert {found for found in imports(name) if found.split(".")[0] == "grader"} == set()
    depth = name.count(".") - DEPTH_OF_GUEST
    assert {found for found in imports(name) if len(found) - len(found.lstrip(".")) > depth} == set()
    assert uses(name) <= GUESTS.keys()


@pytest.mark.parametrize("name", GUESTS)
def test_the_guest_needs_only_jupyter_and_numpy(name: str) -> None:
    at_start = foreign(imported(tree(name).body))
    assert at_start <= GUEST_NEEDS
    assert foreign(imports(name)) - at_start <= GUEST_NEEDS | GUEST_LOOKS_AT


def test_the_host_imports_nothing_of_the_guest_that_runs_student_code() -> None:
    for name in MODULES.keys() - GUESTS.keys():
        taken = uses(name) & GUESTS.keys()
        assert taken & GUEST_RUNS == set(), name
        assert foreign(imported(node for other in taken for node in tree(other).body)) <= {"numpy"}, name


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_started_by_path_do_not_need_the_package(name: str) -> None:
    assert uses(name) == frozenset()


def test_the_references_use_only_the_data_and_the_metrics_of_the_grader() -> None:
    for path in (ROOT / "reference").rglob("*.py"):
        names = imported(ast.walk(ast.parse(path.read_text("utf-8"))))
        ours = {name for name in names if name.split(".")[0] == "grader"}
        assert {name for name in ours if not name.startswith(REFERENCE_NEEDS)} == set(), path.name


def test_the_command_line_starts_without_heavy_packages() -> None:
    code = f"import sys, grader.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------- who may do what


def test_only_scoring_opens_hidden_labels() -> None:
    openers = {"open_hidden_set", "HiddenSet", "_hidden_table", "_draw_table"}
    users = {name for name in MODULES if names_in(name) & openers}
    assert users == {"grader.data.hidden_sets", "grader.scoring.scoring"}


def test_only_the_command_line_prints_exits_and_reads_the_environment() -> None:
    offenders = {}
    for name in MODULES.keys() - GUESTS.keys() - set(PROGRAMS):
        attributes = {ast.unparse(node) for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)}
        read = set() if name in PASSES_VARIABLES else (attributes | imports(name)) & ENVIRONMENT
        found = (calls_in(name) & SPEAKING) | read
        if found and not name.startswith("grader.cli."):
            offenders[name] = found
    assert offenders == {}


def test_nothing_is_unpickled_or_evaluated() -> None:
    for name in MODULES:
        assert foreign(imports(name)) & {"dill", "joblib", "cloudpickle"} == set(), name
        pickling = {found.split(".")[0] for found in imports(name)} & {"pickle", "marshal", "shelve"}
        assert pickling == ({"pickle"} if name == PICKLES else set()), name
        assert calls_in(name) & {"eval", "exec", "compile", "__import__"} == set(), name
        assert list(_calls_that_allow_pickles(name)) == [], name


# Loaders that run code of the file, or write its members where the file says.
DANGEROUS = re.compile(
    r"(^|\.)(load_model|load_weights|model_from_json|model_from_yaml|read_pickle|read_hdf|extractall|unpack_archive"
    r"|unsafe_load|full_load|load_module|run_path)$|^(yaml|torch|joblib|pickle|marshal|shelve)\.(load|loads|open)$"
)


def test_the_host_opens_no_model_and_unpacks_nothing_by_its_own_names() -> None:
    host = MODULES.keys() - GUESTS.keys()
    assert {name: found for name in host if (found := {c for c in calls_in(name) if DANGEROUS.search(c)})} == {}
    for name in host:
        for call in (node for node in ast.walk(tree(name)) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) in ("np.load", "numpy.load"):
                assert "allow_pickle" in {keyword.arg for keyword in call.keywords}, name
    assert {name for name in host if "h5py" in foreign(imports(name))} <= {
        name for name in host if name.startswith("grader.data.cache.")
    }


def _calls_that_allow_pickles(name: str) -> Iterator[str]:
    for node in ast.walk(tree(name)):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
                yield ast.unparse(node)


def test_pickles_of_keras_give_only_arrays() -> None:
    attributes = {ast.unparse(node) for node in ast.walk(tree(PICKLES)) if isinstance(node, ast.Attribute)}
    assert {name for name in attributes if name.startswith("pickle.")} == {
        "pickle.Unpickler",
        "pickle.UnpicklingError",
        "pickle.dumps",
    }
    readers = [node for node in ast.walk(tree(PICKLES)) if isinstance(node, ast.ClassDef)]
    assert [[ast.unparse(base) for base in reader.bases] for reader in readers] == [["pickle.Unpickler"]]
    assert "find_class" in {
        node.name for reader in readers for node in reader.body if isinstance(node, ast.FunctionDef)
    }
    users = {name for name in MODULES if PICKLES in uses(name)}
    assert users == {"grader.data.cache.converters.image_sets", "grader.data.cache.converters.imdb"}


def test_only_the_teachers_generator_is_loaded_as_code_from_a_file() -> None:
    loaders = {name for name in MODULES.keys() - GUESTS.keys() if "exec_module" in names_in(name)}
    assert loaders == {"grader.data.generators"}


# ---------------------------------------------------------------- other processes

# Every way to start a program. The host uses the first two.
STARTS = re.compile(
    r"(subprocess\.\w+|os\.(system|popen|fork|forkpty|startfile)|os\.(exec|spawn|posix_spawn)\w*|pty\.spawn"
    r"|multiprocessing\.\w+|(concurrent\.futures\.)?ProcessPoolExecutor|asyncio\.create_subprocess\w+)$"
)


def _starts(name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call) and STARTS.match(ast.unparse(node.func)):
            yield node


def test_every_process_has_a_folder_and_an_environment_of_its_own() -> None:
    """The teacher's current folder may hold students' files, and the teacher's environment may hold tokens."""
    for name in MODULES.keys() - GUESTS.keys():
        for call in _starts(name):
            assert ast.unparse(call.func) in ("subprocess.run", "subprocess.Popen"), name
            given = {keyword.arg for keyword in call.keywords}
            assert name in PROGRAMS or {"cwd", "env"} <= given, f"{name}:{call.lineno}"
        assert imports(name) & {"multiprocessing", "concurrent.futures.ProcessPoolExecutor", "pty"} == set(), name


def test_every_interpreter_ignores_the_current_folder() -> None:
    """The guest's interpreter has options of its own; PYTHONHASHSEED has to reach it, unlike with -I."""
    for name, path in MODULES.items():
        starts = "sys.executable" in path.read_text("utf-8")
        for node in ast.walk(tree(name)) if starts else ():
            words = [ast.unparse(word) for word in node.elts] if isinstance(node, ast.List | ast.Tuple) else []
            options = [option for word, option in zip(words, [*words, ""][1:], strict=True) if word == "sys.executable"]
            assert set(options) <= {"'-I'", "*protocol.PYTHON_OPTIONS"}, f"{name}:{node}"


# ---------------------------------------------------------------- names and language


def test_sub_packages_have_an_empty_init() -> None:
    inits = [path for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
    assert [path for path in inits if path.read_text("utf-8")] == []


def test_no_two_files_have_the_same_name() -> None:
    counted = Counter(name.rpartition(".")[2] for name in MODULES.keys() - GUESTS.keys() if "." in name)
    assert {name for name, count in counted.items() if count > 1} - SAME_IN_EVERY_LMS - PACKAGE_NAMES == set()


def test_files_are_named_for_their_content() -> None:
    vague = {"utils", "util", "helpers", "helper", "misc", "common"}
    assert [name for name in MODULES if vague & set(name.split("."))] == []


def test_every_module_has_a_docstring() -> None:
    silent = [name for name in MODULES if not ast.get_docstring(tree(name))]
    assert [name for name in silent if MODULES[name].name != "__init__.py"] == []


# A docstring begins with a verb in the imperative or with a noun, never with a riddle.
RIDDLE = re.compile(r"(what|which|whose|whom|where|who|how|whether|nobody|everybody|whoever)\b", re.IGNORECASE)


def test_docstrings_begin_plainly() -> None:
    riddles = []
    for name in MODULES:
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                first = (ast.get_docstring(node) or "").split("\n")[0]
                riddles += [f"{name}: {first}"] if RIDDLE.match(first) else []
    assert riddles == []


def test_no_file_names_the_place_where_it_was_written() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    place = re.compile(re.escape(str(ROOT)) + r"(?![\w-])")
    files = [ROOT / name for name in listed.split("\0") if name]
    assert len(files) > 50
    assert [path for path in files if path.is_file() and place.search(path.read_text("utf-8", "replace"))] == []
