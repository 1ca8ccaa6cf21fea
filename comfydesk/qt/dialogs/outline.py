"""The graph of an output as a list: its nodes in the order in which they ran, what was set, what feeds them."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.page import Page

if TYPE_CHECKING:
    from comfydesk.session.gallery.details import OutlineNode

_LONGEST = 300
_UNFOLDED = 40
"""Nodes of a graph that is shown with all its values at once."""


class OutlinePage(Page):
    """Reads only."""

    def __init__(self, theme: Theme, name: str, nodes: "tuple[OutlineNode, ...]") -> None:
        super().__init__(theme, tr("Outline of {name}", name=name))
        self.browser = Button(theme, tr("Open ComfyUI"), icon="globe")
        self.head.addWidget(self.browser)
        self.hide_foot()
        self.tree = QTreeWidget()
        self.tree.setAccessibleName(tr("Nodes"))
        self.tree.setHeaderLabels([tr("Node"), tr("Value")])
        self.tree.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(theme.px(20))
        self.tree.header().setFont(theme.font("small_strong"))
        theme.surface(self.tree, "popup")
        theme.surface(self.tree.viewport(), "popup")
        titles = {node.id: node.title for node in nodes}
        for number, node in enumerate(nodes, 1):
            top = self._row(f"{number}. {node.title}", node.kind if node.kind != node.title else "", heading=True)
            for label, value in node.values:
                top.addChild(self._row(label, " ".join(value.split())[:_LONGEST]))
            for label, source in node.links:
                top.addChild(self._row(label, tr("from {name}", name=titles.get(source, source))))
            self.tree.addTopLevelItem(top)
        if len(nodes) <= _UNFOLDED:
            self.tree.expandAll()
        if nodes:
            self.body.addWidget(self.tree)
            self.tree.setColumnWidth(0, theme.px(280))
            self.title.setToolTip(plain_tip(tr_n("{n} node", "{n} nodes", len(nodes))))
        else:
            self.body.addWidget(EmptyState(theme, "list", tr("No graph is known of it")))

    def _row(self, name: str, value: str, *, heading: bool = False) -> QTreeWidgetItem:
        theme, row = self.theme, QTreeWidgetItem([name, value])
        row.setSizeHint(0, QSize(0, theme.height(28, "body")))
        row.setFont(0, theme.font("label" if heading else "small"))
        row.setFont(1, theme.font("small"))
        row.setForeground(1 if heading else 0, theme.color("text2"))
        row.setToolTip(1, plain_tip(value))
        return row

    def first_focus(self) -> QTreeWidget:
        return self.tree
