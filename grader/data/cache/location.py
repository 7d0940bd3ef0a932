"""Where public data and weights lie: one folder for everybody on this machine, laid out as Keras lays out its cache.

library/datasets, library/models   as in ``KERAS_HOME``: what ``keras.datasets`` and ``keras.applications`` open
library/arrays                     the same data as plain arrays, where Keras' own form would need pickle
library/photos/SET/SPLIT/CLASS     pictures
library/fonts                      fonts
library/index                      what was fetched, from where, with the SHA-256 of every file
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

DATASETS, MODELS, ARRAYS, PHOTOS, FONTS, INDEX = "datasets", "models", "arrays", "photos", "fonts", "index"


def default_library() -> Path:
    return platformdirs.user_cache_path("grader", appauthor=False) / "library"
