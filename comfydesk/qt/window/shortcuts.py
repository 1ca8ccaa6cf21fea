"""Which keys call which command: ours, until the user chooses others; what two commands would both answer to."""

from collections.abc import Mapping

from PySide6.QtGui import QKeySequence

from comfydesk.qt.window.actions import COMMANDS, Command

FIXED = frozenset({"undo", "redo", "cut", "copy", "paste"})
"""Their keys are every text field's; the menus only name them."""


def plain(keys: str) -> tuple[str, ...]:
    """The single sequences of "Ctrl+K; F1", each as Qt writes it; what is no key is left out."""
    found = (QKeySequence(part.strip()).toString() for part in keys.split("; "))
    return tuple(part for part in found if part)


class Keys:
    """The keys in force: every command's own, with the user's choices over them."""

    def __init__(self, chosen: Mapping[str, str], commands: tuple[Command, ...] = COMMANDS) -> None:
        """`chosen`: id of a command → its keys, "" for none. Commands that there are no more are left out."""
        self._own = {command.id: plain(command.keys) for command in commands}
        self._chosen = {id_: plain(keys) for id_, keys in chosen.items() if id_ in self._own and id_ not in FIXED}

    def of(self, command: str) -> tuple[str, ...]:
        """Its keys, the one that menus show first."""
        return self._chosen.get(command, self._own[command])

    def is_own(self, command: str) -> bool:
        """Whether it still has the keys that it came with."""
        return self.of(command) == self._own[command]

    def holder(self, keys: str, but: str = "") -> str:
        """Id of the command that answers to `keys`, other than `but`; "" when none does."""
        wanted = QKeySequence(keys)
        for command in self._own:
            if command != but and any(QKeySequence(each) == wanted for each in self.of(command)):
                return command
        return ""

    def conflicts(self) -> dict[str, tuple[str, ...]]:
        """Keys → the commands that share them, where there is more than one."""
        holders: dict[str, list[str]] = {}
        for command in self._own:
            for keys in self.of(command):
                holders.setdefault(keys, []).append(command)
        return {keys: tuple(names) for keys, names in holders.items() if len(names) > 1}

    def with_keys(self, command: str, keys: str) -> "Keys":
        """`command` answers to `keys` alone ("" for none), and no other does any more."""
        chosen = {id_: "; ".join(each) for id_, each in self._chosen.items()}
        other = self.holder(keys, command) if keys else ""
        if other:
            chosen[other] = "; ".join(each for each in self.of(other) if QKeySequence(each) != QKeySequence(keys))
        chosen[command] = keys
        return self._made(chosen)

    def without(self, command: str) -> "Keys":
        """`command` has the keys again that it came with."""
        chosen = {id_: "; ".join(each) for id_, each in self._chosen.items() if id_ != command}
        return self._made(chosen)

    def chosen(self) -> dict[str, str]:
        """What differs from our own keys, to be kept."""
        return {id_: "; ".join(keys) for id_, keys in self._chosen.items() if keys != self._own[id_]}

    def _made(self, chosen: Mapping[str, str]) -> "Keys":
        made = Keys({}, ())
        made._own = self._own
        made._chosen = {id_: plain(keys) for id_, keys in chosen.items()}
        return made
