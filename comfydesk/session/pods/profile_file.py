"""The file of profiles: TOML, written atomically, without secrets.

What this version does not know is kept: unknown keys stay with their profile, and an entry that cannot be used (of a
newer version, or edited by hand) stays in the file word for word. A file that is no TOML at all is set aside.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from comfydesk.disk import set_aside, write_whole
from comfydesk.errors import StoreError
from comfydesk.hosts.protocol import COMFYUI_PORT
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profiles import (
    COLOURS,
    AuthKind,
    AuthSettings,
    Place,
    PlaceKind,
    PodProfile,
    ProfileError,
    SshSettings,
    new_id,
)
from comfydesk.tables import toml_of

FILE_NAME = "pods.toml"
VERSION = 1
MAX_FILE = 4 * 2**20
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
_KNOWN: Mapping[str, frozenset[str]] = {
    "": frozenset({"id", "name", "colour", "kind", "url", "pod", "port", "tunnel", "tls", "certificate", "llm_url"})
    | {"output_folder", "idle_minutes", "nodes_of"},
    "auth": frozenset({"kind", "user", "name", "headers"}),
    "ssh": frozenset({"host", "port", "user", "key_file", "host_key", "local_port"}),
}


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that cannot be used now; it stays in the file as it is."""

    table: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class ProfileBook:
    """All profiles, in the user's order. Changes give a new book."""

    profiles: tuple[PodProfile, ...] = ()
    unread: tuple[Unread, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problem: str = ""
    """One line for the user on what was wrong with the file; empty if nothing was."""

    def find(self, text: str) -> PodProfile | None:
        """By id or by name, whatever its case."""
        name = " ".join(text.split()).casefold()
        return next(
            (profile for profile in self.profiles if text == profile.id or profile.name.casefold() == name), None
        )

    def get(self, text: str) -> PodProfile:
        """As `find`. ProfileError if there is none."""
        found = self.find(text)
        if found is None:
            names = ", ".join(profile.name for profile in self.profiles)
            what = f"There is no pod named {text[:60]}"
            raise ProfileError(what, f"There are: {names}" if names else "There are no profiles yet", "Add it first")
        return found

    def add(self, profile: PodProfile) -> "ProfileBook":
        """With `profile` at the end. ProfileError: not valid, or its name or id is taken."""
        profile = checked(profile)
        self._refuse_twins(profile, self.profiles)
        return replace(self, profiles=(*self.profiles, profile))

    def put(self, profile: PodProfile) -> "ProfileBook":
        """With `profile` in place of the one of its id. ProfileError: not valid, its name is taken, or not there."""
        profile = checked(profile)
        self.get(profile.id)
        others = tuple(other for other in self.profiles if other.id != profile.id)
        self._refuse_twins(profile, others)
        return replace(self, profiles=tuple(profile if other.id == profile.id else other for other in self.profiles))

    def remove(self, profile_id: str) -> "ProfileBook":
        """Without it. Its secrets are the caller's to delete (`profiles.secret_items`)."""
        self.get(profile_id)
        return replace(self, profiles=tuple(other for other in self.profiles if other.id != profile_id))

    def free_name(self, name: str) -> str:
        """`name`, or "name 2", "name 3" … as the first that no profile has."""
        taken = {profile.name.casefold() for profile in self.profiles}
        candidates = (name if number == 1 else f"{name[:55]} {number}" for number in range(1, len(taken) + 2))
        return next(candidate for candidate in candidates if candidate.casefold() not in taken)

    def free_colour(self) -> str:
        """The colour that the fewest profiles have."""
        used = [profile.colour for profile in self.profiles]
        return min(COLOURS, key=used.count)

    @staticmethod
    def _refuse_twins(profile: PodProfile, others: Iterable[PodProfile]) -> None:
        for other in others:
            if other.id == profile.id or other.name.casefold() == profile.name.casefold():
                what = f"There is a pod named {other.name} already"
                raise ProfileError(what, "", "Choose another name")


class ProfileStore:
    """The file. Window and command line may share it: each change starts from what is there now."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> ProfileBook:
        """All profiles; none if there is no file. Never loses an entry: see the module. Raises StoreError."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return ProfileBook()
        except OSError as error:
            raise StoreError("The list of pods cannot be read", f"{self.path}: {error.strerror}") from error
        try:
            document = toml_of(data.decode())
        except ValueError as error:
            kept = set_aside(self.path, "The list of pods is broken, and cannot be set aside")
            problem = f"The list of pods was broken ({error}), so it starts empty. The file is kept as {kept}."
            return ProfileBook(problem=problem)
        return _book(document)

    def change(self, edit: Callable[[ProfileBook], ProfileBook]) -> ProfileBook:
        """Apply `edit` to what the file holds now and write it; the new book. What `edit` raises changes nothing."""
        book = edit(self.load())
        tables = [encode(profile) for profile in book.profiles] + [dict(entry.table) for entry in book.unread]
        self._write({"version": VERSION, **book.extra, "pods": tables})
        return book

    def _write(self, document: Mapping[str, Any]) -> None:
        import tomli_w

        write_whole(self.path, tomli_w.dumps(document).encode(), what="The list of pods cannot be saved")


@dataclass(frozen=True, slots=True)
class Imported:
    """Profiles of somebody's export, with fresh ids, and one line for each entry that was left out."""

    profiles: tuple[PodProfile, ...]
    problems: tuple[str, ...] = ()


def export_profiles(profiles: Iterable[PodProfile]) -> str:
    """TOML to give away: no secrets (there are none), no folders of this computer, nothing that we do not know."""
    import tomli_w

    tables = [encode(replace(profile, extra={}, output_folder="")) for profile in profiles]
    return tomli_w.dumps({"version": VERSION, "pods": tables})


def import_profiles(text: str, book: ProfileBook) -> Imported:
    """The profiles of `export_profiles`'s text, ready for `book.add` one after the other. ProfileError: no such text.

    Ids are new: an id of ours in a stranger's file would give our stored secrets to the stranger's address.
    """
    try:
        document = toml_of(text) if len(text) <= MAX_FILE else {}
    except ValueError as error:
        raise ProfileError("That is no file of pods", str(error), "Choose a file that ComfyDesk has exported") from None
    if not isinstance(document.get("pods"), list):
        raise ProfileError("That is no file of pods", "It lists none", "Choose a file that ComfyDesk has exported")
    found = _book(document)
    fresh = []
    for theirs in found.profiles:
        profile = replace(theirs, id=new_id(), name=book.free_name(theirs.name), output_folder="", extra={})
        book = book.add(profile)
        fresh.append(profile)
    return Imported(tuple(fresh), tuple(entry.why for entry in found.unread))


def encode(profile: PodProfile) -> dict[str, Any]:
    """The profile's table: what differs from the defaults, and `extra`."""
    place = profile.place
    table: dict[str, Any] = {"id": profile.id, "name": profile.name, "colour": profile.colour, "kind": str(place.kind)}
    plain = {
        "url": place.url,
        "pod": place.pod,
        "port": place.port if place.kind in (PlaceKind.RUNPOD, PlaceKind.VAST, PlaceKind.SSH) else 0,
        "tunnel": place.tunnel,
        "tls": place.tls,
        "nodes_of": place.nodes_of,
        "certificate": profile.certificate,
        "llm_url": profile.llm_url,
        "output_folder": profile.output_folder,
        "idle_minutes": profile.idle_minutes,
    }
    table |= {key: value for key, value in plain.items() if value}
    if profile.auth != AuthSettings():
        auth = profile.auth
        values = {"kind": str(auth.kind), "user": auth.user, "name": auth.name, "headers": list(auth.headers)}
        table["auth"] = {key: value for key, value in values.items() if value}
    if profile.ssh is not None:
        table["ssh"] = {key: value for key, value in asdict(profile.ssh).items() if value}
    for key, value in profile.extra.items():
        if key not in _KNOWN:
            table[key] = value
        elif key in table:  # else the user has removed what it belonged to
            table[key] = {**value, **table[key]}
    return table


def decode(table: Mapping[str, Any]) -> PodProfile:
    """The inverse of `encode`. Raises ProfileError that names what is wrong."""
    auth, ssh = _get(table, "auth", dict, {}), table.get("ssh")
    name = _get(table, "name", str, "")
    place = Place(
        kind=_choice(table, PlaceKind),
        url=_get(table, "url", str, ""),
        pod=_get(table, "pod", str, ""),
        port=_get(table, "port", int, COMFYUI_PORT),
        tunnel=_get(table, "tunnel", bool, False),
        tls=_get(table, "tls", bool, False),
        nodes_of=_get(table, "nodes_of", str, ""),
    )
    return checked(
        PodProfile(
            id=_get(table, "id", str, ""),
            name=name,
            place=place,
            colour=_get(table, "colour", str, COLOURS[0]),
            auth=_decode_auth(auth) if "kind" in auth else AuthSettings(),
            certificate=_get(table, "certificate", str, ""),
            llm_url=_get(table, "llm_url", str, ""),
            output_folder=_get(table, "output_folder", str, ""),
            idle_minutes=_get(table, "idle_minutes", int, 0) or None,
            ssh=None if ssh is None else _decode_ssh(_get(table, "ssh", dict, {})),
            extra=_unknown(table),
        )
    )


def _decode_auth(table: Mapping[str, Any]) -> AuthSettings:
    headers = _get(table, "headers", list, [])
    if not all(isinstance(header, str) for header in headers):
        raise ProfileError("auth.headers is a list of names")
    names = {key: _get(table, key, str, "") for key in ("user", "name")}
    return AuthSettings(_choice(table, AuthKind), headers=tuple(headers), **names)


def _decode_ssh(table: Mapping[str, Any]) -> SshSettings:
    defaults = SshSettings()
    return SshSettings(
        host=_get(table, "host", str, ""),
        port=_get(table, "port", int, defaults.port),
        user=_get(table, "user", str, defaults.user),
        key_file=_get(table, "key_file", str, ""),
        host_key=_get(table, "host_key", str, ""),
        local_port=_get(table, "local_port", int, 0),
    )


def _book(document: Mapping[str, Any]) -> ProfileBook:
    book = ProfileBook(extra={key: value for key, value in document.items() if key not in ("version", "pods")})
    tables = document.get("pods", [])
    unread: list[Unread] = []
    for table in tables if isinstance(tables, list) else ():
        if not isinstance(table, Mapping):
            continue
        try:
            book = book.add(decode(table))
        except ProfileError as error:
            unread.append(Unread(table, str(error)))
    problem = "" if not unread else "Some pods of the list cannot be used: " + " ".join(entry.why for entry in unread)
    return replace(book, unread=tuple(unread), problem=problem)


def _get(table: Mapping[str, Any], key: str, kind: type[T], default: T) -> T:
    value = table.get(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        what = f"The value of {key} is of the wrong kind"
        raise ProfileError(what)
    return value


def _choice(table: Mapping[str, Any], kinds: type[E]) -> E:
    try:
        return kinds(_get(table, "kind", str, ""))
    except ValueError:
        what = f"This version knows no kind {ascii(table.get('kind'))[:40]}"
        raise ProfileError(what, "", "It may come from a newer ComfyDesk") from None


def _unknown(table: Mapping[str, Any]) -> dict[str, Any]:
    """What the table has and we do not know, in its own shape."""
    extra = {key: value for key, value in table.items() if key not in _KNOWN[""] and key not in _KNOWN}
    for name in ("auth", "ssh"):
        inner = {key: value for key, value in _get(table, name, dict, {}).items() if key not in _KNOWN[name]}
        if inner:
            extra[name] = inner
    return extra
