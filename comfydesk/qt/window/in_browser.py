"""A workflow in ComfyUI's own window, which runs in the browser.

Its page has an address for official templates and for custom nodes' examples ("?template=NAME&source=PACK", read once
it has loaded). It has none for a saved workflow: that one is chosen in its sidebar, and whatever lies elsewhere has
to be saved on the pod first. So each kind says what really happens.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

from comfydesk.qt.models.workflow_filter import Source, source_of
from comfydesk.qt.theme.language import tr

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry

_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
"""What the page takes for a name (ComfyUI_frontend, useTemplateUrlLoader)."""


class Way(StrEnum):
    ADDRESS = "address"
    """The address opens the workflow."""
    LISTED = "listed"
    """It is among the page's saved workflows."""
    SAVE = "save"
    """It has to be saved on the pod first."""


@dataclass(frozen=True, slots=True)
class Landing:
    """How a workflow gets into the page at `url`."""

    way: Way
    url: str


def landing(entry: "WorkflowEntry", url: str) -> Landing:
    """`url`: the page of the pod that the workflow is to be opened on."""
    kind = source_of(entry)
    if kind is Source.POD:
        return Landing(Way.LISTED, url)
    pack, _, name = ("", "", entry.place) if kind is Source.TEMPLATES else entry.place.partition("/")
    name = name.removesuffix(".json")
    if kind is Source.TEMPLATES and _NAME.fullmatch(name):
        return Landing(Way.ADDRESS, _with(url, template=name))
    if kind is Source.EXAMPLES and _NAME.fullmatch(name) and _NAME.fullmatch(pack):
        return Landing(Way.ADDRESS, _with(url, template=name, source=pack))
    return Landing(Way.SAVE, url)


def label(way: Way, pod: str) -> str:
    """What the menu calls it."""
    if way is Way.ADDRESS:
        return tr("Open in ComfyUI, in the browser")
    if way is Way.LISTED:
        return tr("Open ComfyUI in the browser")
    return tr("Save on {pod} and open ComfyUI", pod=pod) if pod else tr("Open ComfyUI in the browser")


def where(place: str) -> str:
    """What is left to do in the page."""
    return tr("In ComfyUI press W and choose {place}.", place=place.removesuffix(".json"))


def _with(url: str, **query: str) -> str:
    parts = urlsplit(url)
    both = "&".join(part for part in (parts.query, urlencode(query)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", both, parts.fragment))
