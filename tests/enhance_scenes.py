"""Scenes of enhancing: two variants beside the original, one line where there is no engine, the language models."""

from collections.abc import Awaitable, Callable

from comfydesk.qt.app.headless import until
from comfydesk.qt.widgets.enhance_variant import State
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
        await take("enhance")
        server.chunks = [event(f"{word} ") for word in ANSWER.split()[:40]]
        server.hang = True
        page.again.click()
        assert await until(lambda: bool(page.cards) and bool(page.cards[0].rows), 10)
        await take("enhance-writing")
        page.close_button.click()
    session.settings.set(ENHANCE_ENDPOINT, "")
    page.show_nothing("There is no language model on this computer yet. Download one.", "Choose a model")
    desk.pages.open(page)
    await take("enhance-nothing")
    enhance.open_models()
    await take("language-models")
    desk.pages.close()
    form.set_value(field.id, before)
