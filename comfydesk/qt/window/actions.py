"""Every command of the window, declared once: its words, menu, keys and icon. Menus and shortcuts are made from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr


@dataclass(frozen=True, slots=True)
class Command:
    """`keys` are QKeySequence words, several separated by "; ". A line is drawn above it when `apart`."""

    id: str
    words: str
    menu: str
    keys: str = ""
    icon: str = ""
    apart: bool = False
    checkable: bool = False
    tip: str = ""


COMMANDS: tuple[Command, ...] = (
    Command("open", "Open workflow\N{HORIZONTAL ELLIPSIS}", "File", "Ctrl+O", "open"),
    Command("import_folder", "Import a folder of outputs\N{HORIZONTAL ELLIPSIS}", "File", icon="download", apart=True),
    Command("pod_outputs", "What is on the pod", "File", icon="pod"),
    Command("save_search", "Save the library's search\N{HORIZONTAL ELLIPSIS}", "File", icon="search"),
    Command("export", "Export the selection\N{HORIZONTAL ELLIPSIS}", "File", icon="download"),
    Command("outputs_folder", "Show outputs folder", "File", icon="folder", apart=True),
    Command("log_folder", "Show log folder", "File", icon="terminal"),
    Command("quit", "Quit", "File", "Ctrl+Q", apart=True),
    Command("undo", "Undo", "Edit", "Ctrl+Z", "undo"),
    Command("redo", "Redo", "Edit", "Ctrl+Shift+Z"),
    Command("cut", "Cut", "Edit", "Ctrl+X", apart=True),
    Command("copy", "Copy", "Edit", "Ctrl+C", "copy"),
    Command("paste", "Paste", "Edit", "Ctrl+V"),
    Command("palette", "Commands", "Edit", "Ctrl+K", "search", apart=True),
    Command("intent", "Say what you want", "Edit", "Ctrl+Space"),
    Command("find", "Find a workflow", "Edit", "Ctrl+F", "search"),
    Command("settings", "Settings\N{HORIZONTAL ELLIPSIS}", "Edit", "Ctrl+,", "settings", apart=True),
    Command("language_models", "Language models\N{HORIZONTAL ELLIPSIS}", "Edit", icon="enhance"),
    Command("create", "Create", "View", "Ctrl+1", "create", checkable=True),
    Command("library", "Library", "View", "Ctrl+2", "grid", checkable=True),
    Command("compare", "Compare", "View", "Ctrl+3", "compare", checkable=True),
    Command("left_panel", "Left panel", "View", "Ctrl+B", apart=True, checkable=True),
    Command("bottom_panel", "Bottom panel", "View", "Ctrl+J", checkable=True),
    Command("right_panel", "Right panel", "View", "Ctrl+Alt+B", checkable=True),
    Command("intent_bar", "Intent bar", "View", "Ctrl+Alt+Space", checkable=True),
    Command("full_screen", "Full screen", "View", "F11", "fit", apart=True, checkable=True),
    Command("scheme_system", "Colours as the desktop", "View", apart=True, checkable=True),
    Command("scheme_dark", "Dark", "View", checkable=True),
    Command("scheme_light", "Light", "View", checkable=True),
    Command("layout_default", "Default layout", "View", apart=True),
    Command("layout_focus", "Focus layout", "View"),
    Command("layout_wide", "Wide layout", "View"),
    Command("save_layout", "Save layout\N{HORIZONTAL ELLIPSIS}", "View"),
    Command("prompt", "Go to the prompt", "Workflow", "Ctrl+L; Ctrl+P"),
    Command("enhance", "Enhance the prompt", "Workflow", "Ctrl+E", "enhance"),
    Command("reset_values", "Back to the workflow's own values", "Workflow", icon="undo"),
    Command("missing", "Show what is missing", "Workflow", icon="warning"),
    Command("save_workflow", "Save", "Workflow", "Ctrl+S", "save", apart=True),
    Command("save_workflow_as", "Save as\N{HORIZONTAL ELLIPSIS}", "Workflow", "Ctrl+Shift+S"),
    Command("generate", "Generate", "Generate", "Ctrl+Enter; Ctrl+Return", "play"),
    Command("generate_next", "Generate next, before all that waits", "Generate", "Ctrl+Shift+Enter; Ctrl+Shift+Return"),
    Command("batch", "Batch\N{HORIZONTAL ELLIPSIS}", "Generate", "Ctrl+Shift+B", "batch"),
    Command("pause_queue", "Pause or resume the queue", "Generate", "Ctrl+Shift+H", "pause"),
    Command("cancel", "Cancel the running job", "Generate", "Ctrl+Backspace", "stop"),
    Command("clear_finished", "Clear finished jobs", "Generate", apart=True),
    Command("connect", "Add a pod\N{HORIZONTAL ELLIPSIS}", "Pod", "Ctrl+Shift+P", "plus"),
    Command("pods", "All pods", "Pod", icon="list"),
    Command("demo", "Open the demo pod", "Pod", icon="pod"),
    Command("check_pod", "Check the connection", "Pod", icon="search", apart=True),
    Command("system", "System", "Pod", "Ctrl+Shift+I", "gpu"),
    Command("disconnect", "Disconnect", "Pod", icon="cloud-off"),
    Command("welcome", "Welcome", "Help", icon="help"),
    Command("shortcuts", "Keyboard shortcuts", "Help", "F1; ?", "keyboard"),
    Command("about", "About ComfyDesk", "Help", icon="info", apart=True),
)


class Actions:
    """The QActions by id. They belong to the window, so that their keys work wherever the focus is."""

    def __init__(self, theme: Theme, window: QWidget, commands: tuple[Command, ...] = COMMANDS) -> None:
        self.commands = commands
        self._actions: dict[str, QAction] = {command.id: _make(theme, window, command) for command in commands}

    def __getitem__(self, command: str) -> QAction:
        return self._actions[command]

    @staticmethod
    def menu_words(menu: str) -> str:
        """What a menu is called on the screen."""
        return tr(menu)

    def set_keys(self, command: str, keys: Iterable[str]) -> None:
        """Let the command answer to `keys` from now on, the first of them shown in the menu."""
        self._actions[command].setShortcuts([QKeySequence(each) for each in keys])

    def all(self) -> tuple[QAction, ...]:
        """In the order in which they were declared."""
        return tuple(self._actions.values())

    def fill(self, menus: Mapping[str, QMenu]) -> None:
        """Put each action into the menu of that title."""
        for command in self.commands:
            menu = menus[command.menu]
            if command.apart:
                menu.addSeparator()
            menu.addAction(self._actions[command.id])


def _make(theme: Theme, window: QWidget, command: Command) -> QAction:
    action = QAction(tr(command.words), window)
    action.setObjectName(command.id)
    action.setCheckable(command.checkable)
    if command.keys:
        action.setShortcuts([QKeySequence(keys) for keys in command.keys.split("; ")])
    if command.icon:
        theme.bind_icon(action, command.icon)
    window.addAction(action)
    return action
