"""Tool tips: words of a pod, a file or a workflow are shown as they are, and never taken for markup."""

import ast
from array import array
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

import comfydesk.qt
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.jobs import JobModel
from comfydesk.qt.models.tips import LONGEST, plain_tip
from comfydesk.qt.models.workflows import WorkflowModel
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.editors import Surroundings, make_editor
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.popup_list import Entry, PopupList
from comfydesk.session.values import WorkflowEntry
from comfydesk.store.listing import Listing
from comfydesk.store.records import Job, JobError, JobState, Output
from comfydesk.store.search import EVERYTHING, Grouping, Order
from comfydesk.workflow.card import WorkflowCard
from comfydesk.workflow.fields import Field, Kind

BAIT = '<img src="/etc/hostname"><b>bold</b> & co'


def is_plain(tip: str, words: str = BAIT) -> bool:
    """Whether Qt would show just `words`, if it showed `tip`."""
    if not GuiQt.mightBeRichText(tip):
        return tip == words
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText().strip().replace("\N{ZERO WIDTH SPACE}", "") == words


@pytest.mark.parametrize(
    "words", ["", "Ready", BAIT, "a < b", "&lt;b&gt;", "<?xml x?>", f"one\n{BAIT}", f"{BAIT} " * 5]
)
def test_words_stay_what_they_are(qapp: object, words: str) -> None:
    assert is_plain(plain_tip(words), words.strip())


def test_long_words_are_cut_and_broken(qapp: object) -> None:
    document = QTextDocument()
    document.setHtml(plain_tip("x" * 200_000))
    assert len(document.toPlainText().replace("\N{ZERO WIDTH SPACE}", "").strip()) == LONGEST
    assert "\N{ZERO WIDTH SPACE}" in document.toPlainText()


def test_rows_of_every_model_have_plain_tips(theme: Theme, qtbot: QtBot) -> None:
    jobs, outputs, workflows = JobModel(), GalleryModel(), WorkflowModel()
    jobs.put_jobs([Job("a", JobState.FAILED, "w", "p", "", {}, "", 1, 0, 0, error=JobError(BAIT, "", ""))])
    listing = Listing(array("q", [1]), array("f", [1]), array("d", [0]), (), EVERYTHING, Order.NEWEST, Grouping.NONE)
    outputs.show(listing)
    outputs.put([Output(1, "/x/1.png", "image", 1, "", 0, prompt=BAIT)])
    workflows.set_entries([WorkflowEntry("w", "w", "b", WorkflowCard(id="w", name="w", description=BAIT), None)])
    popup = PopupList(theme, "Files")
    qtbot.addWidget(popup)
    popup.open_at(popup, (Entry(BAIT),), -1)
    for model in (jobs, outputs, workflows, popup.view.model()):
        tip = model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
        assert is_plain(tip), type(model).__name__


@pytest.mark.parametrize("kind", list(Kind))
def test_editors_show_their_values_as_plain_tips(theme: Theme, qtbot: QtBot, kind: Kind) -> None:
    value = 1 if kind in (Kind.INT, Kind.FLOAT, Kind.SEED) else BAIT
    editor = make_editor(
        theme, Field("1.a", BAIT, kind, value, choices=(BAIT, "b"), tooltip=BAIT), value, Surroundings()
    )
    qtbot.addWidget(editor)
    for part in (editor, *editor.findChildren(QWidget)):
        assert "<img" not in part.toolTip(), type(part).__name__


def test_controls_have_plain_tips(theme: Theme, qtbot: QtBot) -> None:
    button, label, menu = Button(theme, "x", tooltip=BAIT), ElidedLabel(theme, BAIT), Menu(theme)
    for widget in (button, label, menu):
        qtbot.addWidget(widget)
    label.resize(20, 20)
    label.show()
    for tip in (button.toolTip(), label.toolTip(), menu.add(BAIT).toolTip(), menu.add("x", reason=BAIT).toolTip()):
        assert is_plain(tip)
    button.set_blocked(BAIT)
    assert is_plain(button.toolTip())
    button.set_blocked("")
    assert is_plain(button.toolTip()), "not escaped twice"


def test_no_tool_tip_is_set_in_any_other_way() -> None:
    folder = Path(comfydesk.qt.__file__).parent
    bare = []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setToolTip":
                words = ast.unparse(node.args[0])
                ours = isinstance(node.args[0], ast.Constant) or words.startswith("plain_tip(")
                # What `block` brings back has been set, and so made plain, before.
                if not ours and words != "widget.property(_TOOLTIP) or ''":
                    bare.append(f"{path.relative_to(folder)}: {words}")
    assert not bare
