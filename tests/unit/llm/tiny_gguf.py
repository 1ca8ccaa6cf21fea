"""A tiny GGUF of the llama architecture that llama.cpp loads, and that replies with a given text at any temperature.

How: attention and feed-forward add nothing, so the residual stream is the last token's embedding; the output row of
token B is the embedding of token A for each step A → B of the text. The vocabulary is a few control tokens, the 256
bytes (any input tokenizes) and the words of the text. Written with the standard library alone.
"""

import math
import random
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
ALIGNMENT = 32
_NORMAL, _UNKNOWN, _CONTROL, _UNUSED, _BYTE = 1, 2, 3, 5, 6
_U32, _F32, _BOOL, _STRING, _ARRAY, _I32 = 4, 6, 7, 8, 9, 5


def text(value: str | bytes) -> bytes:
    """A GGUF string."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def entry(key: str, kind: int, value: Any, inner: int = 0) -> bytes:
    """One key and its value."""
    return text(key) + struct.pack("<I", kind) + _value(kind, value, inner)


def _value(kind: int, value: Any, inner: int) -> bytes:
    if kind == _STRING:
        return text(value)
    if kind == _ARRAY:
        items = b"".join(_value(inner, item, 0) for item in value)
        return struct.pack("<IQ", inner, len(value)) + items
    return struct.pack({_U32: "<I", _F32: "<f", _BOOL: "<?", _I32: "<i"}[kind], value)


@dataclass
class Vocabulary:
    """Tokens in the order of their ids; `chain` is the reply."""

    texts: list[str]
    types: list[int]
    chain: list[int]


def _vocabulary(reply: str) -> Vocabulary:
    texts = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [_UNKNOWN, *[_CONTROL] * 4, *[_BYTE] * 256]
    chain = []
    for piece in _different(reply):
        chain.append(len(texts))
        texts.append(piece)
        types.append(_NORMAL)
    while len(texts) % 32:
        texts.append(f"<|pad{len(texts)}|>")
        types.append(_UNUSED)
    return Vocabulary(texts, types, chain)


def _different(reply: str) -> list[str]:
    """Words; a repeated one is glued to the next, since llama.cpp aborts when two tokens have the same text."""
    seen: set[str] = set()
    pieces: list[str] = []
    current = ""
    for index, word in enumerate(reply.split()):
        current += ("\u2581" if index else "") + word
        if current not in seen:
            seen.add(current)
            pieces.append(current)
            current = ""
    if current:
        pieces[-1] += current
    return pieces


def write(path: Path, reply: str, *, width: int = 64, context: int = 2048, name: str = "tiny", pad: int = 0) -> Path:
    """A model of `width` channels that answers `reply`. `pad`: bytes of a tensor that only makes the file larger."""
    rng = random.Random(1234)
    vocabulary = _vocabulary(reply)
    size, layers, heads, inner = len(vocabulary.texts), 1, 4, 2 * width
    rows = [_unit(rng, width) for _ in range(size)]
    output = [[0.0] * width for _ in range(size)]
    before = 5 + 0x0A  # the template ends with a line break
    for token in [*vocabulary.chain, 4]:
        output[token] = [value * 60 / width for value in rows[before]]
        before = token
    quiet = [0.0] * (width * width)
    tensors: list[tuple[str, Sequence[int], int, bytes]] = [
        ("token_embd.weight", (width, size), 1, _halves(value for row in rows for value in row)),
        ("output_norm.weight", (width,), 0, _singles([1.0] * width)),
        ("output.weight", (width, size), 1, _halves(value for row in output for value in row)),
    ]
    for layer in range(layers):
        block = f"blk.{layer}."
        tensors += [
            (block + "attn_norm.weight", (width,), 0, _singles([1.0] * width)),
            *((block + f"attn_{part}.weight", (width, width), 1, _halves(quiet)) for part in ("q", "k", "v", "output")),
            (block + "ffn_norm.weight", (width,), 0, _singles([1.0] * width)),
            (block + "ffn_gate.weight", (width, inner), 1, _halves([0.0] * (width * inner))),
            (block + "ffn_up.weight", (width, inner), 1, _halves([0.0] * (width * inner))),
            (block + "ffn_down.weight", (inner, width), 1, _halves([0.0] * (width * inner))),
        ]
    keys = [
        entry("general.architecture", _STRING, "llama"),
        entry("general.name", _STRING, name),
        entry("general.file_type", _U32, 1),
        entry("llama.context_length", _U32, context),
        entry("llama.embedding_length", _U32, width),
        entry("llama.block_count", _U32, layers),
        entry("llama.feed_forward_length", _U32, inner),
        entry("llama.attention.head_count", _U32, heads),
        entry("llama.attention.head_count_kv", _U32, heads),
        entry("llama.rope.dimension_count", _U32, width // heads),
        entry("llama.rope.freq_base", _F32, 10000.0),
        entry("llama.attention.layer_norm_rms_epsilon", _F32, 1e-5),
        entry("llama.vocab_size", _U32, size),
        entry("tokenizer.ggml.model", _STRING, "llama"),
        entry("tokenizer.ggml.pre", _STRING, "default"),
        entry("tokenizer.ggml.tokens", _ARRAY, vocabulary.texts, _STRING),
        entry("tokenizer.ggml.scores", _ARRAY, [-float(index) for index in range(size)], _F32),
        entry("tokenizer.ggml.token_type", _ARRAY, vocabulary.types, _I32),
        entry("tokenizer.ggml.bos_token_id", _U32, 1),
        entry("tokenizer.ggml.eos_token_id", _U32, 4),
        entry("tokenizer.ggml.unknown_token_id", _U32, 0),
        entry("tokenizer.ggml.add_bos_token", _BOOL, False),
        entry("tokenizer.ggml.add_space_prefix", _BOOL, False),
        entry("tokenizer.chat_template", _STRING, CHATML),
    ]
    path.write_bytes(container(keys, tensors))
    if pad:
        with path.open("ab") as file:
            file.truncate(path.stat().st_size + pad)
    return path


def container(keys: Sequence[bytes], tensors: Sequence[tuple[str, Sequence[int], int, bytes]]) -> bytes:
    """A GGUF file, version 3."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys)
    data = bytearray()
    for name, shape, kind, values in tensors:
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data += values + bytes(-len(values) % ALIGNMENT)
    return head + bytes(-len(head) % ALIGNMENT) + bytes(data)


def _unit(rng: random.Random, width: int) -> list[float]:
    row = [rng.gauss(0, 1) for _ in range(width)]
    norm = math.sqrt(sum(value * value for value in row) / width)
    return [value / norm for value in row]


def _halves(values: Iterable[float]) -> bytes:
    flat = list(values)
    return struct.pack(f"<{len(flat)}e", *flat)


def _singles(values: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)
