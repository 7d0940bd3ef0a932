"""Take the pictures of README.md: run the demo, open its pages in Chromium, photograph the upper part of two of them.

    nox -s screenshots

Needs Playwright and a Chromium (``CHROMIUM`` names its program, by default ``chromium``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "images"
LANGUAGES = {"en": "", "zh-TW": "-zh"}  # language of the pages -> end of the pictures' names
SIZE = ViewportSize(width=1100, height=900)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = shutil.which(os.environ.get("CHROMIUM", "chromium"))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        for language, suffix in LANGUAGES.items():
            results = run_demo(Path(folder) / language, language)
            photograph(page, results / "index.html", IMAGES / f"class{suffix}.png")
            photograph(page, best_report(results), IMAGES / f"report{suffix}.png")
        browser.close()


def run_demo(out: Path, language: str) -> Path:
    subprocess.run([sys.executable, "-m", "grader", "demo", "--out", str(out), "--lang", language], check=True)
    return out


def best_report(results: Path) -> Path:
    """Return the longest report: the one of a notebook with training curves, figures and every criterion."""
    return max(results.glob("students/*/report.html"), key=lambda path: path.stat().st_size)


def photograph(page: Page, path: Path, image: Path) -> None:
    page.goto(path.resolve().as_uri())
    page.screenshot(path=image)


if __name__ == "__main__":
    main()
