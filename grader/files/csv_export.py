"""CSV files for spreadsheet programs, which must not run a student's name as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# Spreadsheets read a cell that starts like this as a formula; the full-width forms count in Chinese locales.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # Excel needs it to recognize UTF-8


def escape_formula(cell: str) -> str:
    """Return ``cell``, with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def points_cell(points: float | None) -> str:
    """Return points rounded to four decimals, or an empty cell for None."""
    return "" if points is None else f"{round(points, 4):.12g}"


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return CSV as of RFC 4180, with CR LF and a byte order mark. Call ``escape_formula`` on untrusted cells first."""
    target = io.StringIO(newline="")
    csv.writer(target).writerows(rows)
    return BYTE_ORDER_MARK + target.getvalue()
