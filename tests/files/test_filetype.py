from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.files.filetype import is_document_archive, kind
from tests.support.builders import zip_bytes


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04", "a zip archive"),
        (zip_bytes({"word/document.xml": b""}), "a Word document"),
        (b"RIFF\0\0\0\0WEBP", "a WebP image"),
        (b"\0\0\0\x18ftypheic", "a HEIC image"),
        (b"\x89PNG\r\n", "a PNG image"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as a saved model"),
        (b"<!DOCTYPE html><html>", "a web page (HTML)"),
        (b"<<<<<<< a\n=======\n>>>>>>> b", "a file with unresolved merge conflicts (<<<<<<< and >>>>>>>)"),
        (b"https://colab.research.google.com/x", "a link, perhaps to the notebook"),
        (b'{"a": 1}', "JSON text"),
        (b"[1, 2", "broken JSON"),
        (b"import numpy as np\n", "a Python script"),
        (b"some words", "plain text"),
        (bytes(range(128, 256)), "a file of unknown kind"),
    ],
)
def test_files_are_recognized_by_their_first_bytes(data: bytes, expected: str) -> None:
    assert str(kind(data)) == expected


@given(st.binary(max_size=300))
def test_any_file_has_a_kind(data: bytes) -> None:
    assert str(kind(data))


def test_only_zips_of_documents_are_document_archives() -> None:
    assert is_document_archive(zip_bytes({"word/document.xml": b""}))
    assert not is_document_archive(zip_bytes({"hw.ipynb": b"{}"}))
    assert not is_document_archive(b"word/")
