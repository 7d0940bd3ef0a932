"""The modules of Colab and Kaggle: what serves these places does nothing, what brings data, brings the course's."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from . import log
from .downloads import copy_of
from .files import Finder
from .kinds import Kind
from .sources import Handout, refusal
from .stub_modules import Anything, nothing, offer, offer_missing

MAX_UPLOAD_BYTES = 256 << 20


def start(handout: Handout, finder: Finder) -> None:
    offer(
        {
            "google.colab": _colab,
            "google.colab.drive": lambda module: _drive(module, handout.work),
            "google.colab.files": lambda module: _files(module, handout, finder),
            "google.colab.userdata": _userdata,
            "google.colab.output": lambda module: setattr(module, "__getattr__", _no_page),
            "google.colab.auth": lambda module: _idle(module, "auth", "authenticate_user"),
            "google.colab.patches": _patches,
            "google.colab.data_table": lambda module: setattr(module, "__getattr__", lambda _name: Anything),
        }
    )
    offer_missing(
        {
            "kaggle_secrets": _kaggle_secrets,
            "kaggle": _kaggle,
            "kaggle.api": _kaggle_api,
            "kaggle.api.kaggle_api_extended": _kaggle_api,
            "gdown": lambda module: _gdown(module, handout),
            "wget": lambda module: _wget(module, handout),
        }
    )


def _idle(module: ModuleType, name: str, *functions: str) -> None:
    """Functions that have nothing to do here, and say so in the report."""
    for function in functions:
        setattr(module, function, _noted(f"{name}.{function}()"))


def _noted(what: str) -> Callable[..., None]:
    def called(*_args: Any, **_kwargs: Any) -> None:
        log.note(Kind.PLACE, what)

    return called


# ------------------------------------------------------------------ Colab


def _colab(module: ModuleType) -> None:
    def submodule(name: str) -> Any:
        """``google.colab.files`` without an import of its own, as Colab allows."""
        import importlib

        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return importlib.import_module(f"google.colab.{name}")
        except ModuleNotFoundError:
            raise AttributeError(f"module 'google.colab' has no attribute {name!r}") from None

    module.__getattr__ = submodule  # type: ignore[method-assign]


def _drive(module: ModuleType, work: Path) -> None:
    def mount(mountpoint: str = "/content/drive", *_args: Any, **_kwargs: Any) -> None:
        log.note(Kind.PLACE, f"drive.mount({mountpoint!r})")
        if Path(mountpoint).parent.resolve() == work.resolve():  # /content is the notebook's folder: it can be saved to
            (Path(mountpoint) / "MyDrive").mkdir(parents=True, exist_ok=True)

    module.mount = mount  # type: ignore[attr-defined]
    _idle(module, "drive", "flush_and_unmount")


class Uploaded(dict[str, bytes]):
    """By the author's own name for a file as well: "Heart (1).CSV" is not there, "heart.csv" may be."""

    def __init__(self, finder: Finder) -> None:
        super().__init__()
        self._finder = finder

    def __missing__(self, name: str) -> bytes:
        path = self._finder.file(f"/content/{name}")
        if path is None:
            raise KeyError(name)
        log.note(Kind.FILE, name, self._finder.shown(path))
        return Path(path).read_bytes()


def _files(module: ModuleType, handout: Handout, finder: Finder) -> None:
    def upload(*_args: Any, **_kwargs: Any) -> dict[str, bytes]:
        """As on Colab: name and content of each file, which then lies beside the notebook."""
        found = Uploaded(finder)
        left = MAX_UPLOAD_BYTES
        for name in handout.files:
            path = handout.work / name
            if "/" not in name and path.is_file() and path.stat().st_size <= left:
                found[name] = path.read_bytes()
                left -= len(found[name])
        if not found:
            raise FileNotFoundError(
                "files.upload(): nobody is there to choose a file while homework is graded, and none was handed out. "
                "Hand the file in beside the notebook and open it by its name."
            )
        log.note(Kind.UPLOAD, "files.upload()", ", ".join(found))
        return found

    module.upload = upload  # type: ignore[attr-defined]
    _idle(module, "files", "download", "view")


def _userdata(module: ModuleType) -> None:
    class SecretNotFoundError(Exception):
        """There are no secrets here."""

    def get(key: str) -> str:
        raise SecretNotFoundError(f"userdata.get({key!r}): there are no secrets while homework is graded. Do without.")

    module.SecretNotFoundError = module.NotebookAccessError = SecretNotFoundError  # type: ignore[attr-defined]
    module.get = get  # type: ignore[attr-defined]


def _no_page(name: str) -> Any:
    """google.colab.output: there is no page to change, and none that could answer."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "eval_js":
        return _asks_the_page
    return contextlib.nullcontext if name in ("redirect_to_element", "use_tags", "temporary") else nothing


def _asks_the_page(*_args: Any, **_kwargs: Any) -> None:
    raise NotImplementedError("output.eval_js(): there is no page while homework is graded, and no camera.")


def _patches(module: ModuleType) -> None:
    def cv2_imshow(picture: Any) -> None:
        """OpenCV keeps blue first."""
        import numpy as np
        from IPython.display import display
        from PIL import Image

        pixels = np.clip(np.asarray(picture), 0, 255).astype(np.uint8)
        if pixels.ndim == 3:
            pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
        display(Image.fromarray(pixels))

    module.cv2_imshow = cv2_imshow  # type: ignore[attr-defined]


# ------------------------------------------------------------------ Kaggle


def _kaggle_secrets(module: ModuleType) -> None:
    class UserSecretsClient:
        def get_secret(self, label: str) -> str:
            raise ValueError(f"get_secret({label!r}): there are no secrets while homework is graded. Do without.")

        get_gcloud_credential = get_bigquery_access_token = get_secret

    module.UserSecretsClient = UserSecretsClient  # type: ignore[attr-defined]


class _Api:
    """Kaggle's, without a server to ask."""

    def authenticate(self) -> None:
        log.note(Kind.PLACE, "kaggle.api.authenticate()")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def refused(*args: Any, **_kwargs: Any) -> None:
            what = ", ".join(repr(arg) for arg in args if isinstance(arg, str))
            raise ConnectionError(refusal(f"kaggle.api.{name}({what})"))

        return refused


def _kaggle(module: ModuleType) -> None:
    module.KaggleApi, module.api = _Api, _Api()  # type: ignore[attr-defined]


def _kaggle_api(module: ModuleType) -> None:
    module.KaggleApi = _Api  # type: ignore[attr-defined]
    module.__getattr__ = lambda name: getattr(_Api(), name)  # type: ignore[method-assign]


# ------------------------------------------------------------------ downloaders


def _gdown(module: ModuleType, handout: Handout) -> None:
    def download(url: str | None = None, output: str | None = None, *_args: Any, **kwargs: Any) -> str:
        return _given(url or f"https://drive.google.com/uc?id={kwargs.get('id')}", output, handout)

    module.download = module.cached_download = download  # type: ignore[attr-defined]


def _wget(module: ModuleType, handout: Handout) -> None:
    def download(url: str, out: str | None = None, *_args: Any, **_kwargs: Any) -> str:
        return _given(url, out, handout)

    module.download = download  # type: ignore[attr-defined]


def _given(address: str, target: str | None, handout: Handout) -> str:
    path = copy_of(address, handout)
    place = Path(target or path.name)
    place = place / path.name if place.is_dir() else place
    if not (place.exists() and place.samefile(path)):
        shutil.copyfile(path, place)
    return str(place)
