"""Write a group's report on its photo classification: ``python -m reference.photos_report report.pdf``.

It has what the homework asks for: the parts of the members, a mascot 吉祥物 among them, and a section each for purpose,
content, preprocessing, model, training and results. The bytes are always the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONT = "MSung-Light"  # PDF readers substitute their own font: no font file is needed or embedded

TITLE = "影像辨識實驗：注音符號"
MEMBERS = (
    ("林詠晴", "蒐集字型、產生圖片"),
    ("陳柏翰", "模型設計、訓練"),
    ("張家豪", "資料前處理、資料擴增、撰寫報告"),
    ("王小明", "吉祥物"),
)
SECTIONS = (
    (
        "實驗目的",
        "仿照 MNIST 手寫數字辨識，訓練一個卷積神經網路辨識 37 個注音符號，並找出哪些符號最容易搞混。",
        "MNIST 的圖片已經整理得很乾淨；我們想知道圖片由自己準備時，哪些步驟最花時間、最影響結果。",
    ),
    (
        "實驗內容",
        "以十九種字型畫出 ㄅ 到 ㄩ 共 37 類，每類 40 張，總共 1480 張 64 × 64 的彩色圖片。"
        "每張都加上旋轉、傾斜、筆畫粗細、模糊、雜訊、紙張顏色與單側光線，模擬用手機拍攝印刷字與手寫字。",
        "圖片依類別放在 pictures 資料夾，每一類一個子資料夾，沒有任何兩張是同一張圖的副本。",
    ),
    (
        "資料前處理",
        "用 image_dataset_from_directory 把圖片統一縮放成 64 × 64，再以 Rescaling 把 0 到 255 換成 -1 到 1。",
        "資料擴增用 RandomRotation（正負 15 度）、RandomTranslation（10 %）與 RandomZoom（15 %），只在訓練時作用。"
        "不做翻轉，也不轉 90 度：ㄇ 上下顛倒就是 ㄩ，ㄈ 轉 90 度就是 ㄇ，翻轉後答案就錯了。",
    ),
    (
        "模型設計",
        "四組卷積層（16、32、64、64 個濾鏡，3 × 3）各接批次正規化、ReLU 與最大池化，再接 Dropout、"
        "128 個單元的全連接層與 softmax 輸出層，參數約 19.7 萬個。",
        "批次正規化用來消除紙張明暗的影響；圖片不多，所以用 Dropout 避免死背。",
    ),
    (
        "訓練過程",
        "取兩成訓練圖片當驗證資料，批次大小 32，Adam 優化器，學習率由 0.002 以餘弦方式遞減，共 25 個 epoch。",
        "前幾個 epoch 損失停在 3.6（亂猜 37 類的損失是 ln 37），之後兩條曲線一起下降。"
        "驗證損失比訓練損失低，因為訓練時的圖片經過擴增與 Dropout，比較難。",
    ),
    (
        "訓練結果",
        "驗證資料的準確率約 0.96。認錯的多半是筆畫少、又被雜訊或陰影蓋住的圖片，以及只差一筆的符號，例如 ㄛ 與 ㄜ。",
        "關掉資料擴增後，訓練準確率到達 1，驗證準確率卻只有 0.94，可見網路開始死背圖片；改用翻轉則只剩 0.31。"
        "如果再做一次，我們會多拍一些真正的手寫字。",
    ),
)


def write_report(path: Path) -> None:
    """Write the PDF. Raises ``OSError``."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    document = SimpleDocTemplate(
        str(path), pagesize=A4, margins=2 * cm, title=TITLE, author="、".join(name for name, _ in MEMBERS), invariant=1
    )
    document.build(list(_story()))


def _story() -> Iterator[Flowable]:
    body = ParagraphStyle("body", fontName=FONT, fontSize=11, leading=18, wordWrap="CJK", spaceAfter=6)
    heading = ParagraphStyle("heading", body, fontSize=14, leading=22, spaceBefore=12)
    yield Paragraph(TITLE, ParagraphStyle("title", body, fontSize=20, leading=30, alignment=TA_CENTER))
    yield Paragraph("一、組員名單與分工", heading)
    table = Table([("姓名", "負責的項目"), *MEMBERS], colWidths=(4 * cm, 11 * cm), hAlign="LEFT")
    table.setStyle(TableStyle([("FONT", (0, 0), (-1, -1), FONT, 11), ("GRID", (0, 0), (-1, -1), 0.5, colors.grey)]))
    yield table
    for number, (title, *paragraphs) in zip("二三四五六七", SECTIONS, strict=True):
        yield Spacer(0, 6)
        yield Paragraph(f"{number}、{title}", heading)
        yield from (Paragraph(text, body) for text in paragraphs)


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m reference.photos_report REPORT.pdf", file=sys.stderr)
        return 2
    try:
        write_report(Path(arguments[0]))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
