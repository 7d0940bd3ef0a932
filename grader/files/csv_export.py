"""Tables that people open in a spreadsheet, which must not take a name for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# A spreadsheet takes a cell that starts so for a formula; the wide forms count where Chinese is typed.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MARK = "\ufeff"  # Excel reads UTF-8 only with it


def escape_formula(cell: str) -> str:
    """``cell`` such that no spreadsheet runs it."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def points_cell(points: float | None) -> str:
    return "" if points is None else f"{round(points, 4):.12g}"


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """RFC 4180, every line ended by CR LF, marked for Excel; the caller has escape_formula what strangers wrote."""
    target = io.StringIO(newline="")
    csv.writer(target).writerows(rows)
    return MARK + target.getvalue()
