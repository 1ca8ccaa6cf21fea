"""What is typed into the grid: a date, the name of a heading, or of a file at hand."""

from datetime import datetime
from pathlib import Path

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.widgets.gallery_tiles import day_words, heading_words


def find(model: GalleryModel, typed: str, near: int) -> int:
    """The row to go to, -1 if nothing fits. Headings come before names; names only of rows that were read."""
    words, listing = typed.strip().casefold(), model.listing
    if not words:
        return -1
    for group in listing.groups:
        when = datetime.fromtimestamp(group.time).astimezone()
        title = heading_words(group, listing.grouping.value)[0]
        spoken = f"{title} {day_words(when.date())} {when:%A %B %Y}".casefold()
        dates = (f"{when:%Y-%m-%d}", f"{when.day} {when:%B}".casefold(), f"{when.day}.{when.month}.")
        if any(each.startswith(words) for each in (*spoken.split(), *dates)) or spoken.startswith(words):
            return group.start
    count = model.rowCount()
    for step in range(min(count, 2000)):
        row = (near + step) % count
        output = model.known(row)
        if output is not None and Path(output.path).name.casefold().startswith(words):
            return row
    return -1
