"""What a language model is asked, for every style and family; what comes of good answers, however they are wrapped."""

import itertools
import random

import pytest

from comfydesk.llm.words.compose import Task, compose
from comfydesk.llm.words.families import BY_ID, FAMILIES, Family, Shape, family_of
from comfydesk.llm.words.judge import judge
from comfydesk.llm.words.masking import mask, restore
from comfydesk.llm.words.styles import DETAILED, MINIMAL, STYLES, Style
from comfydesk.llm.words.values import MAX_WORDS, Length
from tests.unit.llm.words.quality import NEGATIVES, PROMPTS, faults

TAGS = (
    "soft light, long shadows, deep colours, fine texture, low angle, wide framing, thin mist, calm mood, sharp focus"
)
PROSE = (
    "Soft light comes from the left and draws long shadows over the ground. Behind it the colours fade into thin mist, "
    "and fine textures show where the light grazes them. The view is low and wide, with calm space around the subject."
)
WRAPPERS = (
    "{}",
    '"{}"',
    "Sure! Here is the enhanced prompt:\n\n{}\n\nLet me know if you want another one.",
    "**Enhanced Prompt:** {}",
    "<think>The user wants more (detail:1.2).</think>\n\n{}",
    "```\n{}\n```",
    "Option 1:\n{}\n\nOption 2:\nSomething else.",
    "<answer>{}</answer>",
)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_questions_are_short_and_name_what_must_stay(family: Family, style: Style) -> None:
    for text in PROMPTS:
        task = Task(mask(text), style, family)
        request = compose(task, 7)
        assert len(request.system.split()) < 420, "small models follow short instructions"
        assert request.user.endswith(f"<prompt>{task.masked.text}</prompt>")
        for number in range(len(task.masked.groups)):
            assert f"<k{number + 1}/>" in request.system
        if not task.masked.groups:
            assert "<k1/>" not in request.system
        assert style.rules in request.system
        assert (family.rules in request.system) != task.plain
        assert task.words <= task.limit <= MAX_WORDS
        assert request.max_tokens > task.limit
        assert request.seed == 7


def test_lengths_are_those_that_were_wished() -> None:
    words = [Task(mask("a fox"), DETAILED, BY_ID["flux"], length=length).words for length in Length]
    auto, short, medium, long = words
    assert short < medium < long <= MAX_WORDS
    assert auto == BY_ID["flux"].words


def test_a_translation_is_asked_for_in_words() -> None:
    assert "into English" in compose(Task(mask("ein Fuchs"), MINIMAL, translate=True), 1).system


def test_negative_prompts_are_lists_of_flaws() -> None:
    request = compose(Task(mask(NEGATIVES[0]), DETAILED, BY_ID["flux"], negative=True), 1)
    assert "negative prompts" in request.system
    assert BY_ID["flux"].rules not in request.system


def test_every_example_is_one_by_its_own_rules() -> None:
    for family in FAMILIES:
        if not family.before:
            continue
        task = Task(mask(family.before.replace("<k1/>", "<lora:x:1>")), DETAILED, family)
        judged = judge(task, family.after)
        assert judged.text is not None, (family.id, judged.why)
        restored = restore(task.masked, judged.text)
        assert restored.faithful, family.id
        if family.shape is not Shape.INSTRUCTION:
            assert faults(task, restored.text or "") == [], family.id


def test_the_quality_set_comes_out_well_formed_however_answers_are_wrapped() -> None:
    rng = random.Random(5)
    wrappers = itertools.cycle(WRAPPERS)
    for text, style, family in itertools.product(PROMPTS, STYLES, FAMILIES):
        task = Task(mask(text), style, family)
        answer = next(wrappers).format(_good(task, rng))
        judged = judge(task, answer)
        assert judged.text is not None, (text, style.id, family.id, judged.why)
        restored = restore(task.masked, judged.text)
        assert restored.text is not None
        assert restored.faithful, (text, style.id, family.id, restored)
        assert faults(task, restored.text) == [], (text, style.id, family.id, restored.text)
    for text, style in itertools.product(NEGATIVES, STYLES):
        task = Task(mask(text), style, negative=True)
        judged = judge(task, next(wrappers).format(_good(task, rng)))
        assert judged.text is not None
        assert faults(task, restore(task.masked, judged.text).text or "") == []


def _good(task: Task, rng: random.Random) -> str:
    """What a well-behaved model would write."""
    text = task.masked.text.strip().rstrip(".,")
    if task.plain:
        return text
    if task.tags:
        extra = TAGS.split(", ")
        rng.shuffle(extra)
        return ", ".join([text, *extra])
    return f"{text[:1].upper()}{text[1:]}. {PROSE}"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sd_xl_base_1.0.safetensors", "sdxl"),
        ("SDXL/juggernautXL_v9.safetensors", "sdxl"),
        ("illustriousXL_v01.safetensors", "illustrious"),
        ("noobaiXLNAIXL_vPred10.safetensors", "illustrious"),
        ("ponyDiffusionV6XL.safetensors", "pony"),
        ("v1-5-pruned-emaonly.ckpt", "sd15"),
        ("flux1-dev-fp8.safetensors", "flux"),
        ("flux-2-klein-4b.safetensors", "flux"),
        ("flux1-dev-kontext_fp8_scaled.safetensors", "edit"),
        ("qwen_image_edit_2509_fp8.safetensors", "edit"),
        ("qwen_image_fp8_e4m3fn.safetensors", "qwen-image"),
        ("z_image_turbo_bf16.safetensors", "z-image"),
        ("wan2.2_t2v_high_noise_14B_fp8.safetensors", "wan"),
        ("ltx-2-19b-dev.safetensors", "ltx"),
        ("hunyuanvideo1.5_720p.safetensors", "hunyuan-video"),
        ("sd3.5_large.safetensors", "sd3"),
        ("ace_step_v1_3.5b.safetensors", "audio"),
        ("my-own-mix.safetensors", "prose"),
        ("credits.safetensors", "prose"),
    ],
)
def test_a_family_is_told_by_the_model(name: str, family: str) -> None:
    assert family_of([name]) == family
    assert family_of(["umt5_xxl_fp16.safetensors", "vae/ae.safetensors", name]) == family


def test_nodes_tell_where_names_do_not() -> None:
    assert family_of(["mine.safetensors"], ["WanImageToVideo"]) == "wan"
    assert family_of(["mine.safetensors"], ["EmptyLTXVLatentVideo"]) == "ltx"
    assert family_of(["flux1-dev.safetensors"], ["TextEncodeQwenImageEditPlus"]) == "edit"
