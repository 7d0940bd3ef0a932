"""Tests of the GPU that a notebook may use, with a folder that imitates /dev."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.mounts import CUDA_VISIBLE_DEVICES, Kind, find_gpu, gpu_environment, gpu_mounts, machine_mounts

TWO_CARDS = ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null", "nvidia-fs0")


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    for name in TWO_CARDS:
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("allowed", "name", "nodes", "inside"),
    [
        pytest.param(None, "0", ("nvidia0", "nvidiactl", "nvidia-uvm"), "0", id="the first there is"),
        pytest.param("1", "1", ("nvidia1", "nvidiactl", "nvidia-uvm"), "0", id="the one allowed"),
        pytest.param("1,0", "1", ("nvidia1", "nvidiactl", "nvidia-uvm"), "0", id="the first allowed"),
        pytest.param(
            "GPU-8932f937", "GPU-8932f937", ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"), "GPU-8932f937", id="UUID"
        ),
    ],
)
def test_one_gpu_is_visible(devices: Path, allowed: str | None, name: str, nodes: tuple[str, ...], inside: str) -> None:
    found = find_gpu({} if allowed is None else {CUDA_VISIBLE_DEVICES: allowed}, devices)
    assert found is not None
    assert [node.name for node in found.nodes] == list(nodes)
    assert gpu_environment(found, nodes_hidden=True)[CUDA_VISIBLE_DEVICES] == inside
    assert gpu_environment(found, nodes_hidden=False)[CUDA_VISIBLE_DEVICES] == name


def test_gpu_memory_is_allocated_on_demand(devices: Path) -> None:
    given = gpu_environment(find_gpu({}, devices), nodes_hidden=True)
    assert given["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert given["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


@pytest.mark.parametrize("allowed", ["", "-1"])
def test_gpu_can_be_disabled(devices: Path, allowed: str) -> None:
    assert find_gpu({CUDA_VISIBLE_DEVICES: allowed}, devices) is None


def test_machine_without_a_gpu(tmp_path: Path) -> None:
    assert find_gpu({}, tmp_path) is None
    assert gpu_environment(None, nodes_hidden=True)[CUDA_VISIBLE_DEVICES] == "-1"


def test_gpu_of_another_vendor_is_found(tmp_path: Path) -> None:
    (tmp_path / "dxg").touch()
    found = find_gpu({CUDA_VISIBLE_DEVICES: "0"}, tmp_path)
    assert found is not None and [node.name for node in found.nodes] == ["dxg"]


def test_mounts_have_only_the_nodes_of_the_gpu(devices: Path) -> None:
    found = find_gpu({CUDA_VISIBLE_DEVICES: "1"}, devices)
    shown = {mount.target.name for mount in (*machine_mounts(), *gpu_mounts(found)) if mount.kind is Kind.DEVICE}
    assert "nvidia1" in shown and "nvidiactl" in shown and "nvidia0" not in shown
