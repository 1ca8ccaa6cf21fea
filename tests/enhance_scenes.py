"""Scenes of enhancing: two variants beside the original, one line where there is no engine, the language models."""

import asyncio
from collections.abc import Awaitable, Callable

from comfydesk.qt.app.headless import until
from comfydesk.qt.widgets.enhance_variant import State
from comfydesk.qt.widgets.page import Scroller
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.wiring import Wiring
from comfydesk.session.session import Session
from comfydesk.settings import ENHANCE, ENHANCE_ENDPOINT, ENHANCE_ENGINE, ENHANCE_VARIANTS
from comfydesk.workflow.fields import Role
from tests.unit.llm.fake_server import FakeServer, event, said

PROMPT = (
    "<lora:coastal-film:0.7> Lighthouse on a (basalt cliff:1.2) at blue hour, warm lamp beam through thin sea haze, "
    "long exposure water, {calm|choppy} swell, low sun on the horizon, 35 mm film, fine grain"
)
ANSWER = (
    "<k1> A solitary lighthouse stands on a <k2> at blue hour, seen from a low boat in a wide anamorphic frame. "
    "Its warm lamp beam sweeps left through thin sea haze, catching drops of spray against the deep blue sky. "
    "Long exposure turns the <k3> swell to silk around dark, wet rock. "
    "A gull crosses the last strip of low sun on the horizon. "
    "Shot on 35 mm film, 40 mm lens, soft halation and fine grain."
)

EACH = "A solitary lighthouse stands on basalt at night, its warm beam sweeping through thin haze above a dark sea."


async def shoot_enhance(desk: Desk, wiring: Wiring, session: Session, take: Callable[[str], Awaitable[None]]) -> None:
    """Leaves the window as it was."""
    form = desk.generation.form
    field = form.form().with_role(Role.PROMPT)[0]
    before = form.values()[field.id]
    form.set_value(field.id, PROMPT)
    enhance = wiring.enhance
    async with FakeServer(said(*(f"{word} " for word in ANSWER.split()))) as server:
        desk.preferences.set(ENHANCE, True)
        session.settings.set(ENHANCE_ENGINE, "endpoint")
        session.settings.set(ENHANCE_ENDPOINT, server.url)
        desk.preferences.set(ENHANCE_VARIANTS, 2)
        desk.actions["enhance"].trigger()
        page = enhance.page
        assert page is not None
        assert await until(lambda: bool(page.cards) and all(card.state is State.DONE for card in page.cards), 10)
        if len(page.cards[0].rows) > 3:
            page.cards[0].tick(3, False)
        await asyncio.sleep(0.3)  # the room that was not needed is given back
        await take("enhance")
        server.chunks = [event(f"{word} ") for word in ANSWER.split()[:40]]
        server.hang = True
        page.again.click()
        assert await until(lambda: bool(page.cards) and bool(page.cards[0].rows), 10)
        await take("enhance-writing")
        page.close_button.click()
        await _each(desk, wiring, server, take)
    session.settings.set(ENHANCE_ENDPOINT, "")
    page.show_nothing("There is no language model on this computer yet. Download one.", "Choose a model")
    desk.pages.open(page)
    await take("enhance-nothing")
    enhance.open_models()
    await take("language-models")
    models = enhance.models.page
    assert models is not None
    models.findChildren(Scroller)[0].verticalScrollBar().setValue(10_000)
    await take("language-models-pod")
    desk.pages.close()
    form.set_value(field.id, before)


async def _each(desk: Desk, wiring: Wiring, server: FakeServer, take: Callable[[str], Awaitable[None]]) -> None:
    """The batch sheet with two prompts enhanced, one of them left as it was typed."""
    server.hang = False
    server.chunks = said(*(f"{word} " for word in EACH.split()))
    desk.actions["batch"].trigger()
    page = wiring.jobs.batches.page
    assert page is not None
    page.prompts.setPlainText("a lighthouse at night\nthe same lighthouse in a storm")
    assert await until(lambda: page.each.begin.text().startswith("Enhance 2"), 10)
    page.each.begin.click()
    assert await until(lambda: len(page.each.taken()) == 2 and not page.each.halt.isVisible(), 10)
    page.each.rows.rows[1].check.click()
    assert await until(page.queue.isEnabled, 10)
    page.findChildren(Scroller)[0].ensureWidgetVisible(page.each)
    await take("batch-enhance")
    page.each.clear()
    page.prompts.setPlainText("")
    desk.pages.close()
