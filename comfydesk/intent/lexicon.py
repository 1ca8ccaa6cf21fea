"""The words the matcher knows, by what they mean. Data only: a new word is one entry here.

Entries are lemmas (singular nouns, bare verbs); `words.tokens` finds them under their inflections. Phrases of several
words are found before single words.
"""

from enum import StrEnum


class Media(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    MODEL3D = "3d"
    TEXT = "text"


class Act(StrEnum):
    """What a verb, or a noun that stands for one, asks for."""

    CREATE = "create"
    DRAW = "draw"
    """Creates, and can only mean a picture: paint, illustrate."""
    TURN = "turn"
    """Changes one thing into another: convert, transform."""
    EDIT = "edit"
    RETOUCH = "retouch"
    """Edits, and can only mean a picture: inpaint, colorize."""
    UPSCALE = "upscale"
    FINER = "finer"
    """Hints at upscaling, but may also describe what is wanted: 4k, quality."""
    ANIMATE = "animate"
    MOVE = "move"
    """What a picture does that comes to life: dance, talk. Means nothing without a picture that is there."""
    SPEAK = "speak"
    SMOOTH = "smooth"
    """Works on the frames of a video: interpolate, stabilise."""
    CONTROL = "control"
    """Speaks of the application, not of a picture: cancel, connect."""


def words_of(text: str) -> frozenset[str]:
    """The entries of a comma-separated list, white space folded."""
    return frozenset(" ".join(entry.split()) for entry in text.split(",") if entry.strip())


MEDIA: dict[Media, frozenset[str]] = {
    Media.IMAGE: words_of(
        """
        image, img, picture, pic, photo, photograph, drawing, painting, portrait, sketch, illustration, poster, logo,
        wallpaper, icon, selfie, artwork, art, screenshot, jpg, jpeg, png, watercolor, watercolour, cartoon, comic,
        infographic, banner, sticker, collage, headshot, snapshot, still, render, rendering, thumbnail, cover, flyer,
        postcard, mockup, tattoo, product shot, scan, meme, emoji, storyboard, character sheet, texture, mural,
        caricature, doodle, still life, close-up, closeup, engraving, woodcut, graphic, coloring page, brochure,
        fresco, avatar, visual, artpiece, canvas, photoshoot, anime art, fanart, fan art, packshot, card, invitation,
        floor plan, icon set, pattern, snap, foto, print ad, advert, billboard, cover art, hero shot, character
        design, lineart
        """
    ),
    Media.VIDEO: words_of(
        """
        video, vid, movie, clip, film, footage, gif, animation, b-roll, b roll, broll, cinemagraph, reel, timelapse,
        time lapse, time-lapse, trailer, mp4, webm, slow motion, slowmo, motion graphic, talking avatar, talking head,
        tiktok, vlog, cutscene, teaser, drone shot, flythrough, fly-through, commercial, montage, stop motion,
        hyperlapse, documentary, tracking shot, camera shot, video ad, animated scene, moving picture, motion picture,
        screencast
        """
    ),
    Media.AUDIO: words_of(
        """
        audio, music, song, sound, speech, voice, beat, melody, track, jingle, sfx, soundtrack, narration, podcast,
        sound effect, voice over, voiceover, voice-over, tune, ringtone, soundscape, ambience, instrumental, lullaby,
        symphony, bassline, bass line, drum loop, riff, chord, wav, mp3, flac, techno, lofi, lo-fi, audiobook, choir,
        guitar solo, piano piece, sonata, rap, vocal, foley, singing, acapella, orchestral piece, hip hop, drumbeat,
        anthem
        """
    ),
    Media.MODEL3D: words_of(
        """
        3d, 3-d, mesh, glb, gltf, stl, ply, gaussian splat, splat, point cloud, three dimensional, three-dimensional,
        nerf, photogrammetry, 3d-model
        """
    ),
    Media.TEXT: words_of(
        """
        text, txt, prompt, description, sentence, script, paragraph, idea, wording, lyric, article, word
        """
    ),
}

ACTS: dict[Act, frozenset[str]] = {
    Act.CREATE: words_of(
        """
        create, make, generate, produce, design, imagine, compose, craft, build, record, film, shoot, sculpt, invent,
        conjure, write, model, cook up, come up with, dream up, give me, show me, get me, want, need, get, synthesize,
        synthesise, visualize, visualise, mock up, whip up
        """
    ),
    Act.DRAW: words_of("paint, draw, illustrate, depict, render, sketch out, doodle, photograph"),
    Act.TURN: words_of(
        """
        turn, convert, transform, morph, transfer, derive, extrude, reconstruct, become, translate, bring, generate
        from, take
        """
    ),
    Act.EDIT: words_of(
        """
        edit, remove, erase, replace, swap, fix, restore, extend, change, modify, alter, add, put, expand, adjust,
        repair, delete, cut out, clean up, blend, combine, merge, tweak, try on, dress, get rid of, take out, fill in,
        insert, variation, rotate, brighten, darken, crop, blur, remix, redo, make it, make them, make him, make her,
        give it, give him, give her, clean, enhance, improve, correct, refine, place, apply, set, cut, isolate,
        extract, undo
        """
    ),
    Act.RETOUCH: words_of(
        """
        inpaint, outpaint, uncrop, photoshop, stylize, stylise, restyle, retouch, relight, recolor, recolour,
        colorize, colourise, colorise, colourize, cartoonize, cartoonise, repaint, redraw, style transfer, face swap,
        faceswap, touch up, reimagine, re-imagine, depth map, colorization, restoration, background removal,
        inpainting, outpainting, virtual try-on, try-on, green screen removal, image edit, photo edit, headswap,
        colour grade, color grade, edge map, pose map, canny, remove background, remove watermark, red eye
        """
    ),
    Act.UPSCALE: words_of(
        """
        upscale, upscaling, enlarge, super resolution, super-resolution, superresolution, upres, up-res, uprez,
        sharpen, deblur, unblur, upsample, remaster, magnify, depixelate, de-pixelate
        """
    ),
    Act.FINER: words_of(
        """
        quality, resolution, blurry, low-res, low res, sharper, crisper, clearer, bigger, larger, pixelated, grainy,
        4k, 8k, 2k, 1080p, 720p, hd, uhd, 2x, 4x, 8x, hi-res, high-res, higher res, denoise, noisy, detail, crisp,
        sharp
        """
    ),
    Act.ANIMATE: words_of(
        """
        animate, bring to life, come alive, come to life, bring alive, lip sync, lip-sync, lipsync, add motion, first
        frame, last frame, start frame, end frame, give motion, add movement, motion brush, put in motion, set in
        motion
        """
    ),
    Act.MOVE: words_of(
        """
        move, motion, dance, talk, wave, blink, walk, sing, wiggle, parallax, speak, run, fly, smile, turn around,
        alive, nod, laugh, breathe, spin, zoom, jump, cry, wink, movement, life, moving
        """
    ),
    Act.SPEAK: words_of(
        """
        read aloud, aloud, say, narrate, pronounce, dub, hum, recite, read out, clone voice, voice clone, clone my
        voice, clone a voice, clone this voice, text to speech, text-to-speech, sing, read this, voice cloning
        """
    ),
    Act.SMOOTH: words_of(
        """
        interpolate, interpolation, stabilize, stabilise, smoother, frame rate, framerate, fps, slow down, 60fps,
        motion transfer, rotoscope, frame interpolation, deflicker
        """
    ),
    Act.CONTROL: words_of(
        """
        cancel, stop, delete, open, close, connect, disconnect, pause, resume, restart, install, uninstall, download,
        list, find, search, save, export, share, login, log in, sign in, quit, exit, load, update, pay, clear, rename,
        configure, set up, setup, switch, hold, reorder, retry, play, mute, copy, print, upload, show, remove, start,
        buy, send, view, email, move, sort, import, hide, check, see, count, tag, rate, watch, browse
        """
    ),
}

CODES: dict[str, str] = {
    **dict.fromkeys(("t2v", "txt2vid", "text2video", "txt2video", "text2vid", "text-to-video"), "t2v"),
    **dict.fromkeys(("i2v", "img2vid", "image2video", "img2video", "image-to-video", "ti2v", "flf2v", "s2v"), "i2v"),
    **dict.fromkeys(("t2i", "txt2img", "text2image", "text2img", "text-to-image", "txt2image"), "t2i"),
    **dict.fromkeys(("i2i", "img2img", "image2image", "image-to-image", "img2image"), "i2i"),
    **dict.fromkeys(("v2v", "vid2vid", "video2video", "video-to-video"), "v2v"),
    **dict.fromkeys(("tts", "t2a", "text2audio", "text2music", "text2speech", "text-to-speech", "text-to-music",
                     "text-to-audio", "txt2audio", "t2m"), "audio"),
    **dict.fromkeys(("upscaler", "esrgan", "seedvr2", "supir", "ultrasharp"), "upscale"),
    **dict.fromkeys(("image-to-3d", "img-to-3d", "text-to-3d", "img23d", "image23d", "t23d", "img2mesh"), "3d"),
}  # fmt: skip
"""Names that practitioners use for a whole task."""

APP = words_of(
    """
    pod, setting, queue, job, gpu, connection, server, account, bill, billing, price, cost, version, shortcut, theme,
    key, password, token, url, port, window, panel, dock, app, application, tab, error, log, profile, workflow, node,
    comfyui, runpod, vast, api, disk, folder, file, memory, vram, ram, library, gallery, backup, update, subscription,
    checkpoint, lora, plugin, extension, menu, everything, history, credit, invoice, computer, laptop, money, meeting,
    model, progress, email, list, reminder, appointment, phone, website, spreadsheet, code, program, function, coffee,
    dinner, sandwich, plan, decision, mistake, wish, sense, friend, sure, installer, driver, preset, seed, output,
    result, tax
    """
)
"""Things of the application and of the world around it: no picture is asked for."""

SCENERY = words_of(
    """
    background, sky, person, people, watermark, hair, face, cloth, clothes, clothing, shirt, dress, object,
    sunglasses, glasses, hat, eye, skin, color, colour, lighting, style, pose, expression, outfit, logo, text, car,
    man, woman, girl, boy, dog, cat, tree, building, wrinkle, scratch, shadow, reflection, smile, season, weather,
    tattoo, foreground, lip
    """
)
"""What can be changed within a picture, so that editing it means editing a picture."""

MINE = words_of("my, this, these, that, those, our, his, her, their, your, attached, uploaded, existing, selected, it")
"""In front of a medium, they say that it is there already."""

FROM = words_of("from, using, based, via, off, starting, given, by, between, within")
LINKS = words_of(
    """
    of, about, showing, depicting, featuring, where, that, which, with, for, in, at, on, containing, like, while, so,
    as, and, or, but, then, until, when, because, over, under, near, behind, without
    """
)
"""End a noun phrase."""
INTO = words_of("into, to, as")
QUESTIONS = words_of("how, where, which, why, who, when, what, is, are, does, did, whats")
POLITE = words_of(
    """
    please, can, could, would, will, you, i, we, me, us, to, like, hey, hi, ok, okay, so, now, just, lets, let, help,
    id, im, go
    """
)
"""In front of what is asked for, they ask for nothing."""
