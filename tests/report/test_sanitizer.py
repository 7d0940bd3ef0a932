"""Student content on a page: nothing runs, loads or hides anything."""

from __future__ import annotations

import base64
import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.report.sanitizer import image_uri, safe_code, safe_html, safe_markdown, shorten, terminal_text
from tests.support.graded_class import HOSTILE, png

SAFE_TAGS = set(
    """a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6
    hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u
    ul var""".split()  # noqa: SIM905 - a list of names
)
SAFE_ATTRIBUTES = {"href", "rel", "src", "alt", "start", "colspan", "rowspan", "scope", "class"}


class Page(HTMLParser):
    """Tags and attributes that a browser sees in a fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def assert_harmless(fragment: str) -> None:
    page = Page(fragment)
    assert page.tags <= SAFE_TAGS
    assert {name for name, _value in page.attributes} <= SAFE_ATTRIBUTES
    for name, value in page.attributes:
        if name == "href":
            assert value.lower().startswith(("http://", "https://", "mailto:"))
        if name == "src":
            assert value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,"))


PIECES = st.sampled_from(
    [
        *HOSTILE,
        *"<>\"'&=/`()[]!\n\t \x00",
        *["<a ", "<img ", "<svg", "href=", "src=", "onerror=", "javascript:", "java\tscript:", "data:text/html,"],
        *["<!--", "-->", "<![CDATA[", "]]>", "<math>", "<style>", "</style>", "<title>", "<template>", "<noscript>"],
        *["&#106;avascript:", "attachment:a", "```", "<table>", "<mtext>", "<select>", "<p ", "style=", "id="],
    ]
)
MIXTURES = st.lists(PIECES | st.text(max_size=8), max_size=14).map("".join)


@pytest.mark.parametrize("safe", [safe_html, safe_markdown, safe_code], ids=["html", "markdown", "code"])
@pytest.mark.parametrize("trick", HOSTILE)
def test_a_hostile_fragment_is_harmless(safe: object, trick: str) -> None:
    assert callable(safe)
    assert_harmless(safe(trick))


@settings(max_examples=3 * settings().max_examples, deadline=None)
@given(MIXTURES)
@example("[a](<javascript:alert(1)>)")
@example("<a href='&#x6A;avascript:alert(1)'>a</a>")
def test_mixed_hostile_fragments_are_harmless(text: str) -> None:
    assert_harmless(safe_html(text, {"a": f"data:image/png;base64,{png()}"}))
    assert_harmless(safe_markdown(text, {"a": f"data:image/png;base64,{png()}"}))
    assert_harmless(safe_code(text))


def test_harmless_markup_is_kept() -> None:
    table = safe_html("<style>td{}</style><table><tr><td colspan='2'>kept</td></tr></table>")
    text = safe_markdown("# Title\n\n**bold** [site](https://example.org)\n\n|a|\n|-|\n|1|")

    assert "kept" in table
    assert 'colspan="2"' in table
    assert "td{}" not in table
    assert "<h3>Title</h3>" in text
    assert 'href="https://example.org"' in text
    assert "<td>1</td>" in text


def test_embedded_pictures_are_shown_and_remote_ones_are_not() -> None:
    uri = f"data:image/png;base64,{png()}"

    assert uri in safe_markdown("![a](attachment:my%20picture.png)", {"my picture.png": uri})
    assert uri in safe_html(f'<img src="{uri}">')
    assert "src" not in safe_html('<img src="https://example.org/a.png" alt="a">')


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/png", b"<script>alert(1)</script>"),
        ("image/jpeg", base64.b64decode(png())),
        ("image/svg+xml", b"<svg onload=alert(1)>"),
        ("image/png", base64.b64decode(png())[:20]),
        ("image/png", base64.b64decode(png())[:16] + b"\x7f\xff\xff\xff" * 2 + b"\x00" * 9),
        ("image/gif", b"GIF89a\xff\xff\xff\xff"),
        ("image/jpeg", b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03"),
        ("image/jpeg", b"\xff\xd8\xff"),
    ],
    ids=["script", "other kind", "svg", "cut off", "huge png", "huge gif", "huge jpeg", "empty jpeg"],
)
def test_invalid_pictures_are_refused(media_type: str, content: bytes) -> None:
    assert image_uri(media_type, base64.b64encode(content).decode()) is None


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/png", base64.b64decode(png())),
        ("image/gif", b"GIF89a\x10\x00\x10\x00"),
        ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x10" + b"J" * 14 + b"\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03"),
    ],
    ids=["png", "gif", "jpeg"],
)
def test_valid_pictures_are_accepted(media_type: str, content: bytes) -> None:
    encoded = base64.b64encode(content).decode()

    assert image_uri(media_type, f"{encoded[:8]}\n{encoded[8:]}\n") == f"data:{media_type};base64,{encoded}"


@settings(max_examples=2 * settings().max_examples, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["image/png", "image/jpeg", "image/gif"]))
def test_any_bytes_can_be_checked_as_a_picture(content: bytes, media_type: str) -> None:
    starts = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF89a"}
    uri = image_uri(media_type, base64.b64encode(starts[media_type] + content).decode())

    assert uri is None or uri.startswith(f"data:{media_type};base64,")


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("1/3\r2/3\r3/3 done\nnext", "3/3 done\nnext"),
        ("1/3\r2/3\r", "2/3"),
        ("1/2\b\b\b2/2", "2/2"),
        ("a\r\nb", "a\nb"),
        ("\b\b\bx\x00\x07", "x"),
        ("漢字\t|", "漢字\t|"),
    ],
    ids=["colour", "link", "return", "return at the end", "backspace", "Windows", "too many backspaces", "text"],
)
def test_terminal_text_is_the_final_state(written: str, left: str) -> None:
    assert terminal_text(written) == left


@given(st.text(st.sampled_from("ab\n漢"), max_size=400))
def test_shortened_text_counts_the_characters_left_out(text: str) -> None:
    head, tail, omitted = shorten(text, lines=8, characters=60)

    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + omitted + len(tail) == len(text)
    assert omitted or not tail
    assert len(head) + len(tail) <= 60


SLOW = {
    "brackets": "[" * 60_000,
    "stars": "*a" * 60_000,
    "links": "[a](" * 40_000,
    "divs": "<div>" * 40_000,
    "quotes": ">" * 60_000,
    "empty lines": "\n" * 120_000,
    "escapes": "\x1b[" * 100_000,
    "strings": "f'{" * 40_000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_any_text_is_sanitised_quickly(text: str) -> None:
    begun = time.process_time()
    for make in (safe_markdown, safe_html, safe_code, terminal_text):
        make(text)

    assert time.process_time() - begun < 20
