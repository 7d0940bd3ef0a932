"""What the layer may say that it did. The guest notes it, the host has the sentences."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What was done. ``found`` and ``used`` of a note are names, code and paths; the host has the sentences."""

    # We translated this for you.
    TRANSLATED = "translated"  # found is yesterday's spelling, used is today's
    IGNORED = "ignored"  # an argument that does nothing any more
    CAUTION = "caution"  # found runs, and means something else today; used is what was probably meant. Left as it is
    # This would not run elsewhere.
    FILE = "file"  # found was not handed in; the course's own used was read
    DOWNLOAD = "download"  # found is not fetched; the copy used was taken
    PLACE = "place"  # found exists on Colab or Kaggle alone; nothing was done
    UPLOAD = "upload"  # a file was asked for; the course's own used was given
    INSTALLED = "installed"  # an installation was asked for; found is here already
    NOT_INSTALLED = "not_installed"  # found is not here and was not installed
    INSTEAD = "instead"  # found is not here; used was taken in its place
    STAND_IN = "stand_in"  # found is not here; something that does nothing stands in for it
