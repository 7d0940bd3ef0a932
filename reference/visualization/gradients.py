"""Compute gradients with respect to inputs on any Keras backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def input_gradient(function: Callable[[Any], Any], inputs: Any) -> Any:
    """Return the gradient of ``function``, a scalar, with respect to ``inputs``, a float tensor of the same shape.

    It is zero where the scalar does not depend on the inputs.
    """
    match keras.config.backend():
        case "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch(inputs)
                value = function(inputs)
            return tape.gradient(value, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        case "jax":
            import jax

            return jax.grad(function)(inputs)
        case "torch":
            import torch

            leaf = inputs.detach().clone().requires_grad_(True)
            value = function(leaf)
            if not value.requires_grad:  # torch would raise
                return torch.zeros_like(leaf)
            return torch.autograd.grad(value, leaf, allow_unused=True, materialize_grads=True)[0]
        case other:
            raise NotImplementedError(
                f"Keras runs on the {other} backend, which has no gradients here: "
                "set KERAS_BACKEND to tensorflow, jax or torch"
            )
