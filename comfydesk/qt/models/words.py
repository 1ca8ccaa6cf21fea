"""Numbers as people read them."""

from comfydesk.qt.theme.language import tr, tr_n

TIMES = "\N{MULTIPLICATION SIGN}"
DOT = "\N{MIDDLE DOT}"
ARROW = "\N{RIGHTWARDS ARROW}"


def made(number: int, media: str) -> str:
    """ "1 image", "4 videos"; "2 jobs" of what has no number of its own. `media`: what comes out."""
    if media == "image":
        return tr_n("{n} image", "{n} images", number)
    if media == "video":
        return tr_n("{n} video", "{n} videos", number)
    return tr_n("{n} job", "{n} jobs", number)


def nodes_missing(number: int) -> str:
    """ "1 node missing"."""
    return tr_n("{n} node missing", "{n} nodes missing", number)


def models_missing(number: int) -> str:
    """ "2 models missing"."""
    return tr_n("{n} model missing", "{n} models missing", number)


SHORTEST = 1.0
"""Seconds below which a time is not told in figures."""


def about(seconds: float) -> str:
    """ "about 1:52", or "under a second"."""
    if seconds < SHORTEST:
        return tr("under a second")
    return tr("about {time}", time=clock(seconds))


def clock(seconds: float) -> str:
    """ "0:05", "1:52", "2:03:10"."""
    total = max(0, round(seconds))
    hours, rest = divmod(total, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def took(seconds: float) -> str:
    """How long something was at work: "0.3 s", "14.4 s", from a minute on "1:52"."""
    return clock(seconds) if seconds >= 59.95 else f"{max(0.0, seconds):.1f} s"


def speed(rate: float) -> str:
    """ "3.42 it/s", or "2.10 s/it" for slow nodes. `rate` is above 0."""
    return f"{rate:.2f} it/s" if rate >= 1 else f"{1 / rate:.2f} s/it"


def size_words(size: float) -> str:
    """ "812 B", "1.9 MB", "24.0 GB": in thousands, as file managers count."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("KB", "MB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} GB"
