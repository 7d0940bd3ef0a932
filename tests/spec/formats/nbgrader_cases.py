"""Small cases in which nbgrader and this grader may differ: an answer, a test of two points, and the points of both.

The points were taken from nbgrader itself; ``test_nbgrader_peer`` repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass

REFUSES = "refuses"  # nbgrader stops grading the student
MAX_POINTS = 2.0


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    answer: str
    test: str
    here: float | None  # None: needs manual grading
    nbgrader: float | str | None = "same"
    why: str = ""  # reason for a difference
    kind: str = "test"

    @property
    def nbgrader_points(self) -> float | str | None:
        return self.here if self.nbgrader == "same" else self.nbgrader


NOTHING = "an invalid number of points earns none, and a person is told"
NUMPY = "NumPy 2 writes its numbers as np.float64(0.5), which nbgrader cannot read"
STDERR = "a warning is not a failure"

CASES = (
    Case("passes", "x = 1", "assert x == 1", 2),
    Case("fails", "x = 2", "assert x == 1", 0),
    Case("fails-with-a-message", "x = 2", "assert x == 1, 'x is not 1'", 0),
    Case("raises", "def f(): raise ValueError('no')", "f()", 0),
    Case("undefined", "pass", "undefined_here", 0),
    Case("not-answered", "", "assert later_defined == 1", 0),
    Case("half", "x = 0.5", "x", 0.5),
    Case("whole-number", "x = 1", "x", 1),
    Case("small", "x = 1e-3", "x", 0.001),
    Case("all", "x = 2.0", "x", 2),
    Case("zero", "x = 0.0", "x", 0),
    Case("above-the-maximum", "x = 5.0", "x", 2, REFUSES, "more than the maximum is the maximum"),
    Case("infinite", "x = float('inf')", "x", 0, REFUSES, NOTHING),
    Case("nan", "x = float('nan')", "x", 0, 2, NOTHING),
    Case("negative", "x = -1.0", "x", 0, 2, NOTHING),
    Case("text", "x = 'hello'", "x", 0, 2, NOTHING),
    Case("number-as-text", "x = '0.5'", "x", 0, 2, NOTHING),
    Case("list", "x = [0.5]", "x", 0, 2, NOTHING),
    Case("complex", "x = 1j", "x", 0, 2, NOTHING),
    Case("numpy-zero", "import numpy as np; x = np.float64(0.0)", "x", 0, 2, NUMPY),
    Case("numpy-half", "import numpy as np; x = np.float64(0.5)", "x", 0.5, 2, NUMPY),
    Case("numpy-short", "import numpy as np; x = np.float32(0.5)", "x", 0.5, 2, NUMPY),
    Case("numpy-mean", "import numpy as np; x = [0, 1]", "np.mean(x)", 0.5, 2, NUMPY),
    Case("numpy-array", "import numpy as np; x = np.array(0.5)", "x", 0, 2, NOTHING),
    Case("true", "x = 1 == 1", "x", 2),
    Case("false", "x = 1 == 2", "x", 0, 2, "False is a failed test"),
    Case("numpy-false", "import numpy as np; x = np.False_", "x", 0, 2, "False is a failed test"),
    Case("none", "x = None", "x", 2),
    Case("prints", "x = 0.0", "print(x)", 2),
    Case("displays", "x = 0.0", "display(x)", 2),
    Case("suppressed", "x = 0.0", "x;", 2),
    Case("stderr", "import sys", "print('careful', file=sys.stderr)", 2, 0, STDERR),
    Case("warning", "import warnings", "warnings.warn('careful')", 2, 0, STDERR),
    Case("warning-in-answer", "import warnings; warnings.warn('careful')", "assert True", 2),
    Case("system-exit", "def f(): raise SystemExit(0)", "f()", 0),
    Case("hidden-passes", "x = 3", "assert x > 0\n### BEGIN HIDDEN TESTS\nassert x == 3\n### END HIDDEN TESTS", 2),
    Case("hidden-fails", "x = 4", "assert x > 0\n### BEGIN HIDDEN TESTS\nassert x == 3\n### END HIDDEN TESTS", 0),
    Case("manual-answered", "x = 1", "", None, kind="manual"),
    Case("manual-unchanged", "", "", 0, kind="manual"),
)
