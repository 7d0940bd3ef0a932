"""A CSV by an LMS in which single cells are filled in; every other byte stays unchanged."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.files import filetype
from grader.i18n.message import Message, message
from grader.models.errors import IntakeError

MAX_BYTES = 50 * 2**20
DELIMITERS = (",", ";", "\t")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Without a byte order mark: Excel saves Big5 in Taiwan, code page 1252 in the West; Latin-1 decodes anything.
_ENCODINGS = ("utf-8", "cp950", "cp1252", "latin-1")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: ``text`` without quotes, and its place in the sheet's text, quotes included."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A parsed table. ``rows`` begin with the header; empty rows are left out."""

    path: Path
    text: str
    encoding: str
    mark: bytes
    delimiter: str
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(cell.text.strip() for cell in self.rows[0])

    def line(self, row: int) -> int:
        """Return the line of the file where ``row`` begins, counted from 1."""
        before = self.text[: self.rows[row][0].start]
        return 1 + len(re.findall(r"\r\n|\r|\n", before))

    def cell(self, row: int, column: int) -> str:
        """Return the text of a cell; empty where the row is shorter than the header."""
        cells = self.rows[row]
        return cells[column].text if column < len(cells) else ""


def read_sheet(path: Path) -> Sheet:
    """Return the table in ``path``; raises ``IntakeError`` if it is not a table with a header."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise IntakeError(message("{path} cannot be read: {reason}.", path=path, reason=str(error.strerror))) from error
    if size > MAX_BYTES:
        raise IntakeError(
            message("{path} has {size} MB; expected a gradebook of less than {limit} MB.", path=path,
                    size=size // 2**20, limit=MAX_BYTES // 2**20)
        )  # fmt: skip
    if (kind := binary_kind(path)) is not None:
        raise IntakeError(
            message(
                "{path} is {kind}; expected a table as text with commas or tabs. Give the file as the LMS wrote it, "
                "not opened and saved again.",
                path=path, kind=kind,
            )
        )  # fmt: skip
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    text, encoding = _decode(data[len(mark) :], encoding)
    delimiter, rows = max(
        ((character, _rows(text, character)) for character in DELIMITERS), key=lambda read: _regularity(read[1])
    )
    if not rows or len(rows[0]) < 2:
        raise IntakeError(
            message(
                "{path} is not a table: found {found}; expected a line of column names with commas, semicolons "
                "or tabs between them.",
                path=path,
                found=repr(text[:60]),
            )
        )
    return Sheet(path, text, encoding, mark, delimiter, rows)


def binary_kind(path: Path) -> Message | None:
    """Return the kind of a binary file, such as an Excel document; None for text and for an unreadable file."""
    try:
        with path.open("rb") as file:
            head = file.read(filetype.HEAD_BYTES)
    except OSError:
        return None
    return None if head.startswith(tuple(mark for mark, _encoding in _MARKS)) else filetype.binary_kind(head)


def fill_cells(sheet: Sheet, changes: Mapping[tuple[int, int], str]) -> bytes:
    """Return the file's bytes with the cells at (row, column) replaced.

    New cells are quoted where the old ones were or their text requires it. A row shorter than the header is extended.
    Raises ``IntakeError`` for a character that the file's encoding lacks.
    """
    parts: list[str] = []
    done = 0
    for (row, column), text in sorted(changes.items()):
        cells = sheet.rows[row]
        if column < len(cells):
            start, end = cells[column].start, cells[column].end
            new = _quote(text, sheet.delimiter, quoted=sheet.text[start:end].startswith('"'))
        else:
            start = end = cells[-1].end
            written = sum(1 for other_row, other in changes if other_row == row and len(cells) <= other < column)
            missing = column - len(cells) + 1 - written
            new = sheet.delimiter * missing + _quote(text, sheet.delimiter, quoted=False)
        parts += [sheet.text[done:start], new]
        done = end
    filled = "".join(parts) + sheet.text[done:]
    try:
        return sheet.mark + filled.encode(sheet.encoding)
    except UnicodeEncodeError as error:
        found = filled[error.start : error.start + 1]
        raise IntakeError(
            message(
                "{path} is in the encoding {encoding}, which has no {found}. Download it again as UTF-8.",
                path=sheet.path, encoding=sheet.encoding, found=found,
            )
        ) from error  # fmt: skip


def format_number(value: float, *, decimal_comma: bool, digits: int = 2) -> str:
    """Return ``value`` with at most ``digits`` decimals, without trailing zeros."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", ",") if decimal_comma else text


def parse_number(text: str) -> float | None:
    """Return the number in a cell, with a decimal point or comma; None for any other text."""
    found = re.fullmatch(r"\s*([-+]?[0-9]+(?:[.,][0-9]+)?)\s*", text)
    return float(found[1].replace(",", ".")) if found else None


def _decode(data: bytes, encoding: str) -> tuple[str, str]:
    for name in (encoding,) if encoding else _ENCODINGS:
        try:
            text = data.decode(name)
            if text.encode(name) == data:
                return text, name
        except UnicodeError:
            continue
    return data.decode("latin-1"), "latin-1"


def _rows(text: str, delimiter: str) -> tuple[tuple[Cell, ...], ...]:
    return tuple(row for row in _split(text, delimiter) if any(cell.text.strip() for cell in row))


def _split(text: str, delimiter: str) -> Iterator[tuple[Cell, ...]]:
    mark = re.escape(delimiter)
    pattern = re.compile(rf'("[^"]*+(?:""[^"]*+)*+"|[^{mark}\r\n]*+)({mark}|\r\n|\r|\n|\Z)|([^{mark}\r\n]*)')
    row: list[Cell] = []
    place = 0
    while place <= len(text):
        found = pattern.match(text, place)
        assert found is not None  # the last alternative matches anything
        if found[1] is None:  # a quoted cell with text after its quotes: taken literally
            end = found.end(3)
            row.append(Cell(found[3], place, end))
            ending = re.compile(rf"{mark}|\r\n|\r|\n|\Z").match(text, end)
            assert ending is not None
            place, ended = ending.end(), ending[0]
        else:
            row.append(Cell(_unquote(found[1]), place, found.end(1)))
            place, ended = found.end(), found[2]
        if ended != delimiter:
            yield tuple(row)
            row = []
            if not ended:
                return


def _unquote(raw: str) -> str:
    return raw[1:-1].replace('""', '"') if len(raw) > 1 and raw[0] == raw[-1] == '"' else raw


def _regularity(rows: Sequence[Sequence[Cell]]) -> tuple[float, int]:
    """Return the share of rows as long as the header, and that length; zeros for a header of one cell."""
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    return sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])


def _quote(text: str, delimiter: str, *, quoted: bool) -> str:
    if quoted or any(mark in text for mark in (delimiter, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text
