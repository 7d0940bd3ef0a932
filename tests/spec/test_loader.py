"""Tests of reading assignments, of their problems, and of recognising the assignment of a notebook."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from grader.i18n.catalogue import translation
from grader.models.assignment import Assignment, Limits, PublicSet
from grader.models.errors import AssignmentError
from grader.models.lateness import LatePolicy
from grader.scoring.rubric.metric import MetricReached
from grader.spec.discovery import recognise
from grader.spec.listing import find_assignments
from grader.spec.loader import load_assignment
from tests.support.assignment_folders import GENERATOR, TOML, coins, write_assignment

ROOT = Path(__file__).parents[2]
ONE_HIDDEN = "data.hidden: expected exactly one of generator and file"
ACCURACY_TITLE = 'title = { en = "Accuracy", zh-TW = "準確率" }'
LATE = "[late]\ndue = 2026-11-30T23:59:00\n"


def problems(folder: Path) -> list[str]:
    """Return the problems without the file's path, with which every line begins."""
    with pytest.raises(AssignmentError) as refused:
        load_assignment(folder)
    start = f"{folder / 'assignment.toml'}: "
    lines = [str(problem) for problem in refused.value.problems]
    assert all(line.startswith(start) for line in lines)
    assert str(refused.value).splitlines() == lines
    return [line.removeprefix(start) for line in lines]


# ---------------------------------------------------------------- reading


def test_load_assignment(tmp_path: Path) -> None:
    assignment = coins(tmp_path)
    assert (assignment.id, assignment.version, assignment.points) == ("coins", "1", 100)
    assert assignment.title == {"en": "Coins", "zh-TW": "硬幣"}
    assert assignment.folder == tmp_path
    assert assignment.limits == Limits(seconds=60)
    assert [criterion.id for criterion in assignment.rubric] == ["runs", "accuracy", "curve", "validation", "story"]
    accuracy = assignment.rubric[1]
    assert isinstance(accuracy, MetricReached)
    assert (accuracy.metric, accuracy.full_at, accuracy.zero_at) == ("accuracy_score", 0.9, "majority")
    assert accuracy.title == {"en": "Accuracy", "zh-TW": "準確率"}


def test_paths_are_relative_to_the_folder(tmp_path: Path) -> None:
    data = coins(tmp_path).data
    assert data is not None
    assert data.files == (tmp_path / "coins.csv", tmp_path / "notes.txt")
    assert (data.table, data.hidden.generator) == (tmp_path / "coins.csv", tmp_path / "generator.py")
    assert (data.inputs, data.target, data.hidden.rows) == (("weight", "width"), "real", 100)


def test_sources_map_downloads_to_data_files(tmp_path: Path) -> None:
    table = '[sources]\n"https://host.org/coins%20(1).csv?raw=true" = "coins.csv"\n"c.csv" = "coins.csv"\n[limits]'
    sources = coins(tmp_path, ("[limits]", table)).sources
    assert sources == {"https://host.org/coins%20(1).csv?raw=true": "coins.csv", "c.csv": "coins.csv"}


@pytest.mark.parametrize("due", ["2026-11-30T23:59:00+08:00", '"2026-11-30 23:59+08:00"'])
def test_late_policy_is_read(tmp_path: Path, due: str) -> None:
    section = f'[late]\ndue = {due}\npolicy = "percent"\npercent_per_day = 10\nat_most = 50\n[limits]'
    found = coins(tmp_path, ("[limits]", section)).late
    assert found == LatePolicy(datetime.fromisoformat("2026-11-30T23:59:00+08:00"), "percent", 10, 50)


def test_late_policy_without_a_due_time(tmp_path: Path) -> None:
    assert coins(tmp_path, ("[limits]", '[late]\npolicy = "zero"\n[limits]')).late == LatePolicy(policy="zero")


def test_criterion_without_a_title_gets_its_id(tmp_path: Path) -> None:
    assert coins(tmp_path).rubric[0].title == {"en": "runs"}


def test_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    write_assignment(tmp_path)
    (tmp_path / "assignment.toml").write_text(TOML, "utf-8-sig")
    assert load_assignment(tmp_path).id == "coins"


# ---------------------------------------------------------------- problems


PROBLEMS = [
    ('id = "coins"\n', "", "id: missing"),
    ('id = "coins"', "id = 5", "id: found 5, expected a string"),
    ('id = "coins"', 'id = "../x"', "id: found '../x', expected lower-case letters"),
    ('version = "1"', "version = 1", "version: found 1, expected a string"),
    ('en = "Coins"\n', "", "title.en: missing"),
    ('zh-TW = "硬幣"', 'fr = "Pièces"', "title.fr: not known here; expected en, zh-TW"),
    ("[limits]", "[limit]", "limit: not known here; check the spelling"),
    ("seconds = 60", "secs = 60", "limits.secs: not known here"),
    ("seconds = 60", "seconds = -1", "limits.seconds: found -1.0, expected a number above 0"),
    ("seconds = 60", "seconds = nan", "limits.seconds: found nan, expected a number above"),
    ("seconds = 60", "cell_seconds = 0", "limits.cell_seconds: found 0.0, expected a number"),
    ("seconds = 60", "memory_mb = 1.5", "limits.memory_mb: found 1.5, expected an integer"),
    ('"notes.txt"', '"gone.txt"', "data.files[1]: "),
    ('table = "coins.csv"', 'table = "x.csv"', "data.table: found 'x.csv', expected one of data.files"),
    ('["weight", "width"]', "[]", "data.inputs: empty; expected the names"),
    ('["weight", "width"]', '"width"', "data.inputs: found 'width', expected an array"),
    ('"width"]', '"weight"]', "data.inputs: found 'weight' more than once"),
    ('target = "real"', 'target = "width"', "data.target: found 'width', which is also an input"),
    ("classification", "ranking", "data.task: found 'ranking', expected 'classification' or 'regression'"),
    ("generator.py", "gone.py", "data.hidden.generator: "),
    ('generator = "generator.py"', "", ONE_HIDDEN),
    ('generator = "generator.py"', 'generator = "generator.py"\nfile = "generator.py"', ONE_HIDDEN),
    ('generator = "generator.py"', 'file = "coins.csv"', "data.hidden.file: found among data.files"),
    ("rows = 100", "rows = 10", "data.hidden.rows: found 10, expected 50 to 1000000"),
    ("rows = 100", 'rows = "many"', "data.hidden.rows: found 'many', expected an integer"),
    (
        'kind = "metric"',
        'kind = "metrik"',
        "rubric[1].kind: found 'metrik', expected one of 'architecture', 'augmentation', ",
    ),
    ('kind = "metric"\n', "", "rubric[1].kind: missing; expected one of 'architecture', 'augmentation', "),
    ('id = "curve"', 'id = "runs"', "rubric[2].id: found 'runs' a second time"),
    ('id = "curve"', 'id = "A curve"', "rubric[2].id: found 'A curve', expected lower-case"),
    ("points = 60", 'points = "all"', "rubric[1].points: found 'all', expected a number"),
    ("points = 60", "points = -1", "rubric[1].points: found -1.0, expected 0 or more"),
    ("points = 60", "points = inf", "rubric[1].points: found inf, expected 0 or more"),
    ("points = 60\n", "", "rubric[1].points: missing"),
    (ACCURACY_TITLE, 'title = "Accuracy"', "rubric[1].title: found 'Accuracy', expected"),
    (ACCURACY_TITLE, 'title = { zh-TW = "準確率" }', "rubric[1].title.en: missing"),
    (
        '"accuracy_score"',
        '"r2_score"',
        "rubric[1].metric: found 'r2_score', expected for classification one of accuracy_score",
    ),
    ("full_at = 0.9", 'full_at = "much"', "rubric[1].full_at: found 'much', expected a number"),
    ("full_at = 0.9\n", "", "rubric[1].full_at: missing"),
    ("full_at = 0.9", "full_at = nan", "rubric[1].full_at: found nan, expected a finite number"),
    ('"majority"', "-inf", "rubric[1].zero_at: found -inf, expected a finite number"),
    ('"majority"', "0.9", "rubric[1].zero_at: found 0.9, the same as full_at"),
    (
        "[limits]",
        '[sources]\n"x.csv" = "gone.csv"\n[limits]',
        "sources.\"x.csv\": found 'gone.csv', expected one of data.files",
    ),
    ("[limits]", '[sources]\n"a/x.csv" = "coins.csv"\n[limits]', 'sources."a/x.csv": expected an address (https'),
    ("[limits]", '[sources]\n"x.csv" = 5\n[limits]', "sources.x.csv: found 5, expected a string"),
    ("[limits]", f"{LATE}dues = 1\n[limits]", "late.dues: not known here"),
    (
        "[limits]",
        "[late]\ndue = 2026-11-30\n[limits]",
        "late: found {'due': datetime.date(2026, 11, 30)}, ",
    ),
    (
        "[limits]",
        "[late]\ndue = 20261130\n[limits]",
        "late: found {'due': 20261130}, expected due to be",
    ),
    (
        "[limits]",
        f'{LATE}policy = "half"\n[limits]',
        "late.policy: found 'half', expected 'none', ",
    ),
    ("[limits]", f'{LATE}policy = "percent"\n[limits]', "late.percent_per_day: missing; policy 'percent' needs it"),
    (
        "[limits]",
        f"{LATE}percent_per_day = 101\n[limits]",
        "late.percent_per_day: found 101, expected a number",
    ),
    ("[limits]", f"{LATE}at_most = nan\n[limits]", "late.at_most: found nan, expected a number above 0"),
    ("[limits]", f"{LATE}free_days = -1\n[limits]", "late.free_days: found -1, expected 0 to 366"),
    ("[limits]", f"{LATE}grace_minutes = -1\n[limits]", "late.grace_minutes: found -1, expected 0 to 10080"),
    ("[limits]", f'{LATE}timezone = "Taipei"\n[limits]', "late.timezone: found 'Taipei', expected a name such as"),
    ('shows = "loss"', 'shows = "joy"', "rubric[2].shows: found 'joy', expected 'loss' or 'accuracy'"),
    ("full_characters = 100", "full_characters = 0", "rubric[4].full_characters: found 0, expected a number above 0"),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    PROBLEMS,
    ids=[new.strip() or f"without {old.strip()}" for old, new, _ in PROBLEMS],
)
def test_problem_names_place_found_and_expected_value(tmp_path: Path, old: str, new: str, expected: str) -> None:
    (problem,) = problems(write_assignment(tmp_path, (old, new)))
    assert problem.startswith(expected)


def test_missing_file_is_named(tmp_path: Path) -> None:
    (problem,) = problems(write_assignment(tmp_path, ('"notes.txt"', '"gone.txt"')))
    assert problem == f"data.files[1]: {tmp_path / 'gone.txt'} does not exist"


def test_all_type_problems_are_reported_at_once(tmp_path: Path) -> None:
    folder = write_assignment(
        tmp_path, ('version = "1"', "version = 1"), ("full_at", "ful_at"), ("rows = 100", 'rows = "many"')
    )
    assert [problem.split(":")[0] for problem in problems(folder)] == [
        "version",
        "rubric[1].full_at",
        "rubric[1].ful_at",
        "data.hidden.rows",
    ]


def test_all_validation_problems_are_reported_at_once(tmp_path: Path) -> None:
    folder = write_assignment(
        tmp_path,
        ('en = "Coins"\n', ""),
        ("seconds = 60", "seconds = 0"),
        ("generator.py", "gone.py"),
        ("classification", "regression"),
        ('id = "story"', 'id = "runs"'),
    )
    assert [problem.split(":")[0] for problem in problems(folder)] == [
        "title.en",
        "limits.seconds",
        "data.hidden.generator",
        "rubric[1].metric",
        "rubric[1].zero_at",
        "rubric[4].id",
    ]


def test_at_most_fifty_problems_are_reported(tmp_path: Path) -> None:
    folder = write_assignment(tmp_path)
    with (folder / "assignment.toml").open("a", encoding="utf-8") as file:
        file.writelines(f'[[rubric]]\nid = "n{n}"\nkind = "none"\npoints = 1\n' for n in range(80))
    assert len(problems(folder)) == 50


def test_metric_needs_data(tmp_path: Path) -> None:
    folder = write_assignment(tmp_path)
    before, _, after = TOML.partition("[data]")
    (folder / "assignment.toml").write_text(before + after[after.index("[limits]") :], "utf-8")
    assert problems(folder) == [
        "rubric[1].kind: a metric needs a [data], a [public] or a [pictures] section to predict"
    ]


def test_empty_rubric_is_refused(tmp_path: Path) -> None:
    folder = write_assignment(tmp_path)
    (folder / "assignment.toml").write_text("rubric = []\n" + TOML[: TOML.index("[[rubric]]")], "utf-8")
    assert problems(folder) == ["rubric: empty; expected at least one [[rubric]]"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "not found; an assignment is a folder with an assignment.toml", id="not there"),
        pytest.param(b"id = ", "not valid TOML: Invalid value", id="no TOML"),
        pytest.param(b"\xff\xfei\x00", "cannot be read as UTF-8 text", id="UTF-16"),
        pytest.param(b"", "id: missing", id="empty"),
    ],
)
def test_unreadable_file_is_reported(tmp_path: Path, content: bytes | None, expected: str) -> None:
    if content is not None:
        (tmp_path / "assignment.toml").write_bytes(content)
    assert problems(tmp_path)[0].startswith(expected)


def test_problems_are_translated(tmp_path: Path) -> None:
    folder = write_assignment(tmp_path, ("seconds = 60", "seconds = 0"), ("generator.py", "gone.py"))
    with pytest.raises(AssignmentError) as refused:
        load_assignment(folder)
    limit, generator = translation("zh-TW").say(refused.value.message).splitlines()
    assert limit.endswith("limits.seconds：寫的是 0.0，應該是大於 0 的數字")
    assert generator.endswith("data.hidden.generator：" + f"{tmp_path / 'gone.py'} 不存在")


def test_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "assignment.toml").mkdir()
    assert problems(tmp_path)[0].startswith("cannot be read as UTF-8 text")


# ---------------------------------------------------------------- finding assignments


def test_find_assignments_prefers_the_first_place(tmp_path: Path) -> None:
    for place, name in (("a", "coins"), ("b", "coins"), ("b", "stamps")):
        write_assignment(tmp_path / place / name)
    (tmp_path / "a" / "empty").mkdir()
    found = find_assignments([tmp_path / "a", tmp_path / "b", tmp_path / "none"])
    assert found == {"coins": tmp_path / "a" / "coins", "stamps": tmp_path / "b" / "stamps"}


def test_bundled_assignments_load_under_their_folder_names() -> None:
    found = find_assignments([ROOT / "assignments"])
    assert {"disease", "regression"} <= found.keys()
    assert [load_assignment(folder).id for folder in found.values()] == list(found)


# ---------------------------------------------------------------- recognising a notebook


def notebook(*code: str, markdown: str = "", **metadata: object) -> NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in code]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(markdown), *cells], metadata=metadata)


@pytest.mark.parametrize(
    ("handed_in", "ids"),
    [
        pytest.param(notebook("x", grader={"assignment": "coins"}), ["coins"], id="named by its starter"),
        pytest.param(
            notebook('open("stamps.csv")', grader={"assignment": "coins"}), ["coins"], id="named, whatever it reads"
        ),
        pytest.param(notebook("x = 1", 'pd.read_csv("coins.csv")'), ["coins"], id="by its data"),
        pytest.param(notebook("open('stamps.csv')", "open('coins.csv')"), ["coins", "stamps"], id="by data of two"),
        pytest.param(notebook(markdown="coins.csv"), [], id="only told in text"),
        pytest.param(notebook("x", grader={"assignment": "other"}), [], id="named another"),
        pytest.param(notebook("x", grader="coins"), [], id="metadata of another form"),
        pytest.param(notebook("x", grader={"assignment": ["coins"]}), [], id="a list for a name"),
        pytest.param(notebook(), [], id="nothing"),
    ],
)
def test_recognise_notebook(tmp_path: Path, handed_in: NotebookNode, ids: list[str]) -> None:
    first = coins(tmp_path / "coins")
    stamps = write_assignment(
        tmp_path / "stamps",
        ('id = "coins"', 'id = "stamps"'),
        ('files = ["coins.csv", "notes.txt"]', 'files = ["stamps.csv"]'),
        ('table = "coins.csv"', 'table = "stamps.csv"'),
    )
    (stamps / "coins.csv").rename(stamps / "stamps.csv")
    essay = Assignment("essay", "1", tmp_path, {"en": "Essay"}, first.rubric[-1:])
    found = recognise(handed_in, [first, load_assignment(stamps), essay])
    assert [assignment.id for assignment in found] == ids


PUBLIC_TOML = """\
id = "photos"
version = "1"

[title]
en = "Photos"

[public]
set = "cats-dogs"
size = [150, 150]
rows = 500

[[rubric]]
id = "accuracy"
kind = "metric"
metric = "accuracy_score"
points = 60
full_at = 0.9
zero_at = "majority"
"""
DATA_TOO = """\
[data]
files = ["x.csv"]
table = "x.csv"
inputs = ["x"]
target = "y"
task = "classification"
hidden = { file = "h.csv" }

[[rubric]]"""


def public_folder(folder: Path, old: str = "", new: str = "") -> Path:
    assert PUBLIC_TOML.count(old) >= 1
    (folder / "assignment.toml").write_text(PUBLIC_TOML.replace(old, new, 1) if old else PUBLIC_TOML, "utf-8")
    for name in ("x.csv", "h.csv"):
        (folder / name).write_text("x,y\n1,0\n")
    return folder


def test_public_set_is_read(tmp_path: Path) -> None:
    assignment = load_assignment(public_folder(tmp_path))
    assert assignment.public == PublicSet("cats-dogs", (150, 150), 500)
    assert (assignment.data, assignment.withheld) == (None, {})


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"cats-dogs"', '"cats"', "public.set: found 'cats', expected one of mnist, cifar10, cats-dogs"),
        ("size = [150, 150]\n", "", "public.size: missing; photos need the height and width of the model's input"),
        ('"cats-dogs"', '"mnist"', "public.size: found [150, 150], but the pictures of mnist have a fixed size"),
        ("[150, 150]", "[8, 900]", "public.size: found [8, 900], expected height and width from 16 to 512"),
        ("[150, 150]", "[150]", "public.size[1]: missing"),
        ("rows = 500", "rows = 10", "public.rows: found 10, expected 50 to 10000"),
        ("rows = 500", "row = 10", "public.row: not known here; check the spelling"),
        ("[[rubric]]", DATA_TOO, "public: found beside [data]; expected only one of the two"),
        ('"accuracy_score"', '"r2_score"', "rubric[0].metric: found 'r2_score', expected for classification one of"),
        (
            "[[rubric]]",
            '[sources]\n"a.zip" = "b.zip"\n[[rubric]]',
            "sources.\"a.zip\": found 'b.zip', expected one of data",
        ),
        ("[[rubric]]", "[withheld]\n[[rubric]]", "withheld: not known here"),
    ],
    ids=lambda text: text[:30],
)
def test_problems_of_a_public_set(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(AssignmentError) as found:
        load_assignment(public_folder(tmp_path, old, new))
    assert problem in str(found.value)


def test_source_may_name_the_archive_of_a_public_set(tmp_path: Path) -> None:
    line = '[sources]\n"a.zip" = "cats_and_dogs_filtered.zip"\n[[rubric]]'
    assert load_assignment(public_folder(tmp_path, "[[rubric]]", line)).sources


@pytest.mark.parametrize(
    ("code", "ids"),
    [
        ("(x, y), _ = keras.datasets.mnist.load_data()", ["mnist"]),
        ("from keras.datasets import mnist", ["mnist"]),
        ("keras.datasets.fashion_mnist.load_data()", []),
        ("tf.keras.datasets.cifar10.load_data()", ["cifar10"]),
        ("cifar100.load_data()", []),
        ("base_dir = '/content/cats_and_dogs_small'", ["cats-dogs"]),
        ("get_file('cats_and_dogs_filtered.zip', origin=URL)", ["cats-dogs"]),
    ],
)
def test_recognise_notebook_by_its_public_set(tmp_path: Path, code: str, ids: list[str]) -> None:
    essay = Assignment("essay", "1", tmp_path, {"en": "Essay"}, ())
    known = [replace(essay, id=name, public=PublicSet(name)) for name in ("mnist", "cifar10", "cats-dogs")]
    assert [assignment.id for assignment in recognise(notebook(code), known)] == ids


def test_folder_in_data_files_must_not_contain_the_generator(tmp_path: Path) -> None:
    folder = write_assignment(tmp_path, ('"notes.txt"', '"more"'))
    (folder / "more").mkdir()
    assert load_assignment(folder).data is not None
    write_assignment(folder, ('"notes.txt"', '"more"'), ('"generator.py"', '"more/generator.py"'))
    (folder / "more" / "generator.py").write_text(GENERATOR)
    assert problems(folder) == [
        "data.hidden.generator: found in the folder 'more' of data.files: students would get it"
    ]
    write_assignment(folder, ('"notes.txt"', '"."'))
    assert problems(folder)[0].startswith("data.hidden.generator: found in the folder")
