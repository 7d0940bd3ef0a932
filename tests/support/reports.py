"""Students' reports: PDFs with Chinese, made as word processors make them, and broken ones."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from grader.files.isolated import ProcessLimits
from grader.models.pdf_report import Document
from grader.models.submission import Attachment
from grader.scoring.report_pdf import pdf_text
from grader.scoring.report_pdf.document_reader import Wanted, read_document

CHINESE = "MSung-Light"
EVERYTHING = Wanted()
pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))

REPORT = """注音符號辨識 期末報告

一、組員與分工
王小明 (s1100123)：資料蒐集、拍照
李美玲 (s1100124)：程式、訓練模型
陳大文 (s1100125)：吉祥物
二、研究動機與目的
我們想知道電腦能不能像人一樣看懂手寫的注音符號，於是自己寫了一百張來試。
三、資料內容
每個符號十張，共三十七個符號，用手機拍照之後裁成正方形。
四、資料前處理
把照片縮成二十八乘二十八的灰階圖片，再用旋轉和平移增加成五倍。
五、模型設計
兩層卷積與池化，最後是全連接層，共三十七個輸出。
六、訓練過程
批次三十二，訓練二十個週期，驗證資料占兩成，損失穩定下降。
七、結果與結論
測試準確率百分之九十三，容易混淆的是ㄇ和ㄈ，之後想再收集更多人的字跡。
"""


def drawn(draw: Callable[[Canvas], None]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def typed(*pages: str, size: int = 11) -> bytes:
    """Make a PDF: each text is a page, each of its lines a line."""

    def draw(canvas: Canvas) -> None:
        for page in pages:
            canvas.setFont(CHINESE, size)
            for place, line in enumerate(page.split("\n")):
                canvas.drawString(60, 780 - place * size * 1.5, line)
            canvas.showPage()

    return drawn(draw)


def changed(content: bytes, change: Callable[[PdfWriter], None]) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    change(writer)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def attachment(folder: Path, content: bytes, name: str = "report.pdf") -> Attachment:
    path = folder / f"{len(list(folder.iterdir()))}-{Path(name).name}"
    path.write_bytes(content)
    return Attachment(name, path)


def read(folder: Path, content: bytes, name: str = "report.pdf", wanted: Wanted = EVERYTHING) -> Document:
    """Read a PDF in this process; only for harmless files."""
    return read_document([attachment(folder, content, name)], wanted, decode=_here)


def _here(_module: str, request: Mapping[str, Any], _bounds: ProcessLimits) -> Any:
    try:
        return pdf_text.answer(dict(request))
    finally:
        logging.disable(logging.NOTSET)


def found(document: Document) -> Sequence[str]:
    return [section.name for section in document.sections if section.characters]
