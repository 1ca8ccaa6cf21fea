"""Which text is the prompt, which the negative one.

Searched backwards: from what consumes a conditioning (a sampler's `positive`, a guider) or a prompt (the nodes of
paid services, language models), through everything that combines, switches or rewrites, to the literals a person
typed. Rules go by types and names of inputs; custom nodes without a declaration are judged by names alone.
"""

import re
from collections.abc import Iterator

from comfydesk.workflow.fields import Role
from comfydesk.workflow.flow import ANY, FieldKey, Flow
from comfydesk.workflow.graph import ApiLink
from comfydesk.workflow.titles import role_of_title

_PROMPT = re.compile(r"(^|[._])(prompt|prompt_?text|text_?prompt|user_prompt|positive(_prompt)?)(_?\d+)?$")
_WORDS = re.compile(
    r"(^|[._])((high_level_)?description|text|texts|caption|tags|script|message|dialogue|transcript)(_?\d+)?$"
)
_NO_PROMPT = re.compile(
    r"(^|[._])(system_?(prompt|instruction)s?|structured_prompt|lyrics|delimiter|separator|find|search|replace|pattern"
    r"|regex\w*|expression|suffix|filename\w*|\w*file_?name|\w*path|url|\w*_id|\w*key|language\w*|format|f_string"
    r"|start|end|\w*shader\w*|\w*code|\w*json\w*)$"
)
_NEGATIVE = re.compile(r"neg|uncond")
_POSITIVE = re.compile(r"pos(itive)?")
_FILLING = re.compile(r"^(replace|replacement|values\.\w+)$")
_SELECTING = re.compile(r"^(regex_pattern|pattern|index)$")
_NEUTRAL = re.compile(r"zero.?out", re.IGNORECASE)
"""Classes that keep a conditioning's shape and drop its text."""
_INSTRUCTION = re.compile(
    r"\W*(you are an?\b|you're an?\b|system\b|<s>\s*\[SYSTEM|SYSTEM_|<\|\w+>\s*system)"  # to a language model
    r"|[\w ]{1,20}:\s*$",  # the "Duration: " in front of a value
    re.IGNORECASE,
)
_INSTRUCTION_TITLE = re.compile(r"\b(system|instructions?)\b", re.IGNORECASE)


def text_roles(flow: Flow) -> dict[FieldKey, Role]:
    """PROMPT and NEGATIVE for literal texts of nodes that are run.

    Texts that only frame a prompt (instructions to a language model, templates) or name objects to segment count as
    the prompt when there is no better one.
    """
    search = _Search(flow)
    for node_id in flow.depth:
        search.begin(node_id)
    found = search.found()
    for role in (Role.PROMPT, Role.NEGATIVE):
        if any(given is role and key not in search.weak for key, given in found.items()):
            found = {key: given for key, given in found.items() if given is not role or key not in search.weak}
    if Role.PROMPT not in found.values():
        found.update(_by_title_or_length(flow, found))
    return found


class _Search:
    """The walks keep their own stacks: a chain of a thousand nodes must not overflow Python's."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._seen: set[tuple[str, str | int, Role | None, bool]] = set()
        self._said: dict[FieldKey, set[Role | None]] = {}
        """What each text was found to be, None where no name on the way told."""
        self.weak: set[FieldKey] = set()

    def begin(self, node_id: str) -> None:
        """Search from `node_id` if it is where a conditioning or a prompt ends."""
        flow = self._flow
        if "CONDITIONING" in flow.output_types(node_id):
            return
        speaks, segments = _generates(flow, node_id), _segments(flow, node_id)
        for name, value in flow.nodes[node_id].inputs.items():
            lower = name.lower()
            if isinstance(value, ApiLink) and _is_conditioning(flow, node_id, name, value):
                self._from_conditioning(value, _side(lower), weak=segments)
            elif _is_prompt_text(flow, node_id, name):
                if _NEGATIVE.search(lower):
                    self._from_text(node_id, name, Role.NEGATIVE)
                elif _PROMPT.search(lower) or (speaks and _WORDS.search(lower)):
                    self._from_text(node_id, name, Role.PROMPT, weak=segments)

    def _from_conditioning(self, link: ApiLink, role: Role | None, *, weak: bool) -> None:
        """`role` None: the input's name did not say ("cond2"); then the name of an output on the way may."""
        flow = self._flow
        stack = [(link, role)]
        while stack:
            link, role = stack.pop()
            key = (link.node, link.slot, role, weak)
            if key in self._seen or link.node not in flow.nodes or _NEUTRAL.search(flow.nodes[link.node].class_type):
                continue
            self._seen.add(key)
            side = _side(flow.output_name(link).lower())
            role = role or side
            inputs = flow.nodes[link.node].inputs
            modifies = False
            for name in _names_on(list(inputs), side):
                value = inputs[name]
                if isinstance(value, ApiLink) and (
                    _is_conditioning(flow, link.node, name, value) or flow.is_switch(link.node)
                ):
                    stack.append((value, role))
                    modifies = True
            for name in _names_on(list(inputs), side):
                # What changes a conditioning has texts of other kinds (tracks, areas); what makes one, the prompt.
                if _is_prompt_text(flow, link.node, name) and (not modifies or _PROMPT.search(name) or name == "text"):
                    self._from_text(link.node, name, role, weak=weak)

    def _from_text(self, node_id: str, name: str, role: Role | None, *, weak: bool = False) -> None:
        flow = self._flow
        stack = [(node_id, name, weak)]
        while stack:
            node_id, name, weak = stack.pop()
            key = (node_id, name, role, weak)
            if key in self._seen:
                continue
            self._seen.add(key)
            value = flow.nodes[node_id].inputs[name]
            if isinstance(value, ApiLink):
                if value.node in flow.nodes:
                    stack += [
                        (value.node, source, weak or frames) for source, frames in _text_sources(flow, value.node)
                    ]
            elif isinstance(value, str):
                self._record((node_id, name), value, role, weak=weak)

    def _record(self, key: FieldKey, text: str, role: Role | None, *, weak: bool) -> None:
        if key not in self._said:
            self.weak.add(key)
        self._said.setdefault(key, set()).add(role)
        if not weak and not _INSTRUCTION.match(text) and not _INSTRUCTION_TITLE.search(self._flow.nodes[key[0]].title):
            self.weak.discard(key)

    def found(self) -> dict[FieldKey, Role]:
        """The same words may feed both sides (through a switch, say): then they are the prompt."""
        return {
            key: Role.NEGATIVE if Role.NEGATIVE in said and Role.PROMPT not in said else Role.PROMPT
            for key, said in self._said.items()
        }


def _side(name: str) -> Role | None:
    """What an input's or output's name says about the conditioning in it."""
    if _NEGATIVE.search(name):
        return Role.NEGATIVE
    return Role.PROMPT if _POSITIVE.match(name) else None


def _names_on(names: list[str], side: Role | None) -> Iterator[str]:
    """The inputs behind the positive or negative output of a node that has both."""
    negative = [name for name in names if _NEGATIVE.search(name.lower())]
    if side is Role.NEGATIVE and negative:
        return iter(negative)
    # An encoder on the negative side has its text under an ordinary name.
    return (name for name in names if name not in negative)


def _generates(flow: Flow, node_id: str) -> bool:
    """It makes media out of words, rather than treating words or pictures by rule."""
    spec = flow.spec(node_id)
    if spec is None:
        return True
    types = {entry.type for entry in spec.inputs}
    return spec.api_node or bool(types & {"MODEL", "CLIP", "GUIDER"}) or any(i.name == "seed" for i in spec.inputs)


def _segments(flow: Flow, node_id: str) -> bool:
    """It looks for what the words name."""
    types = set(flow.output_types(node_id))
    return bool(types) and types <= {"MASK", "BOUNDING_BOX", "BBOX", "SEGS", "SAM3_TRACK_DATA", "SAM3_TRACK"}


def _is_conditioning(flow: Flow, node_id: str, name: str, link: ApiLink) -> bool:
    wanted, given = flow.input_type(node_id, name), flow.output_type(link)
    if ANY not in (wanted, given):
        return wanted == "CONDITIONING"
    if "CONDITIONING" in (wanted, given):
        return True
    return flow.spec(node_id) is None and name.lower() in ("positive", "negative", "conditioning")


def _is_text(flow: Flow, node_id: str, name: str) -> bool:
    value = flow.nodes[node_id].inputs[name]
    wanted = flow.input_type(node_id, name)
    if isinstance(value, ApiLink):
        return "STRING" in wanted or (wanted == ANY and flow.output_type(value) in ("STRING", ANY))
    if not isinstance(value, str):
        return False
    if flow.spec(node_id) is not None:
        return "STRING" in wanted
    # Nobody declares it: a file name or a choice is one word.
    return len(value.split()) > 3 or bool(_PROMPT.search(name.lower()) or _WORDS.search(name.lower()))


def _is_prompt_text(flow: Flow, node_id: str, name: str) -> bool:
    return not _NO_PROMPT.search(name.lower()) and _is_text(flow, node_id, name)


def _text_sources(flow: Flow, node_id: str) -> list[tuple[str, bool]]:
    """The inputs that a node's text is made from; True for those that only frame what comes by link."""
    inputs = flow.nodes[node_id].inputs
    linked = [name for name, value in inputs.items() if isinstance(value, ApiLink)]
    if any(_SELECTING.match(name) for name in linked):
        return []  # one line of a list: the choice is elsewhere
    names = [name for name in inputs if _is_prompt_text(flow, node_id, name)]
    filled = [name for name in linked if _FILLING.match(name)]
    framing = [(name, bool(filled)) for name in _worded(names)]
    return framing + [(name, False) for name in filled if _is_text(flow, node_id, name)]


def _worded(names: list[str]) -> list[str]:
    """Of the texts of one node those that say what to make.

    A language model rewrites its prompt, a builder of JSON prompts its description; the rest is detail.
    """
    names = [name for name in names if not _NEGATIVE.search(name.lower())]
    prompts = [name for name in names if _PROMPT.search(name.lower())]
    return prompts or [name for name in names if _WORDS.search(name.lower())] or names


def _by_title_or_length(flow: Flow, found: dict[FieldKey, Role]) -> dict[FieldKey, Role]:
    """Nothing reaches a sampler that we know: go by titles, then take the longest text worth several lines."""
    titled: dict[FieldKey, Role] = {}
    candidates: list[tuple[int, FieldKey]] = []
    for node_id in flow.depth:
        role = role_of_title(flow.nodes[node_id].title)
        texts = {name: str(value) for name, value in flow.literals(node_id) if _is_prompt_text(flow, node_id, name)}
        for name in _worded([name for name in texts if (node_id, name) not in found]):
            spec = flow.input_spec(node_id, name)
            if role in (Role.PROMPT, Role.NEGATIVE):
                titled[node_id, name] = role
            elif (spec is None or spec.multiline) and len(texts[name].split()) > 1:
                candidates.append((len(texts[name]), (node_id, name)))
    if Role.PROMPT not in titled.values() and candidates:
        titled[max(candidates)[1]] = Role.PROMPT
    return titled
