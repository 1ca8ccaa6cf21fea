"""The comparison of a prompt with what a language model made of it: a page over the centre. It blocks nothing."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.llm.words.diff import Diff
from comfydesk.llm.words.styles import STYLES, Style
from comfydesk.qt.models.enhancing import COUNTS, LENGTHS, Subject, Wish
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr, tr_n
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.empty_state import EmptyState
from comfydesk.qt.widgets.enhance_rows import kept_counts, old_tokens, plain_tokens
from comfydesk.qt.widgets.enhance_text import WordsView
from comfydesk.qt.widgets.enhance_variant import State, VariantCard
from comfydesk.qt.widgets.field_frame import FieldFrame
from comfydesk.qt.widgets.flow import Flow
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.page import Page, Scroller
from comfydesk.qt.widgets.plain import Icon, pad
from comfydesk.qt.widgets.prompt_syntax import count_words
from comfydesk.qt.widgets.switch import Check
from comfydesk.session.enhancement.values import Choice, EngineChoice, Result

SHOW_MS = 50
"""How often what streams in is shown: often enough to be read as it comes."""
LATER_MS = 20
TWO_COLUMNS = 720


class EnhancePage(Page):
    """`asked` when it should be written (again), `accepted` with the wording, `acted` for what a message offers."""

    asked = Signal()
    accepted = Signal(str)
    cancelled = Signal()
    engine_chosen = Signal(object)
    """Choice"""
    lock_wanted = Signal()
    acted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Enhance prompt"), parent)
        self.subject = Subject("")
        self.cards: list[VariantCard] = []
        self._current = 0
        self._styles: tuple[Style, ...] = STYLES
        self._engines: tuple[EngineChoice, ...] = ()
        self._dirty: list[VariantCard] = []
        self._columns = 0
        self.engine = Combo(theme)
        self.engine.setAccessibleName(tr("Engine"))
        self.style_box, self.length_box, self.count_box = Combo(theme), Combo(theme), Combo(theme)
        self.translate = Check(theme, tr("Into English"))
        self.banner = Banner(theme)
        self.empty = EmptyState(theme, "enhance", "")
        self.words = Label(theme, font="small", color="text2")
        self.family = ElidedLabel(theme, font="small", color="text2")
        self.original = WordsView(theme)
        self.kept = ElidedLabel(theme, font="small", color="text2")
        self.lock = Button(theme, tr("Lock the selection"), kind=Kind.LINK)
        self.told = ElidedLabel(theme, font="small", color="text2")
        self.again = Button(theme, tr("Try again"), kind=Kind.GHOST, icon="refresh")
        self.halt = Button(theme, tr("Cancel"), kind=Kind.GHOST)
        self.some = Button(theme, tr("Accept picked"))
        self.all = Button(theme, tr("Accept"), kind=Kind.PRIMARY, keys="Alt+Enter")
        self._widths = ((self.engine, 250), (self.style_box, 130), (self.length_box, 190), (self.count_box, 120))
        theme.changed.connect(self._widen)
        self._widen()
        self._timer = QTimer(self, interval=SHOW_MS)
        self._timer.timeout.connect(self._show_next)
        # What is struck of the original comes an instant after what is new: both at once take too long.
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(self._on_picked)
        self._between = QTimer(self, singleShot=True, interval=SHOW_MS // 2)
        self._between.timeout.connect(lambda: any(card.prepare() for card in self.cards))
        self._fill_boxes()
        self._lay_out()
        self._join()
        self.tell_foot()

    # --- What is asked ----------------------------------------------------------------------------------------------

    def wish(self) -> Wish:
        """What the boxes say."""
        at = max(0, self.style_box.currentIndex())
        return Wish(
            self._styles[at].id if at < len(self._styles) else STYLES[0].id,
            LENGTHS[max(0, self.length_box.currentIndex())],
            COUNTS[max(0, self.count_box.currentIndex())],
            self.translate.isChecked(),
        )

    def show_wish(self, wish: Wish) -> None:
        """Set the boxes; emits nothing."""
        ids = [style.id for style in self._styles]
        self.style_box.setCurrentIndex(ids.index(wish.style) if wish.style in ids else 0)
        self.length_box.setCurrentIndex(LENGTHS.index(wish.length))
        self.count_box.setCurrentIndex(min(range(len(COUNTS)), key=lambda at: abs(COUNTS[at] - wish.count)))
        self.translate.setChecked(wish.translate)

    def show_styles(self, styles: tuple[Style, ...]) -> None:
        """The user's own stand behind the product's."""
        wish, self._styles = self.wish(), styles
        self.style_box.clear()
        self.style_box.addItems([tr(style.name) if not style.own else style.name for style in styles])
        self.show_wish(wish)

    def show_engines(self, engines: tuple[EngineChoice, ...], chosen: Choice) -> None:
        """What can be asked. The first entry is Automatic."""
        self._engines = engines
        used = next((one for one in engines if one.chosen), None)
        self.engine.clear()
        automatic = tr("Automatic: {engine}", engine=_engine_words(used)) if used else tr("Automatic")
        self.engine.addItem(automatic)
        self.engine.addItems([_engine_words(one) for one in engines])
        kinds = [one.choice for one in engines]
        self.engine.setCurrentIndex(kinds.index(chosen) + 1 if chosen in kinds else 0)

    # --- What comes -------------------------------------------------------------------------------------------------

    def begin(self, subject: Subject, count: int) -> None:
        """Show the original and `count` variants that are being written."""
        self.subject = subject
        self.set_title(tr("Enhance negative prompt") if subject.negative else tr("Enhance prompt"))
        self.words.setText(tr_n("{n} word", "{n} words", count_words(subject.text)))
        self.family.set_text(subject.family)
        self.banner.clear()
        self.empty.hide()
        self._holder.show()
        self._show_kept()
        self._drop_cards()
        for number in range(count):
            self._add_card(number)
        self._columns = 0
        self._arrange()
        self._choose(0)
        self._timer.start()

    def add(self, variant: int, text: str) -> None:
        """More text of a variant."""
        card = self.cards[variant]
        card.add(text)
        if card not in self._dirty:
            self._dirty.append(card)

    def again_with(self, variant: int, why: str) -> None:
        """It is asked once more."""
        self.cards[variant].again(why)

    def finish(self, variant: int, result: Result, diff: Diff) -> None:
        card = self.cards[variant]
        if self.cards[self._current].state is not State.DONE:
            self._current = variant
            self._select()
        card.finish(result, diff)
        self.tell_foot()
        self._later.start()

    def refuse(self, variant: int, why: str) -> None:
        self.cards[variant].refuse(why)
        self._on_picked()

    def ended(self) -> None:
        """Nothing more will come."""
        self._timer.stop()
        for card in self.cards:
            card.cancel()
        self._dirty.clear()
        self.tell_foot()

    def show_nothing(self, words: str, action: str) -> None:
        """There is no engine: what to do, in one line, and the button that does it."""
        self._timer.stop()
        self._drop_cards()
        self._show_kept()
        self.empty.tell("enhance", words, action=action)
        self.empty.show()
        self.tell_foot()

    @property
    def writing(self) -> bool:
        return any(card.state is State.WRITING for card in self.cards)

    @property
    def worth_keeping(self) -> bool:
        """Something is written, or is about to be."""
        return any(card.state in (State.WRITING, State.DONE) for card in self.cards)

    def current(self) -> VariantCard | None:
        """The variant that Accept takes."""
        return self.cards[self._current] if self._current < len(self.cards) else None

    # --- Inside -----------------------------------------------------------------------------------------------------

    def tell_foot(self) -> None:
        """Bring the buttons and the line beside them up to date."""
        card = self.current()
        done = card is not None and card.state is State.DONE
        taken = card.counts()[0] if card is not None else 0
        self.all.setText(tr("Accept variant {n}", n=self._current + 1) if len(self.cards) > 1 else tr("Accept"))
        self.all.set_blocked("" if done else tr("Nothing is written yet"))
        self.some.setVisible(bool(done and card is not None and not card.whole and card.picked))
        self.some.setText(tr("Accept {n} picked", n=taken))
        self.halt.setVisible(self.writing)
        self.again.setVisible(bool(self.cards) and not self.writing)
        self.told.set_text(_result_words(card.result) if card is not None and card.result is not None else "")

    def first_focus(self) -> QWidget:
        return self.style_box

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _widen(self) -> None:
        """Boxes are as wide as what they say, as far as there is room."""
        for box, width in self._widths:
            box.setMinimumWidth(self.theme.px(width))
        self.engine.setMaximumWidth(self.theme.px(360))

    def _fill_boxes(self) -> None:
        for box, name in (
            (self.style_box, tr("Style")),
            (self.length_box, tr("Length")),
            (self.count_box, tr("Variants")),
        ):
            box.setAccessibleName(name)
        self.style_box.addItems([tr(style.name) for style in STYLES])
        lengths = (tr("As the model likes it"), tr("Short"), tr("Medium"), tr("Long"))
        self.length_box.addItems(list(lengths))
        self.count_box.addItems([tr_n("{n} variant", "{n} variants", count) for count in COUNTS])

    def _lay_out(self) -> None:
        theme = self.theme
        self.head.addWidget(Label(theme, tr("Engine"), color="text2"))
        self.head.addWidget(self.engine, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        pad(column, theme, 20, 12, 20, 12, gap=8)
        choices = QWidget()
        self._choices = Flow(theme.px(8), choices)
        for part in (self.style_box, self.length_box, self.count_box, self.translate):
            self._choices.addWidget(part)
        column.addWidget(choices)
        column.addWidget(self.banner)
        self._holder = QWidget()
        held = QVBoxLayout(self._holder)
        pad(held, theme, 0, 0, 0, 0, gap=8)
        head = QHBoxLayout()
        pad(head, theme, 0, 0, 0, 0, gap=8)
        head.addWidget(Label(theme, tr("Original"), font="label"))
        head.addWidget(self.words)
        head.addStretch(1)
        head.addWidget(self.family, 2)
        frame = FieldFrame(theme)
        inside = QVBoxLayout()
        pad(inside, theme, 8, 6, 8, 6)
        inside.addWidget(self.original)
        frame.row.addLayout(inside)
        below = QHBoxLayout()
        pad(below, theme, 0, 0, 0, 0, gap=8)
        below.addWidget(Icon(theme, "lock"))
        below.addWidget(self.kept, 1)
        below.addWidget(self.lock)
        held.addLayout(head)
        held.addWidget(frame)
        held.addLayout(below)
        column.addWidget(self._holder)
        column.addWidget(self.empty)
        self.empty.hide()
        self._grid = QGridLayout()
        pad(self._grid, theme, 0, 4, 0, 4, gap=12)
        column.addLayout(self._grid, 1)
        self.body.addWidget(Scroller(theme, content))
        self.foot.addWidget(self.told, 1)
        for button in (self.again, self.halt, self.some, self.all):
            self.foot.addWidget(button)

    def _join(self) -> None:
        for box in (self.style_box, self.length_box, self.count_box):
            box.activated.connect(lambda _: self.asked.emit())
        self.translate.clicked.connect(lambda _: self.asked.emit())
        self.again.clicked.connect(self.asked)
        self.engine.activated.connect(self._on_engine)
        self.halt.clicked.connect(self.cancelled)
        self.lock.clicked.connect(self.lock_wanted)
        self.empty.acted.connect(self.acted)
        self.banner.acted.connect(self.asked)
        self.some.clicked.connect(lambda: self._accept(whole=False))
        self.all.clicked.connect(lambda: self._accept(whole=True))
        # Not the button's own: setText would take it away.
        for keys in ("Alt+Return", "Alt+Enter"):
            accept = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WindowShortcut)
            accept.activated.connect(self.all.click)
        self.original.toggled.connect(self._on_toggled)

    def _on_engine(self, at: int) -> None:
        self.engine_chosen.emit(self._engines[at - 1].choice if at > 0 else Choice.AUTOMATIC)

    def _accept(self, *, whole: bool) -> None:
        card = self.current()
        if card is not None and card.result is not None:
            self.accepted.emit(card.result.enhanced if whole else card.wording())

    def _on_toggled(self, part: int) -> None:
        card = self.current()
        if card is not None:
            card.toggle(part)

    def _show_next(self) -> None:
        """One card a time: two in a row could keep the window waiting."""
        if self._dirty:
            self._dirty.pop(0).refresh()
            self._between.start()

    def _add_card(self, number: int) -> None:
        subject = self.subject
        card = VariantCard(self.theme, number, subject.text, subject.locked)
        if subject.selection is not None:
            start, end = subject.selection
            card.set_around(subject.text[:start], subject.text[end:])
        card.chosen.connect(lambda: self._choose(number))
        card.picked_changed.connect(self._on_picked)
        card.copied.connect(_copy)
        card.stopped.connect(self.cancelled)
        self.cards.append(card)

    def _drop_cards(self) -> None:
        self._dirty.clear()
        for card in self.cards:
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards, self._current = [], 0

    def _arrange(self) -> None:
        columns = 2 if self.width() >= self.theme.px(TWO_COLUMNS) and len(self.cards) > 1 else 1
        if columns == self._columns or not self.cards:
            return
        self._columns = columns
        for at, card in enumerate(self.cards):
            self._grid.addWidget(card, at // columns, at % columns)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1 if columns == 2 else 0)

    def _choose(self, number: int) -> None:
        self._current = number
        self._select()
        self._on_picked()

    def _select(self) -> None:
        for card in self.cards:
            card.set_selected(card.number == self._current)

    def _on_picked(self) -> None:
        card = self.current()
        if card is not None and card.diff is not None:
            self.original.show_tokens(old_tokens(card.diff, card.picked), clickable=True)
        elif card is not None:
            self.original.show_tokens(plain_tokens(self.subject.text, self.subject.locked))
        self.tell_foot()

    def _show_kept(self) -> None:
        subject = self.subject
        alone, locked = kept_counts(subject.text, subject.locked)
        parts = [tr("{n} by their form", n=alone)] if alone else []
        parts += [tr("{n} locked by you", n=locked)] if locked else []
        kept = tr("Kept exactly: {what}.", what=", ".join(parts)) if parts else tr("Nothing is kept exactly.")
        if subject.selection is not None:
            kept = f"{tr('Only the selection changes.')} {kept}"
        self.kept.set_text(kept)
        self.original.show_tokens(plain_tokens(subject.text, subject.locked))


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def _engine_words(engine: EngineChoice) -> str:
    named = f"{engine.model}, {engine.name}" if engine.model else engine.name
    return named if engine.ready else tr("{engine}: not ready", engine=named)


def _result_words(result: Result) -> str:
    parts: Sequence[str] = (
        tr("{n} tokens/s", n=f"{result.tokens_per_second:.1f}") if result.tokens_per_second else "",
        result.engine,
        result.model,
        tr("{n} s", n=f"{result.seconds:.1f}"),
    )
    return ", ".join(part for part in parts if part)
