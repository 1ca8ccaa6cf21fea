"""Scenes of browsing: what the intent bar offers, the grid, the models, and what is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from comfydesk.qt.app.headless import until
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.wiring import Wiring
from comfydesk.workflow.needs import MissingModel, Needs

URL = "https://models.example/ltx-2.safetensors"
LACKS = Needs(
    ready=False,
    missing_models=(
        MissingModel("ltx-2-19b-dev-fp8.safetensors", "checkpoints", URL),
        MissingModel(
            "ltx-2-upscaler-x2.safetensors", "latent_upscale_models", URL, suggestion="ltx-2-upscaler-v1.safetensors"
        ),
        MissingModel("my-own-film.safetensors", "loras"),
    ),
    missing_nodes=("ADE_AnimateDiffLoader", "IPAdapterUnifiedLoader"),
)


async def shoot_browse(desk: Desk, wiring: Wiring, take: Callable[[str], Awaitable[None]]) -> None:
    """Leaves the window as it was."""
    browser, intent, browse = desk.browser, desk.intent, wiring.browse
    desk.window.activateWindow()  # a popup of another scene had the keyboard
    assert await until(desk.window.isActiveWindow, 5)
    for name, words in (("suggestions", "a picture of a red bicycle"), ("suggestions-none", "hello world")):
        desk.actions["intent"].trigger()
        intent.field.set_text(words)
        assert await until(lambda: bool(intent.offers), 5)
        await take(name)
    intent.field.set_text("")
    browser.set_grid(True)
    await take("workflows-grid")
    browser.set_grid(False)
    browser.show_models()
    assert await until(lambda: browse.models.panel.model.total > 0, 10)
    await take("models")
    browser.show_models(False)
    current = wiring.bench.current
    assert current is not None
    browse.missing.show(replace(current, needs=LACKS))
    await asyncio.sleep(0.5)
    await take("missing")
    desk.pages.close()
