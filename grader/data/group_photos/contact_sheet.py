"""A few of a class's pictures in a row, small enough for a report's page."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

COLUMNS = 10
MAX_BYTES = 200_000  # of all sheets of a report
GAP = 2  # white pixels between two
_QUALITIES = (80, 60, 40, 20)


def contact_sheet(thumbnails: NDArray[np.uint8], most_bytes: int) -> bytes:
    """A JPEG of ``(n, h, w, 3)`` pictures, ``COLUMNS`` a row; empty when it would not fit into ``most_bytes``."""
    # Encodes pixels of ours; what strangers wrote was decoded elsewhere.
    from PIL import Image  # noqa: PLC0415  not for those who only ask for help

    count, height, width = thumbnails.shape[:3]
    rows, columns = -(-count // COLUMNS), min(count, COLUMNS)
    sheet = np.full((rows * (height + GAP), columns * (width + GAP), 3), 255, np.uint8)
    for place, thumbnail in enumerate(thumbnails):
        top, left = place // COLUMNS * (height + GAP), place % COLUMNS * (width + GAP)
        sheet[top : top + height, left : left + width] = thumbnail
    for quality in _QUALITIES if count else ():
        buffer = io.BytesIO()
        Image.fromarray(sheet).save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= most_bytes:
            return buffer.getvalue()
    return b""
