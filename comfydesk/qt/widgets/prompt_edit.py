"""The text of a prompt: as high as its lines, tinted, weighed by key, never frozen by a paste."""

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
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
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit, QWidget

from comfydesk.qt.theme import FontName, Theme
from comfydesk.qt.widgets.prompt_syntax import places_of, tints
from comfydesk.qt.widgets.prompt_weights import reweigh

LINE = 20
"""Height of a line in the design."""
LARGEST = 20_000
"""Characters that are laid out. Qt needs 80 s for a word of a million letters; longer text is kept, not shown."""
_TINTED = 5_000
"""Lines longer than this stay plain."""

_CONTROL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_UP_DOWN = (Qt.Key.Key_Up, Qt.Key.Key_Down)


class _Tinter(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        self._formats: dict[str, QTextCharFormat] = {}
        self._locked: tuple[str, ...] = ()
        theme.changed.connect(self._colour)
        self._colour()

    def lock(self, phrases: tuple[str, ...]) -> None:
        if phrases != self._locked:
            self._locked = phrases
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        if len(text) > _TINTED:
            return
        for start, length, kind in tints(text):
            self.setFormat(start, length, self._formats[kind])
        for start, length in places_of(self._locked, text):
            for at in range(start, start + length):
                form = self.format(at)
                form.merge(self._formats["locked"])
                self.setFormat(at, 1, form)

    def _colour(self) -> None:
        for kind in ("lora", "weight", "wildcard"):
            form = QTextCharFormat()
            form.setForeground(self._theme.color(kind))
            self._formats[kind] = form
        form = QTextCharFormat()
        form.setBackground(self._theme.color("pressed"))
        # Not by colour alone: a dotted line as well.
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DashUnderline)
        form.setUnderlineColor(self._theme.color("accent"))
        self._formats["locked"] = form
        self.rehighlight()


class PromptEdit(QTextEdit):
    """Plain text in lines of 20 px; as high as its text between two limits."""

    oversized = Signal(str)
    """The whole text that a paste would make, when it is too long to lay out."""
    history_stepped = Signal(int)
    """Alt+Up: 1, what was used before; Alt+Down: -1."""
    lock_wanted = Signal()
    """Ctrl+Shift+L"""

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

    def replace(self, start: int, end: int, words: str) -> None:
        """Put `words` in place of a part, in one step that can be undone, and the cursor behind them."""
        cursor = self.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(words)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def mark_locked(self, phrases: tuple[str, ...]) -> None:
        """Show that these phrases are kept as they are."""
        if self._tinter is not None:
            blocked = self.blockSignals(True)  # a format is no change of the text
            self._tinter.lock(phrases)
            self.blockSignals(blocked)

    def line_height(self) -> int:
        return max(self._theme.px(LINE), self._theme.metrics(self._font_name).height() + self._theme.px(2))

    def change_weight(self, steps: int) -> None:
        """Raise or lower the weight of the selection or the word at the cursor."""
        cursor, text = self.textCursor(), self.toPlainText()
        new, start, end = reweigh(text, cursor.selectionStart(), cursor.selectionEnd(), steps)
        if new == text or self.isReadOnly():
            return
        tail = len(text) - (len(new) - end)
        self.replace(start, tail, new[start:end])
        cursor = self.textCursor()
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

    def event(self, event: QEvent) -> bool:
        # Keys that mean something in here are no commands of the window meanwhile.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # The key pad's own modifier does not count.
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        key = event.key()
        if modifiers == _CONTROL and key in _UP_DOWN:
            self.change_weight(1 if key == Qt.Key.Key_Up else -1)
        elif modifiers == _ALT and key in _UP_DOWN:
            self.history_stepped.emit(1 if key == Qt.Key.Key_Up else -1)
        elif modifiers == _CONTROL | _SHIFT and key == Qt.Key.Key_L:
            self.lock_wanted.emit()
        elif modifiers & (_CONTROL | _ALT) and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()  # Generate, or a sheet's own accept, wherever the focus is
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


def _is_own(event: QKeyEvent) -> bool:
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if event.key() in _UP_DOWN:
        return modifiers in (_CONTROL, _ALT)
    return modifiers == _CONTROL | _SHIFT and event.key() == Qt.Key.Key_L
