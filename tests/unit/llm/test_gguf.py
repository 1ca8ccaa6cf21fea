"""Headers of GGUF files: read where they are sound, refused in words where they are not, never slow, never a crash."""

import contextlib
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydesk.errors import LlmModelError
from comfydesk.llm.gguf import read_header
from tests.unit.llm.tiny_gguf import container, entry, text, write


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", "A cat.", width=16).read_bytes()


def test_what_a_model_says_of_itself(tmp_path: Path) -> None:
    header = read_header(write(tmp_path / "tiny.gguf", "A cat.", context=2048, name="Tiny\nModel"))
    assert (header.architecture, header.name, header.quantisation) == ("llama", "Tiny Model", "F16")
    assert (header.context, header.layers, header.has_template) == (2048, 1, True)
    assert header.is_text_model
    assert header.size == (tmp_path / "tiny.gguf").stat().st_size


def test_a_vision_projector_is_no_text_model(tmp_path: Path) -> None:
    path = tmp_path / "mmproj.gguf"
    path.write_bytes(container([entry("general.architecture", 8, "clip")], []))
    assert not read_header(path).is_text_model


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>Log in</html>", id="a web page"),
        pytest.param(b"GGUF" + struct.pack("<I", 1), id="version 1"),
        pytest.param(b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1), id="too many tensors"),
        pytest.param(b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60), id="too many keys"),
        pytest.param(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 62), id="an endless string"),
        pytest.param(
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 8, 1 << 60),
            id="an endless list",
        ),
        pytest.param(
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 9, 9), id="lists in lists"
        ),
        pytest.param(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 99), id="unknown kind"),
    ],
)
def test_what_is_no_model(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)
    with pytest.raises(LlmModelError, match=r"bad\.gguf is no GGUF model"):
        read_header(path)


def test_a_half_downloaded_file_is_noticed(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(sound[: len(sound) // 2])
    with pytest.raises(LlmModelError, match="cut off"):
        read_header(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LlmModelError, match="cannot be read"):
        read_header(tmp_path / "none.gguf")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage_is_read_or_refused(
    sound: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(sound[:6000] if data.draw(st.booleans()) else sound)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(damaged), 6000) - 1))
        damaged[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(damaged)
    began = time.thread_time()
    with contextlib.suppress(LlmModelError):
        assert read_header(path).size == len(damaged)
    assert time.thread_time() - began < 1


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.gguf"
    path.write_bytes(b"GGUF\x03\0\0\0" + noise)
    with contextlib.suppress(LlmModelError):
        read_header(path)
