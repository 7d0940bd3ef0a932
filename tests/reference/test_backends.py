"""The same systems on another backend of Keras, which is installed for this test alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.network
def test_the_systems_are_built_and_trained_on_jax(tmp_path: Path) -> None:
    # NumPy, SciPy and ml_dtypes, which it also asks for, are TensorFlow's and scikit-learn's already.
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path / "jax")]
    subprocess.run([*install, "jax", "jaxlib", "opt_einsum"], check=True, capture_output=True)
    variables = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(tmp_path / "jax")}
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--no-cov", "-p", "no:cacheprovider"]
    suites = [HERE / "test_training.py", HERE / "test_systems.py"]
    done = subprocess.run(
        [*pytest_alone, *suites], cwd=HERE.parents[1], env=variables, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
