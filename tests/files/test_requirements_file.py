"""Lists of packages: plain names are read, everything that decides where code comes from is refused."""

from __future__ import annotations

import pytest

from grader.files.requirements_file import MAX_LINES, Requirements, read_environment, read_requirements


def packages(found: Requirements) -> list[str]:
    return [str(package) for package in found.packages]


def test_names_and_versions_of_a_real_file_are_read() -> None:
    text = (
        "\ufeff# course 2024\r\n\nnumpy==1.26.4  # pinned\nScikit_Image >= 0.20, < 1\ntensorflow[and-cuda]~=2.18\n"
        "pandas==2.2.0 \\\n    --hash=sha256:00aa \\\n    --hash=sha256:11bb\ncolorama; sys_platform == 'win32'\n"
        "numpy==1.26.4\nsetuptools\n"
    )
    found = read_requirements(text)
    assert packages(found) == [
        "numpy==1.26.4", "scikit-image<1,>=0.20", "tensorflow[and-cuda]~=2.18", "pandas==2.2.0",
    ]  # fmt: skip
    assert not found.problems


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "--index-url https://evil.example/simple",
        "-i https://evil.example/simple",
        "--extra-index-url=https://evil.example",
        "-e .",
        "--editable git+https://example.org/x.git",
        "-f wheels/",
        "--pre",
        "https://example.org/x-1.0-py3-none-any.whl",
        "git+https://example.org/x.git#egg=x",
        "git+ssh://git@example.org/x.git",
        "x @ https://example.org/x.zip",
        "x@https://example.org/x.zip",
        "x @ file:///etc/passwd",
        "./x",
        "../x.whl",
        "x-1.0-py3-none-any.whl",
        "C:\\x.whl",
        "numpy --index-url=https://evil.example/simple",
        "numpy --config-settings=x=y",
        "${SECRET}",
        "numpy && rm -rf ~",
        "$(touch x)",
        "two words",
        "{placeholder}",
    ],
)
def test_lines_that_say_where_code_comes_from_are_refused(line: str) -> None:
    found = read_requirements(f"pillow\n{line}\n")
    assert packages(found) == ["pillow"]
    (problem,) = found.problems
    assert problem.values["number"] == 2
    assert line in str(problem)


def test_an_option_hidden_by_a_continued_line_is_refused() -> None:
    found = read_requirements("numpy \\\n --index-url https://evil.example/simple")
    assert not found.packages
    assert len(found.problems) == 1


def test_an_endless_file_is_read_to_a_limit_that_is_told() -> None:
    found = read_requirements("\n".join(f"package{number}" for number in range(MAX_LINES + 9)))
    assert len(found.packages) == MAX_LINES
    assert len(found.problems) == 1


def test_an_environment_of_conda_gives_names_of_pypi() -> None:
    text = """
name: course
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy=1.26
  - conda-forge::scikit-image>=0.20
  - pytorch==2.1.0=py3.11_cpu
  - pandas=2.2.0=py311h_0
  - opencv 4.9
  - python-graphviz
  - pip
  - pip:
    - keras>=3  # Keras
    - -r requirements.txt
    - git+https://example.org/x.git
"""
    found = read_environment(text)
    assert packages(found) == [
        "numpy==1.26.*", "scikit-image>=0.20", "torch==2.1.0", "pandas==2.2.0.*", "opencv-python==4.9.*", "graphviz",
        "keras>=3",
    ]  # fmt: skip
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "a: &a [*a]\ndependencies: 3",
        "- numpy",
        "dependencies: {}",
        "!!python/object/apply:os.system [id]",
        "[" * 5000,
    ],
    ids=["empty", "broken", "self-reference", "list", "mapping", "code", "deep"],
)
def test_an_environment_that_is_none_is_a_problem_and_no_error(text: str) -> None:
    found = read_environment(text)
    assert not found.packages
    assert len(found.problems) == 1


def test_aliases_that_multiply_are_not_written_out() -> None:
    doubled = "".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 60))
    found = read_environment(f"l0: &l0 [x]\n{doubled}dependencies: [numpy, *l59, {{pip: [*l59, tqdm]}}]\n")
    assert packages(found) == ["numpy", "tqdm"]
    assert len(found.problems) == 2


def test_odd_entries_of_an_environment_are_refused_one_by_one() -> None:
    found = read_environment("dependencies: [numpy, 3, [x], 'https://example.org/x.conda', '--pre', {pip: nothing}]")
    assert packages(found) == ["numpy"]
    assert len(found.problems) == 5
