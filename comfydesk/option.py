"""One setting, declared: its type, what it may be, and how it is called on the screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from comfydesk.errors import UsageError

T = TypeVar("T", bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Option(Generic[T]):
    """`key` is "<table>.<name>" in the file; the dialog makes one page per table."""

    key: str
    default: T
    label: str
    help: str
    choices: tuple[T, ...] = ()
    minimum: T | None = None
    maximum: T | None = None
    folder: bool = False
    """A text that names a folder: the dialog offers to choose one."""
    folders: bool = False
    """A text that names several, with ; between them."""
    choice_labels: tuple[str, ...] = ()
    """What the choices are called on the screen, one for each; () shows the choices themselves."""
    unit: str = ""
    """Behind a number: "%"."""
    step: T | None = None
    restart: bool = False
    """In force from the next start on, not at once."""

    @property
    def type(self) -> type[T]:
        return type(self.default)

    def check(self, value: object) -> T:
        """`value` as this option's type. Raises UsageError when it is of another type or out of range."""
        if isinstance(value, int) and not isinstance(value, bool) and isinstance(self.default, float):
            value = float(value)
        if type(value) is not type(self.default):
            what = f"The setting {self.key} takes {_WORDS[type(self.default)]}, not {value!r}"
            raise UsageError(what)
        if self.choices and value not in self.choices:
            listed = ", ".join(str(choice) for choice in self.choices)
            what = f"The setting {self.key} cannot be {value!r}"
            raise UsageError(what, advice=f"Choose one of: {listed}")
        if (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            what = f"The setting {self.key} must lie between {self.minimum} and {self.maximum}, not {value}"
            raise UsageError(what)
        return value


_WORDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
