"""The one GPU that a notebook may see: its device nodes, and what has to be said before CUDA starts.

A view with the nodes of one card has only that card, whatever the notebook writes into its environment; CUDA then
counts it as number 0. Where nodes cannot be hidden, the environment alone names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEVICES = Path("/dev")
VISIBLE = "CUDA_VISIBLE_DEVICES"
# What every card needs beside its own node; dxg is a GPU inside WSL, kfd and dri are AMD's.
SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps", "dxg", "dri", "kfd")
CARD = re.compile(r"nvidia(\d+)")
# Memory is taken as it is needed, or the first notebook would have it all.
GROWTH = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


@dataclass(frozen=True, slots=True)
class Card:
    """``name`` as the environment gives it: a number, or the UUID of a card or of a part of one."""

    name: str
    nodes: tuple[Path, ...]
    alone: bool  # whether the nodes are those of this card only


def card(inherited: Mapping[str, str], devices: Path = DEVICES) -> Card | None:
    """The first that ``CUDA_VISIBLE_DEVICES`` allows, else the first there is; None where there is none to use."""
    shared = tuple(devices / name for name in SHARED if (devices / name).exists())
    numbers = sorted(int(found[1]) for path in devices.glob("nvidia*") if (found := CARD.fullmatch(path.name)))
    allowed = inherited.get(VISIBLE)
    name = allowed.split(",")[0].strip() if allowed is not None else str(numbers[0]) if numbers else ""
    if name in ("", "-1") or not (numbers or shared):
        return None
    if name.isdigit() and int(name) in numbers:
        return Card(name, (devices / f"nvidia{int(name)}", *shared), alone=True)
    return Card(name, (*(devices / f"nvidia{number}" for number in numbers), *shared), alone=False)


def environment(found: Card | None, *, hidden_others: bool) -> dict[str, str]:
    """``hidden_others``: the notebook sees the card's own nodes only."""
    if found is None:
        return {VISIBLE: "-1", **GROWTH}
    return {VISIBLE: "0" if hidden_others and found.alone else found.name, **GROWTH}
