"""Pages opened in a real browser."""

from __future__ import annotations

from playwright.sync_api import Dialog, Page


def watch(page: Page, requests: list[str], dialogs: list[str]) -> None:
    """Record the address of every request and the text of every dialog of a page; dismiss the dialogs."""

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", dismiss)
