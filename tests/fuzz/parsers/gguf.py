"""Headers of GGUF files: language models that somebody put on this computer."""

from comfydesk.llm.gguf import read_header
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, tokens
from tests.unit.llm.tiny_gguf import container, entry


def take(data: bytes) -> None:
    path = material.folder() / "model.gguf"
    path.write_bytes(data)
    assert read_header(path).is_text_model in (True, False)


def seeds() -> list[bytes]:
    string, array, u32, f32, boolean = 8, 9, 4, 6, 7
    keys = [
        entry("general.architecture", string, "llama"),
        entry("general.name", string, "Tiny"),
        entry("general.file_type", u32, 15),
        entry("general.alignment", u32, 32),
        entry("llama.context_length", u32, 4096),
        entry("llama.block_count", u32, 2),
        entry("llama.rope.freq_base", f32, 10000.0),
        entry("tokenizer.ggml.add_bos_token", boolean, True),
        entry("tokenizer.ggml.tokens", array, ["a", "b", "c"], string),
        entry("tokenizer.ggml.scores", array, [1, 2, 3], u32),
        entry("tokenizer.chat_template", string, "{{ messages }}"),
    ]
    tensor = ("token_embd.weight", (8, 4), 0, bytes(128))
    return [container(keys, [tensor, tensor]), container(keys[:2], []), container([], [tensor])]


HARNESS = Harness(
    take,
    seeds,
    either(bytes_of, tokens("GGUF", "\0\0\0\0\0\0\0\0", "\x08\0\0\0", "\x09\0\0\0", "\x03\0\0\0", "general.")),
)
