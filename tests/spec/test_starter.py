"""Tests of the starter notebook that is made from a reference solution."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.models.errors import AssignmentError
from grader.spec.starter import _without_solutions, release_starter, write_starter

REFERENCE = """\
# %% [markdown]
# # Title 標題

# %% [markdown]
# Why?
# <!-- ### BEGIN SOLUTION -->
# Because.
# <!-- ### END SOLUTION -->

# %% tags=["secret"]
x = 1
### BEGIN SOLUTION
x = 42
### END SOLUTION
print(x)

# %%
def predict(X):
    ### BEGIN SOLUTION
    return X
    ### END SOLUTION
"""


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.py"
    path.write_text(REFERENCE, encoding="utf-8")
    return path


def test_solutions_become_prompts(reference: Path) -> None:
    sources = [cell.source for cell in release_starter(reference, "disease").cells]
    assert sources == [
        "# Title 標題",
        "Why?\n*Write here. 請寫在這裡。*",
        "x = 1\n# YOUR CODE HERE\n# 在這裡寫你的程式\nprint(x)",
        "def predict(X):\n    # YOUR CODE HERE\n    # 在這裡寫你的程式\n    ...",
    ]


def test_starter_has_the_assignment_id_and_no_other_metadata(reference: Path) -> None:
    starter = release_starter(reference, "disease")
    assert starter.metadata == {
        "grader": {"assignment": "disease"},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(cell.metadata == {} for cell in starter.cells)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in starter.cells[2:])


def test_code_cells_of_the_starter_compile(reference: Path) -> None:
    for cell in release_starter(reference, "disease").cells:
        if cell.cell_type == "code":
            compile(cell.source, "starter", "exec")


def test_write_starter_is_deterministic(reference: Path, tmp_path: Path) -> None:
    write_starter(reference, "disease", tmp_path / "one.ipynb")
    write_starter(reference, "disease", tmp_path / "two.ipynb")
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()
    assert nbformat.read(tmp_path / "one.ipynb", as_version=4) == release_starter(reference, "disease")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "# %%\n### BEGIN SOLUTION\nx = 1\n",
            ["2: BEGIN SOLUTION is never closed; expected END SOLUTION before the file ends"],
        ),
        ("# %%\nx = 1\n### END SOLUTION\n", ["3: END SOLUTION without a BEGIN SOLUTION before it"]),
        (
            "# %%\n### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n",
            ["2: BEGIN SOLUTION is never closed; expected END SOLUTION before the next BEGIN SOLUTION in line 3"],
        ),
        (
            "# %%\n### BEGIN SOLUTION\n\n# %%\n### END SOLUTION\n",
            [
                "2: BEGIN SOLUTION is never closed; expected END SOLUTION before its cell ends",
                "5: END SOLUTION without a BEGIN SOLUTION before it",
            ],
        ),
        (
            "# %% [markdown]\n# <!-- ### BEGIN SOLUTION -->\n",
            ["2: BEGIN SOLUTION is never closed; expected END SOLUTION before the file ends"],
        ),
    ],
    ids=["open at the end", "closed only", "nested", "across cells", "markdown"],
)
def test_unpaired_markers_are_reported_with_file_and_line(tmp_path: Path, text: str, problems: list[str]) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        release_starter(path, "disease")
    assert [str(problem) for problem in caught.value.problems] == [f"{path}:{problem}" for problem in problems]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "not text"])
def test_unreadable_reference_is_one_problem(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "reference.py"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AssignmentError) as caught:
        release_starter(path, "disease")
    assert len(caught.value.problems) == 1
    assert str(path) in str(caught.value)


@given(st.text(alphabet="ab# \n", max_size=80), st.text(alphabet="ab# \n", max_size=80))
def test_text_outside_solutions_is_kept_and_inside_removed(before: str, inside: str) -> None:
    source = f"{before}\n### BEGIN SOLUTION\nSECRET{inside}\n### END SOLUTION\n{before}"
    released = _without_solutions(source, in_code=True)
    assert released == f"{before}\n# YOUR CODE HERE\n# 在這裡寫你的程式\n{before}"
