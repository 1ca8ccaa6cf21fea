"""The sheet of a pod has a page for every kind of place: what was forgotten for a new one fails here."""

from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.pods.account import PROVIDERS
from comfydesk.qt.dialogs.pods.form import PLACES, ProfileForm
from comfydesk.qt.dialogs.pods.place import EnginePage, RentedPage
from comfydesk.qt.theme import Theme
from comfydesk.session.pods.places import PlaceKind


def test_each_kind_has_its_page(qtbot: QtBot, theme: Theme) -> None:
    form = ProfileForm(theme)
    qtbot.addWidget(form)
    assert len(form.pages) == len(PLACES)
    assert {page.kind for page in form.pages if isinstance(page, RentedPage)} == {k for k in PlaceKind if k.rented}
    assert {page.kind for page in form.pages if isinstance(page, EnginePage)} == {k for k in PlaceKind if k.engine}
    assert set(PROVIDERS) == {kind for kind in PlaceKind if kind.rented}
