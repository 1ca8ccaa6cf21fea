"""Sounds: words for them, latents, load, save."""

from collections.abc import Mapping
from typing import Any

from comfydesk.demo.folders import Folders
from comfydesk.demo.media import load_audio, save_audio
from comfydesk.demo.nodes.base import Context, NodeClass, Spec, combo, float_spec, input_files, int_spec, text_spec
from comfydesk.demo.nodes.images import PREFIX_TIP, embedded, file_digest
from comfydesk.demo.values import Audio, Conditioning, Latent, Result

_MODULE = "comfy_extras.nodes_audio"
_MP3 = ["V0", "128k", "320k"]
_OPUS = ["64k", "96k", "128k", "192k", "320k"]


def _words(tags: str, lyrics: str) -> Result:
    return Result((Conditioning(tags, lyrics),))


def _empty(seconds: float, batch_size: int = 1) -> Result:
    return Result((Latent("audio", batch=batch_size, seconds=seconds),))


def _decode(samples: Latent) -> Result:
    if samples.kind != "audio":
        raise ValueError("these samples are no sound")
    silence = Audio(bytes(4 * round(44100 * samples.seconds)))
    return Result((samples.sounds or (silence,) * samples.batch,))


def _load(context: Context, audio: str) -> Result:
    return Result(((load_audio(context.folders.find(audio)),),))


def _is_sound(folders: Folders, audio: str | None) -> bool | str:
    return audio is None or folders.exists(audio) or f"Invalid audio file: {audio}"


def _save_as(
    context: Context, sounds: tuple[Audio, ...], prefix: str, kind: str, quality: str, folder: str = "output"
) -> Result:
    saving = context.folders.next_file(prefix, folder)
    saved = []
    for offset, sound in enumerate(sounds):
        name = saving.name(kind, offset).replace(f"_.{kind}", f".{kind}")  # sounds carry no second underscore
        context.write(len(sound.pcm) // 2)
        save_audio(saving.folder / name, sound, kind, quality, embedded(context))
        saved.append({"filename": name, "subfolder": saving.subfolder, "type": folder})
    return Result((sounds,), {"audio": saved})


def _save_flac(context: Context, audio: tuple[Audio, ...], filename_prefix: str) -> Result:
    return _save_as(context, audio, filename_prefix, "flac", "")


def _save_mp3(context: Context, audio: tuple[Audio, ...], filename_prefix: str, quality: str) -> Result:
    return _save_as(context, audio, filename_prefix, "mp3", quality)


def _save_opus(context: Context, audio: tuple[Audio, ...], filename_prefix: str, quality: str) -> Result:
    return _save_as(context, audio, filename_prefix, "opus", quality)


def _save_any(
    context: Context,
    audio: tuple[Audio, ...],
    filename_prefix: str,
    format: Mapping[str, Any],  # noqa: A002 - the input's name
) -> Result:
    return _save_as(context, audio, filename_prefix, str(format["format"]), str(format.get("quality", "")))


def _preview(context: Context, audio: tuple[Audio, ...]) -> Result:
    return _save_as(context, audio, f"ComfyUI_temp_{context.temp_tag}", "flac", "", "temp")


def _saver(name: str, title: str, run: Any, aliases: tuple[str, ...], **inputs: Spec) -> NodeClass:
    return NodeClass(
        name=name,
        run=run,
        title=title,
        category="audio",
        required={
            "audio": ["AUDIO", {}],
            "filename_prefix": text_spec(default="audio/ComfyUI", multiline=False),
            **inputs,
        },
        hidden=("prompt", "extra_pnginfo"),
        outputs=("AUDIO",),
        output_names=("audio",),
        is_output=True,
        module=_MODULE,
        modern=True,
        deprecated="DEPRECATED" in title,
        aliases=aliases,
        essential="Audio" if "Opus" not in name else "",
    )


NODES = (
    NodeClass(
        name="TextEncodeAceStepAudio",
        run=_words,
        title=None,
        category="model/conditioning/ace",
        required={
            "clip": ["CLIP", {}],
            "tags": text_spec(multiline=True, dynamicPrompts=True),
            "lyrics": text_spec(multiline=True, dynamicPrompts=True),
            "lyrics_strength": float_spec(1.0, 0.0, 10.0, step=0.01),
        },
        outputs=("CONDITIONING",),
        module="comfy_extras.nodes_ace",
        modern=True,
    ),
    NodeClass(
        name="EmptyAceStepLatentAudio",
        run=_empty,
        title="Empty Ace Step 1.0 Latent Audio",
        category="model/latent/ace",
        required={
            "seconds": float_spec(120.0, 1.0, 1000.0, step=0.1),
            "batch_size": int_spec(1, 1, 4096, tooltip="How many sounds."),
        },
        outputs=("LATENT",),
        module="comfy_extras.nodes_ace",
        modern=True,
    ),
    NodeClass(
        name="EmptyLatentAudio",
        run=_empty,
        title="Empty Latent Audio",
        category="model/latent",
        required={
            "seconds": float_spec(47.6, 1.0, 1000.0, step=0.1),
            "batch_size": int_spec(1, 1, 4096, tooltip="How many sounds."),
        },
        outputs=("LATENT",),
        module=_MODULE,
        modern=True,
        essential="Audio",
    ),
    NodeClass(
        name="VAEDecodeAudio",
        run=_decode,
        title="VAE Decode Audio",
        category="model/latent",
        required={"samples": ["LATENT", {}], "vae": ["VAE", {}]},
        outputs=("AUDIO",),
        module=_MODULE,
        modern=True,
        aliases=("latent to audio",),
    ),
    NodeClass(
        name="LoadAudio",
        run=_load,
        title="Load Audio",
        category="audio",
        required={"audio": combo(input_files("audio", "video"), audio_upload=True)},
        outputs=("AUDIO",),
        check=_is_sound,
        checks=("audio",),
        changed=file_digest("audio"),
        module=_MODULE,
        modern=True,
        aliases=("open audio", "audio file"),
        essential="Audio",
    ),
    _saver("SaveAudio", "Save Audio (FLAC) (DEPRECATED)", _save_flac, ("export flac",)),
    _saver(
        "SaveAudioMP3", "Save Audio (MP3) (DEPRECATED)", _save_mp3, ("export mp3",), quality=combo(_MP3, default="V0")
    ),
    _saver(
        "SaveAudioOpus",
        "Save Audio (Opus) (DEPRECATED)",
        _save_opus,
        ("export opus",),
        quality=combo(_OPUS, default="128k"),
    ),
    NodeClass(
        name="SaveAudioAdvanced",
        run=_save_any,
        title="Save Audio (Advanced)",
        category="audio",
        required={
            "audio": ["AUDIO", {"tooltip": "What to save."}],
            "filename_prefix": text_spec(default="audio/ComfyUI", tooltip=PREFIX_TIP, multiline=False),
            "format": [
                "COMFY_DYNAMICCOMBO_V3",
                {
                    "tooltip": "The kind of file.",
                    "options": [
                        {"key": "flac", "inputs": {"required": {}}},
                        {"key": "mp3", "inputs": {"required": {"quality": combo(_MP3, default="V0")}}},
                        {"key": "opus", "inputs": {"required": {"quality": combo(_OPUS, default="128k")}}},
                    ],
                },
            ],
        },
        hidden=("prompt", "extra_pnginfo"),
        outputs=("AUDIO",),
        output_names=("audio",),
        is_output=True,
        description="Saves a sound in the pod's output folder, the workflow inside.",
        module=_MODULE,
        modern=True,
        aliases=("save audio", "flac", "mp3", "opus"),
    ),
    NodeClass(
        name="PreviewAudio",
        run=_preview,
        title="Preview Audio",
        category="audio",
        required={"audio": ["AUDIO", {}]},
        hidden=("prompt", "extra_pnginfo"),
        outputs=("AUDIO",),
        output_names=("audio",),
        is_output=True,
        description="Plays a sound without keeping it.",
        module=_MODULE,
        modern=True,
        aliases=("play audio",),
    ),
)
