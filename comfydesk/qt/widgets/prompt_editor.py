"""Where the prompt is written: grows with its text, tints its tokens, survives any paste."""

from typing import Any

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QBoxLayout, QFrame, QSizePolicy, QTextEdit, QVBoxLayout, QWidget

from comfydesk.qt.theme import FontName, Theme
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.field_frame import FieldFrame
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.prompt_syntax import reweigh, tints

LINE = 20
"""Height of a line in the design."""
LARGEST = 20_000
"""Characters that are laid out. Qt needs 80 s for a word of a million letters; longer text is kept, not shown."""
_TINTED = 5_000
"""Lines longer than this stay plain."""


class _Tinter(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        self._formats: dict[str, QTextCharFormat] = {}
        theme.changed.connect(self._colour)
        self._colour()

    def highlightBlock(self, text: str) -> None:
        if len(text) <= _TINTED:
            for start, length, kind in tints(text):
                self.setFormat(start, length, self._formats[kind])

    def _colour(self) -> None:
        for kind in ("lora", "weight", "wildcard"):
            form = QTextCharFormat()
            form.setForeground(self._theme.color(kind))
            self._formats[kind] = form
        self.rehighlight()


class PromptEdit(QTextEdit):
    """Plain text in lines of 20 px; as high as its text between two limits."""

    oversized = Signal(str)
    """The whole text that a paste would make, when it is too long to lay out."""

    def __init__(
        self,
        theme: Theme,
        least: int,
        most: int,
        *,
        font: FontName = "body",
        tinted: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._least, self._most, self._font_name = theme, least, most, font
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self._tinter = _Tinter(self.document(), theme) if tinted else None
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        theme.changed.connect(self._restyle)
        self._restyle()

    def setPlainText(self, words: str) -> None:  # noqa: N802  # Qt's name
        """Replace everything; the undo history starts anew."""
        super().setPlainText(words)
        # Qt forgets the height of the lines with the text.
        self._space_lines()

    def clear(self) -> None:
        self.setPlainText("")

    def line_height(self) -> int:
        return max(self._theme.px(LINE), self._theme.metrics(self._font_name).height() + self._theme.px(2))

    def change_weight(self, steps: int) -> None:
        """Raise or lower the weight of the selection or the word at the cursor."""
        cursor, text = self.textCursor(), self.toPlainText()
        new, start, end = reweigh(text, cursor.selectionStart(), cursor.selectionEnd(), steps)
        if new == text:
            return
        tail = len(text) - (len(new) - end)
        cursor.setPosition(start)
        cursor.setPosition(tail, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(new[start:end])
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        words = source.text().replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        cursor, text = self.textCursor(), self.toPlainText()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        if len(text) - (end - start) + len(words) > LARGEST:
            self.oversized.emit(text[:start] + words + text[end:])
        else:
            cursor.insertText(words)
            self.ensureCursorVisible()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if control and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.change_weight(1 if event.key() == Qt.Key.Key_Up else -1)
        elif control and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()  # Generate, wherever the focus is
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.verticalScrollBar().maximum() > 0 and self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._least * self.line_height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as the text, from `least` to `most` lines."""
        line = self.line_height()
        lines = round(self.document().size().height() / line)
        height = min(max(lines, self._least), self._most) * line
        if height != self.height() or height != self.minimumHeight():
            self.setFixedHeight(height)
        policy = Qt.ScrollBarPolicy
        bar = policy.ScrollBarAsNeeded if lines > self._most else policy.ScrollBarAlwaysOff
        if self.verticalScrollBarPolicy() != bar:
            self.setVerticalScrollBarPolicy(bar)

    def _restyle(self) -> None:
        self.setFont(self._theme.font(self._font_name))
        self._space_lines()
        self._fit()

    def _space_lines(self) -> None:
        spacing = QTextBlockFormat()
        spacing.setLineHeight(self.line_height(), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        document = self.document()
        document.setUndoRedoEnabled(False)
        cursor = QTextCursor(document)
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(spacing)
        document.setUndoRedoEnabled(True)


class PromptEditor(Editor):
    """The frame, the text, and a line that says so when there is too much text to show."""

    def __init__(
        self,
        theme: Theme,
        value: str = "",
        *,
        placeholder: str = "",
        lines: tuple[int, int] = (4, 10),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._kept: str | None = None
        self._before = ""
        self._quiet = False
        self.frame = FieldFrame(theme)
        self.frame.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.edit = PromptEdit(theme, *lines)
        self.edit.setPlaceholderText(placeholder)
        self._note = _TooLong(theme)
        self._note.hide()
        self._column = QVBoxLayout()
        self._column.addWidget(self.edit)
        self._column.addWidget(self._note)
        self.frame.row.addLayout(self._column)
        self.frame.watch(self.edit)
        self.row.addWidget(self.frame)
        self.setFocusProxy(self.edit)
        self.edit.textChanged.connect(self._typed)
        self.edit.oversized.connect(self._keep)
        self._note.shorten.clicked.connect(self._shorten)
        self._note.undo.clicked.connect(self._undo)
        theme.changed.connect(self._measure)
        self._measure()
        self.set_value(value)

    def value(self) -> str:
        return self.edit.toPlainText() if self._kept is None else self._kept

    def set_value(self, value: Any) -> None:
        words = "" if value is None else str(value)
        if words == self.value():
            return
        self._quiet = True
        self._show(words)
        self._quiet = False

    def set_name(self, name: str) -> None:
        self.edit.setAccessibleName(name)

    def set_invalid(self, invalid: bool) -> None:
        self.frame.set_invalid(invalid)

    def _show(self, words: str) -> None:
        self._kept = words if len(words) > LARGEST else None
        self.edit.setPlainText(words[:LARGEST])
        self.edit.setReadOnly(self._kept is not None)
        self._note.setVisible(self._kept is not None)
        if self._kept is not None:
            self._note.tell(len(words))

    def _typed(self) -> None:
        if not self._quiet and self._kept is None:
            self.value_changed.emit(self.value())

    def _keep(self, words: str) -> None:
        self._before = self.value()
        self._replace(words)

    def _shorten(self) -> None:
        self._replace((self._kept or "")[:LARGEST])

    def _undo(self) -> None:
        self._replace(self._before)

    def _replace(self, words: str) -> None:
        self._quiet = True
        self._show(words)
        self._quiet = False
        self.value_changed.emit(words)

    def _measure(self) -> None:
        px = self.theme.px
        self.frame.row.setContentsMargins(px(11), px(9), px(8), px(9))
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(px(4))


class _TooLong(QWidget):
    """Says that the text is kept whole, and what can be done."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = Label(theme, font="small", color="warning", wrap=True)
        self.shorten = Button(theme, "Keep the beginning", kind=Kind.LINK, size=Size.COMPACT)
        self.undo = Button(theme, "Undo", kind=Kind.LINK, size=Size.COMPACT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._label)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        left = Qt.AlignmentFlag.AlignLeft
        self._row.addWidget(self.shorten, 0, left)
        self._row.addWidget(self.undo, 0, left)
        self._row.addStretch(1)
        column.addLayout(self._row)
        theme.changed.connect(self._turn)
        self._theme = theme
        self._turn()

    def _turn(self) -> None:
        """Large words stand below each other."""
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.TopToBottom if self._theme.labels_above else direction.LeftToRight)

    def tell(self, length: int) -> None:
        self._label.setText(
            f"{length:,} characters. All are kept and sent; the first {LARGEST:,} are shown and cannot be edited."
        )
