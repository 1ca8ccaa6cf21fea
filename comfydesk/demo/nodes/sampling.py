"""From prompt to picture: text encoders, latents, samplers, VAE. The sampler draws; it is no AI."""

from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, ImageFilter

from comfydesk.demo.nodes.base import Context, NodeClass, Spec, float_spec, int_spec, text_spec
from comfydesk.demo.nodes.images import resized
from comfydesk.demo.painter import Film, Painting
from comfydesk.demo.tune import compose
from comfydesk.demo.values import Audio, Conditioning, Images, Latent, Model, Result

STEP_SECONDS = 0.05
"""What one step pretends to take at speed 1."""
SAMPLERS = [
    *("euler", "euler_cfg_pp", "euler_ancestral", "euler_ancestral_cfg_pp", "heun", "heunpp2", "exp_heun_2_x0"),
    *("exp_heun_2_x0_sde", "dpm_2", "dpm_2_ancestral", "lms", "dpm_fast", "dpm_adaptive", "dpmpp_2s_ancestral"),
    *("dpmpp_2s_ancestral_cfg_pp", "dpmpp_sde", "dpmpp_sde_gpu", "dpmpp_2m", "dpmpp_2m_cfg_pp", "dpmpp_2m_sde"),
    *("dpmpp_2m_sde_gpu", "dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu", "dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "ddpm"),
    *("lcm", "ipndm", "ipndm_v", "deis", "res_multistep", "res_multistep_cfg_pp", "res_multistep_ancestral"),
    *("res_multistep_ancestral_cfg_pp", "gradient_estimation", "gradient_estimation_cfg_pp", "er_sde", "seeds_2"),
    *("seeds_3", "sa_solver", "sa_solver_pece", "ddim", "uni_pc", "uni_pc_bh2"),
]
SCHEDULERS = [
    *("simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal"),
    *("linear_quadratic", "kl_optimal"),
]
_MAX_SEED = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sampler is asked for."""

    positive: Conditioning
    negative: str
    seed: int
    steps: int
    loras: tuple[tuple[str, float], ...]
    denoise: float


def _encode(text: str) -> Result:
    return Result((Conditioning(text),))


def _nothing() -> Result:
    return Result((Conditioning(""),))


def _empty_latent(width: int, height: int, batch_size: int = 1) -> Result:
    return Result((Latent(width=width // 8 * 8, height=height // 8 * 8, batch=batch_size),))


def _sample(
    context: Context,
    model: Model,
    seed: int,
    steps: int,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    denoise: float = 1.0,
) -> Result:
    """Draw (or compose) everything in the batch, step by step."""
    work = {"image": _draw, "video": _film, "audio": _compose}[latent_image.kind]
    wish = Wish(positive, negative.text, seed, steps, model.loras, denoise)
    return Result((work(context, wish, latent_image),))


def _sample_advanced(
    context: Context,
    model: Model,
    noise_seed: int,
    steps: int,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    add_noise: str,
    start_at_step: int = 0,
    end_at_step: int = 10000,
) -> Result:
    """The steps from `start_at_step` on. What another sampler has begun (no noise added) is handed through."""
    todo = max(1, min(steps, end_at_step) - start_at_step)
    if add_noise == "disable" and latent_image.pictures:
        for step in range(1, todo + 1):
            context.step(step, todo, latent_image.pictures[0].copy, STEP_SECONDS)
        return Result((latent_image,))
    denoise = 1.0 - start_at_step / steps if latent_image.pictures else 1.0
    return _sample(context, model, noise_seed, todo, positive, negative, latent_image, max(0.0, denoise))


def _image_to_video(
    width: int, height: int, length: int, batch_size: int = 1, start_image: Images | None = None
) -> Result:
    frames = (length - 1) // 4 * 4 + 1
    pictures = (resized(start_image[0], "bicubic", width, height, "center"),) if start_image else ()
    return Result((Latent("video", width, height, batch_size, frames, pictures=pictures),))


def _draw(context: Context, wish: Wish, latent: Latent) -> Latent:
    drawn: list[Image.Image] = []
    for index in range(latent.batch):
        source = latent.pictures[index] if latent.pictures else None
        painting = Painting(
            wish.positive.text,
            wish.seed + index,
            latent.width,
            latent.height,
            negative=wish.negative,
            loras=wish.loras,
            source=source,
            denoise=wish.denoise,
        )
        for step in range(1, wish.steps + 1):
            painting.advance(step / wish.steps)
            context.step(index * wish.steps + step, latent.batch * wish.steps, painting.preview, STEP_SECONDS)
        drawn.append(painting.finished())
    return replace(latent, pictures=tuple(drawn))


def _film(context: Context, wish: Wish, latent: Latent) -> Latent:
    """A moving picture; of a batch, the first only."""
    film = Film(
        wish.positive.text,
        wish.seed,
        latent.width,
        latent.height,
        latent.length,
        negative=wish.negative,
        loras=wish.loras,
        source=latent.pictures[0] if latent.pictures else None,
    )
    for step in range(1, wish.steps + 1):
        film.advance(step / wish.steps)
        context.step(step, wish.steps, film.preview, STEP_SECONDS)
    return replace(latent, batch=1, pictures=film.finished())


def _compose(context: Context, wish: Wish, latent: Latent) -> Latent:
    """Tunes. The work is done in the first step of each: it cannot be cut finer."""
    words = f"{wish.positive.text} {wish.positive.lyrics}"
    sounds: list[Audio] = []
    for index in range(latent.batch):
        for step in range(1, wish.steps + 1):
            if step == 1:
                sounds.append(compose(words, wish.seed + index, latent.seconds))
            context.step(index * wish.steps + step, latent.batch * wish.steps, None, STEP_SECONDS)
    return replace(latent, sounds=tuple(sounds))


def _decode(samples: Latent) -> Result:
    if samples.pictures:
        return Result((samples.pictures,))
    blank = Image.new("RGB", (samples.width, samples.height), (127, 127, 127))
    return Result(((blank,) * samples.batch,))


def _encode_picture(pixels: Images) -> Result:
    width, height = (max(8, side // 8 * 8) for side in pixels[0].size)
    fitted = tuple(picture.crop((0, 0, width, height)) for picture in pixels)
    return Result((Latent(width=width, height=height, batch=len(fitted), pictures=fitted),))


def _upscale_latent(samples: Latent, upscale_method: str, width: int, height: int, crop: str) -> Result:
    method = "bicubic" if upscale_method == "bislerp" else upscale_method
    pictures = tuple(resized(picture, method, width, height, crop) for picture in samples.pictures)
    size = pictures[0].size if pictures else (width or samples.width, height or samples.height)
    return Result((Latent(width=size[0], height=size[1], batch=samples.batch, pictures=pictures),))


def _upscale_picture(context: Context, image: Images) -> Result:
    """Twice the size, sharpened."""
    grown = []
    for index, picture in enumerate(image):
        larger = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)
        grown.append(larger.filter(ImageFilter.UnsharpMask(2, 80, 2)))
        context.step(index + 1, len(image), larger.copy, STEP_SECONDS)
    return Result((tuple(grown),))


def _latent_sizes(width: int, height: int, step: int) -> dict[str, Spec]:
    return {
        "width": int_spec(width, 16, 16384, step=step, tooltip="In pixels."),
        "height": int_spec(height, 16, 16384, step=step, tooltip="In pixels."),
        "batch_size": int_spec(1, 1, 4096, tooltip="How many pictures."),
    }


_SAMPLER_INPUTS: dict[str, Spec] = {
    "model": ["MODEL", {"tooltip": "What draws."}],
    "seed": int_spec(0, 0, _MAX_SEED, control_after_generate=True, tooltip="Same seed and prompt, same picture."),
    "steps": int_spec(20, 1, 10000, tooltip="In how many steps the picture is drawn."),
    "cfg": float_spec(8.0, 0.0, 100.0, step=0.1, round=0.01, tooltip="How closely to follow the prompt."),
    "sampler_name": [SAMPLERS, {"tooltip": "No effect on this demo pod."}],
    "scheduler": [SCHEDULERS, {"tooltip": "No effect on this demo pod."}],
    "positive": ["CONDITIONING", {"tooltip": "What is wanted."}],
    "negative": ["CONDITIONING", {"tooltip": "Words that are not to count."}],
    "latent_image": ["LATENT", {"tooltip": "The canvas."}],
    "denoise": float_spec(1.0, 0.0, 1.0, step=0.01, tooltip="How much of the given picture is drawn anew."),
}
_CONDITIONING: dict[str, Any] = {"outputs": ("CONDITIONING",)}
NODES = (
    NodeClass(
        name="CLIPTextEncode",
        run=_encode,
        title="CLIP Text Encode (Prompt)",
        category="model/conditioning",
        required={
            "text": text_spec(multiline=True, dynamicPrompts=True, tooltip="The prompt."),
            "clip": ["CLIP", {"tooltip": "What reads it."}],
        },
        output_tooltips=("The prompt, read.",),
        description="Reads a prompt. On this demo pod its words choose what is drawn, and in which colours.",
        aliases=("text", "prompt", "positive prompt", "negative prompt"),
        **_CONDITIONING,
    ),
    NodeClass(
        name="ConditioningZeroOut",
        run=_nothing,
        title="Conditioning Zero Out",
        category="model/conditioning/transform",
        required={"conditioning": ["CONDITIONING"]},
        aliases=("null conditioning",),
        **_CONDITIONING,
    ),
    NodeClass(
        name="EmptyLatentImage",
        run=_empty_latent,
        title="Empty Latent Image",
        category="model/latent",
        required=_latent_sizes(512, 512, 8),
        outputs=("LATENT",),
        output_tooltips=("An empty canvas.",),
        description="Empty canvases to draw on.",
        aliases=("empty", "new latent", "blank"),
    ),
    NodeClass(
        name="EmptySD3LatentImage",
        run=_empty_latent,
        title=None,
        category="model/latent/stable diffusion",
        required=_latent_sizes(1024, 1024, 16),
        outputs=("LATENT",),
        module="comfy_extras.nodes_sd3",
        modern=True,
    ),
    NodeClass(
        name="KSampler",
        run=_sample,
        title="KSampler",
        category="model/sampling",
        required=_SAMPLER_INPUTS,
        outputs=("LATENT",),
        output_tooltips=("The drawing.",),
        description="Draws a picture from prompt and seed, step by step. This demo pod draws, it is no AI.",
        aliases=("sampler", "generate", "txt2img", "img2img"),
    ),
    NodeClass(
        name="KSamplerAdvanced",
        run=_sample_advanced,
        title="KSampler (Advanced)",
        category="model/sampling",
        required={
            "model": ["MODEL"],
            "add_noise": [["enable", "disable"], {"advanced": True}],
            "noise_seed": int_spec(0, 0, _MAX_SEED, control_after_generate=True),
            "steps": int_spec(20, 1, 10000),
            "cfg": float_spec(8.0, 0.0, 100.0, step=0.1, round=0.01),
            "sampler_name": [SAMPLERS],
            "scheduler": [SCHEDULERS],
            "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"],
            "latent_image": ["LATENT"],
            "start_at_step": int_spec(0, 0, 10000, advanced=True),
            "end_at_step": int_spec(10000, 0, 10000, advanced=True),
            "return_with_leftover_noise": [["disable", "enable"], {"advanced": True}],
        },
        outputs=("LATENT",),
    ),
    NodeClass(
        name="Wan22ImageToVideoLatent",
        run=_image_to_video,
        title=None,
        category="model/conditioning/wan",
        required={
            "vae": ["VAE", {}],
            "width": int_spec(1280, 32, 16384, step=32),
            "height": int_spec(704, 32, 16384, step=32),
            "length": int_spec(49, 1, 16384, step=4),
            "batch_size": int_spec(1, 1, 4096),
        },
        optional={"start_image": ["IMAGE", {}]},
        outputs=("LATENT",),
        module="comfy_extras.nodes_wan",
        modern=True,
    ),
    NodeClass(
        name="VAEDecode",
        run=_decode,
        title="VAE Decode",
        category="model/latent",
        required={
            "samples": ["LATENT", {"tooltip": "The drawing."}],
            "vae": ["VAE", {"tooltip": "What turns it into a picture."}],
        },
        outputs=("IMAGE",),
        output_tooltips=("The picture.",),
        description="Turns latents into pictures.",
        aliases=("decode", "latent to image"),
    ),
    NodeClass(
        name="VAEEncode",
        run=_encode_picture,
        title="VAE Encode",
        category="model/latent",
        required={"pixels": ["IMAGE"], "vae": ["VAE"]},
        outputs=("LATENT",),
        aliases=("encode", "image to latent"),
    ),
    NodeClass(
        name="LatentUpscale",
        run=_upscale_latent,
        title="Upscale Latent",
        category="model/latent",
        required={
            "samples": ["LATENT"],
            "upscale_method": [["nearest-exact", "bilinear", "area", "bicubic", "bislerp"]],
            "width": int_spec(512, 0, 16384, step=8),
            "height": int_spec(512, 0, 16384, step=8),
            "crop": [["disabled", "center"]],
        },
        outputs=("LATENT",),
    ),
    NodeClass(
        name="ImageUpscaleWithModel",
        run=_upscale_picture,
        title="Upscale Image (using Model)",
        category="image/upscaling",
        required={"upscale_model": ["UPSCALE_MODEL", {}], "image": ["IMAGE", {}]},
        outputs=("IMAGE",),
        module="comfy_extras.nodes_upscale_model",
        modern=True,
        aliases=("upscale", "super resolution", "hires"),
    ),
)
