"""Further attacks on what is read and shown after the run: arrays of predictions, reports, names in an archive.

No notebook runs here: the files are those that a notebook or a student could leave.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from grader.execution.facts_parser import parse_facts
from grader.execution.predictions import HiddenOrder, parse_predictions
from grader.lms.archive.submissions import read_submissions
from grader.models.errors import MetricError
from grader.report.notebook_page import notebook_view
from grader.report.sanitizer import image_uri, safe_html, safe_markdown
from grader.scoring.metrics import METRICS
from tests.attacks.classroom import HONEST
from tests.support.notebooks import notebook_bytes

# ------------------------------------------------------------------ predictions

ROWS = 400
ORDER = HiddenOrder(np.arange(72), np.random.default_rng(0).permutation(ROWS))
LABELS = np.arange(ROWS) % 2


def saved(array: ArrayLike) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asanyarray(array))
    return buffer.getvalue()


def headed(header: str, data: bytes = b"") -> bytes:
    """Return an array's file with a header written by hand."""
    text = header.encode().ljust(200) + b"\n"
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text + data


def described(kind: str, shape: str, data: bytes = b"") -> bytes:
    return headed(f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}}}", data)


ARRAYS = {
    "no columns": saved(np.zeros((472, 0))),
    "Fortran order": saved(np.asfortranarray(np.zeros((472, 2)))),
    "fields": saved(np.zeros(472, [("a", "f8")])),
    "other byte order": saved(np.zeros(472, ">f8")),
    "half precision": saved(np.zeros(472, "f2")),
    "dates": saved(np.zeros(472, "M8[s]")),
    "one number": saved(np.zeros(())),
    "many dimensions": saved(np.zeros((472, *[1] * 30))),
    "beyond floats": saved(np.full(472, np.longdouble("1e4000"))),
    "petabytes": described("'<f8'", "(1000000000000000,)"),
    "petabytes of nothing": described("'<f8'", "(1000000000000000, 0)"),
    "negative length": described("'<f8'", "(-472,)"),
    "pairs": described("('<f8', (2,))", "(472,)", bytes(472 * 16)),
    "objects": described("'|O'", "(472,)", b"cos\nsystem\n(S'touch {marker}'\ntR."),
    "code in the header": described("__import__('os').system('touch {marker}')", "(472,)"),
    "nested header": headed("(" * 199),
    "empty type": described("'|V0'", "(472,)"),
    "an archive": b"PK\x03\x04" + bytes(100),
    "huge header": b"\x93NUMPY\x03\0" + (2**31).to_bytes(4, "little") + b"x" * 1000,
}


@pytest.mark.parametrize("name", ARRAYS)
def test_hostile_array_of_predictions_is_measured_or_refused(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    predictions, _ = parse_predictions(ARRAYS[name].replace(b"{marker}", str(marker).encode()), ORDER)
    assert not marker.exists()
    for task, metric in (("classification", "accuracy_score"), ("regression", "r2_score")):
        if predictions is not None:
            with contextlib.suppress(MetricError):
                assert METRICS[task][metric](predictions, LABELS).value <= 0.55


@pytest.mark.parametrize(
    "facts",
    [b"[" * 500_000, b'{"fits": 1e999}', b'{"fits": [], "fits": []}', b"\xff\xfe", b"NaN", b'{"fits": {"0": 1}}', b""],
)
def test_hostile_facts_are_refused(facts: bytes) -> None:
    assert parse_facts(facts, ()) is None


# ------------------------------------------------------------------ the report

MARKUP = {
    "box of the grader": '<div class="verdict" id="total" style="position:fixed" title="x">100 / 100</div>',
    "base": '<base href="https://evil.example/">x',
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example">x',
    "style sheet": '<link rel="stylesheet" href="//evil.example/x.css">x',
    "filter": '<svg><filter id="f"><feImage href="https://evil.example/x"/></filter></svg>x',
    "form": '<form action="//evil.example"><button formaction="//evil.example">x</button></form>',
    "picture of text": '<img src="data:image/svg+xml;base64,PHN2Zy8+">x',
    "picture elsewhere": '<img src="https://evil.example/x.png" srcset="//evil.example/x 2x">x',
    "page in a link": '<a href="data:text/html,<script>1</script>" id="total">x</a>',
    "background": '<table background="//evil.example"><td colspan="99999" rowspan="99999">x</td></table>',
    "event": '<details open ontoggle="alert(1)">x</details>',
    "formula": r"x $\href{javascript:alert(1)}{x}$ \(\require{html}\style{position:fixed}{x}\)",
    "label": '<label for="total">x</label><input type="radio" name="total">',
    "template": '<template shadowrootmode="open"><style>*{display:none}</style></template>x',
}
FORBIDDEN = ("class=", "id=", "style=", "evil.example", "<script", "<svg", "<form", "<base", "<meta", "<link", "<label")


@pytest.mark.parametrize("name", MARKUP)
@pytest.mark.parametrize("clean", [safe_html, safe_markdown])
def test_markup_neither_imitates_the_report_nor_loads_anything(name: str, clean: object) -> None:
    assert callable(clean)
    cleaned = str(clean(MARKUP[name])).replace('rel="noopener', "")
    tags = "".join(part.partition(">")[0] + ">" for part in cleaned.split("<")[1:])
    assert not [word for word in (*FORBIDDEN, "javascript:", "99999") if word.strip("<") in tags], cleaned
    assert "x" in cleaned or name == "box of the grader"


@pytest.mark.parametrize(("width", "height"), [(1, 10**9), (10**9, 1), (2**31, 2**31), (0, 0)])
def test_picture_of_a_huge_size_is_not_shown(width: int, height: int) -> None:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"
    assert image_uri("image/png", base64.b64encode(head).decode()) is None


def test_code_is_not_shown_in_another_order_than_it_runs(tmp_path: Path) -> None:
    code = "if role != 'user\u202e \u2066# only for tutors\u2069 \u2066': pass"
    notebook = json.loads(notebook_bytes(code, f"#md {code} &#x202e;"))
    notebook["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "001 \u202e"}]
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    view = notebook_view(tmp_path / "x.ipynb")
    assert view is not None and not set("\u202e\u2066\u2069") & set(str(view))


# ------------------------------------------------------------------ names

NAMES = (
    "-rf",
    "a\nb",
    "CON",
    "Alice",
    "alice",
    "\uff21lice",
    "Аlice",
    "Al\u200bice",
    "\u202ecilA",
    "..",
    ".hidden x",
    "=1+1",
)


def test_confusable_folder_names_stay_different_students(tmp_path: Path) -> None:
    made = []
    for name in NAMES:
        folder = tmp_path / "class" / name
        if name != ".." and not folder.exists():
            folder.mkdir(parents=True)
            (folder / "homework.ipynb").write_bytes(notebook_bytes(HONEST))
            made.append(name)
    intake = read_submissions([tmp_path / "class"], lms="folder", workspace=tmp_path / "work")
    ids = [submission.student.id for submission in intake.submissions]
    assert len(ids) == len({one.casefold() for one in ids}) >= len(made) - 1  # hidden folders are left out
    assert all(one and not one.startswith(("-", ".")) and "/" not in one and "\n" not in one for one in ids)
    assert not any("\u202e" in submission.student.name for submission in intake.submissions)
