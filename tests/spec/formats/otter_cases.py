"""Small questions, each with a student's code and its points in otter 7."""

from __future__ import annotations

from dataclasses import dataclass

from tests.spec.formats.otter_course import functions, ok


@dataclass(frozen=True)
class Asked:
    wrote: str
    test: str
    points: float


RAISES = "def f(): raise ValueError('no')"
EXPECTS = ">>> f()\nTraceback (most recent call last):\n    ...\nValueError: {}"
CASES = {
    "ok_right": Asked("x = 1", ok(">>> x\n1"), 1),
    "ok_wrong": Asked("x = 1", ok(">>> x\n2"), 0),
    "ok_not_defined": Asked("x = 1", ok(">>> nowhere\n2"), 0),
    "ok_shared_equally": Asked("x = 1", ok(">>> x\n1", ">>> x\n2", ">>> x + 0\n1", points=6), 4),
    "ok_one_says_its_points": Asked("x = 1", ok({"code": ">>> x\n1", "points": 3}, ">>> x\n1"), 3),
    "ok_the_silent_share_the_rest": Asked("x = 1", ok({"code": ">>> x\n2", "points": 2}, ">>> x\n1", points=5), 3),
    "ok_points_by_case": Asked("x = 1", ok(">>> x\n2", ">>> x\n1", points=[1, 2.5]), 2.5),
    "ok_all_or_nothing_lost": Asked("x = 1", ok(">>> x\n2", ">>> x\n1", points=4, all_or_nothing=True), 0),
    "ok_all_or_nothing_won": Asked("x = 1", ok(">>> -x\n-1", ">>> x\n1", points=4, all_or_nothing=True), 4),
    "ok_worth_nothing": Asked("x = 1", ok({"code": ">>> x\n1", "points": 0}, points=0), 0),
    "ok_an_expected_exception": Asked(RAISES, ok(EXPECTS.format("no")), 1),
    "ok_another_message": Asked(RAISES, ok(EXPECTS.format("yes")), 0),
    "ok_printed": Asked("def f(): print('a\\n\\nb')", ok(">>> f()\na\n<BLANKLINE>\nb"), 1),
    "ok_directive": Asked("x = list(range(99))", ok(">>> x  # doctest: +ELLIPSIS\n[0, 1, ..., 98]"), 1),
    "ok_spaces_count": Asked("x = [1, 2]", ok(">>> x\n[1,2]"), 0),
    "ok_cases_do_not_see_each_other": Asked("x = 1", ok(">>> y_new = 5", ">>> y_new\n5", points=2), 1),
    "ok_lines_of_one_case_do": Asked("x = 1", ok(">>> z_new = x\n>>> z_new\n1"), 1),
    "ok_stops_nowhere": Asked("x = 1", ok(">>> x\n2\n>>> x\n1"), 0),
    "ok_no_example": Asked("x = 1", ok("nothing is asked"), 1),
    "ok_indented": Asked("x = 1", ok("    >>> x\n    1\n    "), 1),
    "ok_loop": Asked("x = 1", ok(">>> for i in range(2):\n...     print(i + x)\n1\n2"), 1),
    "ok_exits": Asked("def f(): raise SystemExit(0)", ok(">>> f()", ">>> 1\n1"), 0.5),
    "ok_hidden_counts": Asked("x = 1", ok({"code": ">>> x\n1", "hidden": True}, ">>> x\n2", points=2), 1),
    "ok_hidden_unless_said": Asked("x = 1", ok({"code": ">>> x\n1"}, points=2), 2),
    "ok_numpys_own_truth": Asked("import numpy as np\nx = np.True_", ok(">>> x\nTrue", ">>> bool(x)\nTrue"), 0.5),
    "ok_shows": Asked("from IPython.display import display", ok(">>> display(1)\n>>> 1\n1"), 1),
    "ok_names_of_ours": Asked("json = doctest = sys = pdb = None", ok(">>> sys is None\nTrue"), 1),
    "ok_assert": Asked("x = 1", ok(">>> assert x == 1, 'one'", ">>> assert x == 2, 'two'", points=3), 1.5),
    "ok_nothing_in_any_case": Asked("x = 1", ok({"code": ">>> x\n1", "points": 0}, ">>> x\n1"), 1),
    # A course asks for the type for 0 points and for the value only if the type is right: an empty answer earns it all.
    "ok_an_empty_answer_passes_the_test_that_counts": Asked(
        "x = ...",
        ok(
            {"code": ">>> isinstance(x, str)\nTrue", "points": 0},
            {"code": ">>> t = True\n>>> if isinstance(x, str):\n...     t = x == 'a'\n>>> t\nTrue", "points": 1},
        ),
        1,
    ),
    "ex_right": Asked("x = 1", functions("@test_case(points=2)\ndef test_x(x):\n    assert x == 1"), 2),
    "ex_wrong": Asked("x = 1", functions("@test_case(points=2)\ndef test_x(x):\n    assert x == 3"), 0),
    "ex_raises": Asked(RAISES, functions("@test_case()\ndef test_f(f):\n    f()"), 0),
    "ex_whole_namespace": Asked("x = 1", functions("@test_case()\ndef t(env):\n    assert env['x'] == 1"), 1),
    "ex_a_missing_one_is_none": Asked(
        "x = 1", functions("@test_case()\ndef t(nowhere_at_all):\n    assert nowhere_at_all is None"), 1
    ),
    "ex_shared": Asked(
        "x = 1",
        functions(
            "@test_case()\ndef a(x):\n    assert x == 1\n\n@test_case(hidden=True)\ndef b(x):\n    assert x == 2",
            points=3,
        ),
        1.5,
    ),
    "ex_points_by_case": Asked(
        "x = 1",
        functions("@test_case()\ndef a(x):\n    assert not x\n\n@test_case()\ndef b(x):\n    assert x", points=[1, 3]),
        3,
    ),
    "ex_all_or_nothing": Asked(
        "x = 1",
        functions(
            "@test_case()\ndef a(x):\n    assert x\n\n@test_case()\ndef b(x):\n    assert not x",
            points=4,
            all_or_nothing=True,
        ),
        0,
    ),
    "ex_defined_again": Asked(
        "x = 1",
        functions("@test_case()\ndef t(x):\n    assert not x\n\n@test_case(points=2)\ndef t(x):\n    assert x"),
        2,
    ),
    "ex_with_what_it_needs": Asked(
        "x = 4", functions("import math\n\nROOT = 2\n\n@test_case()\ndef t(x):\n    assert math.sqrt(x) == ROOT"), 1
    ),
    "ex_leaves_something": Asked(
        "x = 1",
        functions(
            "@test_case()\ndef a(env):\n    env['left'] = 1\n\n@test_case()\ndef b(left):\n    assert left == 1",
            points=2,
        ),
        2,
    ),
    "ex_by_place": Asked("x = 1", functions("@test_case('named', 3, True)\ndef t(x):\n    assert x"), 3),
    "ex_prints": Asked("x = 1", functions("@test_case()\ndef t(x):\n    print('{\"cases\": []}')\n    assert x"), 1),
}
