"""What an output was made with, value by value: for its details, for comparing, for using it again. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from comfydesk.session.gallery.facts import NO_CATALOG, roles_of
from comfydesk.session.gallery.reader import filled
from comfydesk.store.provenance import Provenance
from comfydesk.store.records import LocalFile, Output
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.fields import Role
from comfydesk.workflow.flow import Flow
from comfydesk.workflow.graph import ApiGraph, ApiLink
from comfydesk.workflow.patch import join_field, plain_value

MAX_OUTLINE_INPUTS = 12
MAX_VALUE = 2000
"""Characters of a value in the outline."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that went into an output."""

    field: str
    """Field id ("103:44.text"); empty for what was read from a file without a graph."""
    label: str
    """The role's name, or the input's."""
    value: Any
    role: Role | None = None
    node: str = ""
    """Title of its node, or its class."""
    kind: str = ""
    """The node's class."""


@dataclass(frozen=True, slots=True)
class OutlineNode:
    """A node of the graph that was run."""

    id: str
    title: str
    kind: str
    """Its class."""
    values: tuple[tuple[str, str], ...]
    """Input → value as text, the first MAX_OUTLINE_INPUTS."""
    links: tuple[tuple[str, str], ...]
    """Input → id of the node that feeds it."""


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known of an output."""

    output: Output
    settings: tuple[Setting, ...] = ()
    """Every value of the nodes that ran, in the order of the graph; those with a role first."""
    models: tuple[tuple[str, str], ...] = ()
    """Name and kind: checkpoint, lora, other."""
    albums: tuple[tuple[int, str], ...] = ()
    """Id and name."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Moment (created, sent, started, finished) → seconds since the epoch."""
    has_graph: bool = False
    """There is a graph to open, to use again and to show."""

    def of_role(self, role: Role) -> tuple[Any, ...]:
        """The values of a role, the first one first."""
        return tuple(setting.value for setting in self.settings if setting.role is role)


def settings_of(entry: Provenance, graph: ApiGraph | None, catalog: Catalog | None) -> tuple[Setting, ...]:
    """From the graph with the run's values in it; from what the row says where there is none."""
    if graph is None:
        return tuple(_of_row(entry))
    flow = Flow(filled(graph, entry.values), catalog or NO_CATALOG)
    roles = roles_of(flow)
    found = []
    for node_id in in_order(flow):
        node = flow.nodes[node_id]
        for name, value in flow.literals(node_id):
            role = roles.get((node_id, name))
            key = join_field(node_id, name)
            given = entry.values.get(key)
            shown = given.path if isinstance(given, LocalFile) else plain_value(value)
            label = role.value.replace("_", " ").capitalize() if role else name
            found.append(Setting(key, label, shown, role, node.title or node.class_type, node.class_type))
    return tuple(sorted(found, key=lambda setting: setting.role is None))


_ROW_ROLES: tuple[tuple[Role, str], ...] = (
    (Role.PROMPT, "prompt"),
    (Role.NEGATIVE, "negative"),
    (Role.SEED, "seed"),
    (Role.STEPS, "steps"),
    (Role.CFG, "cfg"),
    (Role.SAMPLER, "sampler"),
    (Role.SCHEDULER, "scheduler"),
    (Role.CHECKPOINT, "model"),
)


def _of_row(entry: Provenance) -> Iterator[Setting]:
    for role, name in _ROW_ROLES:
        value = getattr(entry.output, name)
        if value not in (None, ""):
            whole = isinstance(value, float) and value.is_integer() and role is Role.STEPS
            yield Setting("", role.value.capitalize(), int(value) if whole else value, role)
    for name, value in entry.settings.items():
        yield Setting("", name, value)


def in_order(flow: Flow) -> Sequence[str]:
    """The nodes that run, each after those that feed it; of several, in the order of the graph."""
    ordered: dict[str, None] = {}
    for start in flow.nodes:
        if start not in flow.depth:
            continue
        stack = [(start, False)]
        entered: set[str] = set()
        while stack:
            node_id, done = stack.pop()
            if done:
                ordered[node_id] = None
            elif node_id not in ordered and node_id not in entered and node_id in flow.nodes:
                entered.add(node_id)
                stack.append((node_id, True))
                stack += [(link.node, False) for _, link in reversed([*flow.nodes[node_id].links()])]
    return tuple(ordered)


def outline(entry: Provenance, graph: ApiGraph) -> tuple[OutlineNode, ...]:
    """The graph as a list, in the order in which its nodes run."""
    flow = Flow(filled(graph, entry.values), NO_CATALOG)
    return tuple(_node(flow, node_id) for node_id in in_order(flow))


def _node(flow: Flow, node_id: str) -> OutlineNode:
    node = flow.nodes[node_id]
    values: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    for name, value in node.inputs.items():
        if isinstance(value, ApiLink):
            links.append((name, value.node))
        elif len(values) < MAX_OUTLINE_INPUTS:
            values.append((name, str(plain_value(value))[:MAX_VALUE]))
    return OutlineNode(node_id, node.title or node.class_type, node.class_type, tuple(values), tuple(links))


# --- Differences ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the same in all of the outputs compared."""

    label: str
    values: tuple[Any, ...]
    """In the order of the outputs; None where it has none."""
    role: Role | None = None
    node: str = ""
    fields: tuple[str, ...] = ()
    """Field id in each output, "" where it has none; empty for what is no input: size, pod."""


def differences(
    outputs: Sequence[Output], settings: Sequence[Sequence[Setting]], pods: Mapping[str, str]
) -> tuple[Difference, ...]:
    """Exactly what differs, what has a role first. `pods`: names by id.

    Values belong together by their role and number, or by their node's class, their input and number: so outputs of
    different workflows can be compared as well as those of one.
    """
    rows: dict[tuple[str, str, int], list[Any]] = {}
    named: dict[tuple[str, str, int], Setting] = {}
    fields: dict[tuple[str, str, int], list[str]] = {}
    for column, of_one in enumerate(settings):
        counted: dict[tuple[str, str], int] = {}
        for setting in of_one:
            kind = ("role", setting.role.value) if setting.role else (setting.kind, setting.label)
            number = counted[kind] = counted.get(kind, 0) + 1
            key = (*kind, number)
            named.setdefault(key, setting)
            rows.setdefault(key, [None] * len(settings))[column] = setting.value
            fields.setdefault(key, [""] * len(settings))[column] = setting.field
    found = [
        Difference(_numbered(named[key], key[2]), tuple(values), named[key].role, named[key].node, tuple(fields[key]))
        for key, values in rows.items()
        if _differ(values)
    ]
    found.sort(key=lambda row: row.role is None)
    return (*found, *_of_files(outputs, pods))


def _numbered(setting: Setting, number: int) -> str:
    return setting.label if number == 1 else f"{setting.label} {number}"


def _of_files(outputs: Sequence[Output], pods: Mapping[str, str]) -> Iterator[Difference]:
    def size(output: Output) -> str | None:
        return f"{output.width} \N{MULTIPLICATION SIGN} {output.height}" if output.width and output.height else None

    for label, values in (
        ("Size", [size(output) for output in outputs]),
        ("Length", [output.duration for output in outputs]),
        ("Workflow", [output.workflow or None for output in outputs]),
        ("Pod", [pods.get(output.pod, output.pod) or None for output in outputs]),
    ):
        if _differ(values):
            yield Difference(label, tuple(values))


def _differ(values: Sequence[Any]) -> bool:
    """1 and 1.0 are the same, 1 and True are not."""
    first = values[0]
    return any(value != first or isinstance(value, bool) is not isinstance(first, bool) for value in values[1:])
