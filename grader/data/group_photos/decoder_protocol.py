"""What the decoder and who reads its answer agree on: names, sizes, reasons. Without Pillow, for the command line."""

from __future__ import annotations

ARRAYS, PROGRESS = "pictures.npz", "progress"
MAX_PIXELS = 40_000_000
THUMBNAIL = 64  # pixels, both ways
TOO_MANY_PIXELS, UNKNOWN = "too many pixels", "unknown kind"
