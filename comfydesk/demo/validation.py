"""Is this prompt runnable? Answers in ComfyUI's own words, since clients show them.

Values are converted in place (the graph that is queued holds 3 where "3" was sent), as ComfyUI does. The shapes of the
errors are from the recorded traffic of 0.33.0.
"""

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfydesk.demo.folders import Folders
from comfydesk.demo.nodes.base import NodeClass, Spec
from comfydesk.demo.schema import expand

Graph = dict[str, Any]
Error = dict[str, Any]
_CONVERTERS: dict[str, Any] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


@dataclass(slots=True)
class Verdict:
    """`error` None: run `outputs`. `node_errors` may be filled even then: those outputs are dropped."""

    error: Error | None = None
    outputs: list[str] = field(default_factory=list)
    node_errors: dict[str, Any] = field(default_factory=dict)


def validate(
    prompt: Graph, classes: Mapping[str, NodeClass], folders: Folders, targets: Iterable[str] | None = None
) -> Verdict:
    """Check every output node of `prompt` (or those in `targets`) and what it hangs on."""
    wanted = None if targets is None else set(targets)
    outputs = []
    for node_id, node in prompt.items():
        missing = _missing_type(node_id, node, classes)
        if missing:
            return Verdict(missing)
        if classes[node["class_type"]].is_output and (wanted is None or node_id in wanted):
            outputs.append(node_id)
    if not outputs:
        return Verdict(_error("prompt_no_outputs", "Prompt has no outputs", ""))
    return _Validation(prompt, classes, folders).run(outputs)


class _Validation:
    """One look at one prompt: `seen` holds (valid, errors) of each node that was reached."""

    def __init__(self, prompt: Graph, classes: Mapping[str, NodeClass], folders: Folders) -> None:
        self.prompt = prompt
        self.classes = classes
        self.folders = folders
        self.seen: dict[str, tuple[bool, list[Error]]] = {}
        self.path: list[str] = []

    def run(self, outputs: list[str]) -> Verdict:
        verdict = Verdict()
        complaints = []
        for output in outputs:
            try:
                valid, errors = self.check(output)
            except Exception as error:
                valid, errors = False, [_raised("exception_during_validation", "Exception when validating node", error)]
                self.seen[output] = (valid, errors)
            if valid:
                verdict.outputs.append(output)
                continue
            complaints += [f"{entry['message']}: {entry['details']}" for entry in errors]
            self._blame(output, verdict.node_errors)
        if not verdict.outputs:
            text = "\n".join(complaints)
            verdict.error = _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", text)
        return verdict

    def _blame(self, output: str, node_errors: dict[str, Any]) -> None:
        for node_id, (valid, errors) in self.seen.items():
            if valid or not errors:
                continue
            entry = node_errors.setdefault(
                node_id,
                {"errors": errors, "dependent_outputs": [], "class_type": self.prompt[node_id]["class_type"]},
            )
            entry["dependent_outputs"].append(output)

    def check(self, node_id: str) -> tuple[bool, list[Error]]:
        if node_id in self.seen:
            return self.seen[node_id]
        if node_id in self.path:
            self._blame_cycle(node_id)
            return self.seen[node_id]
        node = self.prompt[node_id]
        given = node["inputs"]
        class_ = self.classes[node["class_type"]]
        specs = class_.inputs(self.folders)
        if class_.modern:
            specs = expand(specs, given)
        valid = True
        errors: list[Error] = []
        for part in ("required", "optional"):
            for name, spec in specs.get(part, {}).items():
                if name in given:
                    valid = self._check_input(node_id, class_, name, spec, errors) and valid
                elif part == "required":
                    shown = name.rsplit(".", 1)[-1] if class_.modern else name
                    errors.append(_input_error("required_input_missing", "Required input is missing", shown, name))
        self._own_check(class_, given, errors)
        earlier_valid, earlier = self.seen.get(node_id, (True, []))
        result = (
            earlier_valid and valid and not errors,
            earlier + [error for error in errors if error not in earlier],
        )
        self.seen[node_id] = result
        return result

    def _check_input(self, node_id: str, class_: NodeClass, name: str, spec: Spec, errors: list[Error]) -> bool:
        """Append what is wrong with this input itself; False when what it links to is wrong."""
        given = self.prompt[node_id]["inputs"]
        if isinstance(given[name], list):
            return self._check_link(node_id, name, spec, given[name], errors)
        if isinstance(given[name], dict) and "__value__" in given[name]:
            given[name] = given[name]["__value__"]
        error = _convert(given, name, spec)
        if error is None and name not in class_.checks:
            error = _check_value(given[name], name, spec)
        if error:
            errors.append(error)
        return True

    def _check_link(self, node_id: str, name: str, spec: Spec, link: list[Any], errors: list[Error]) -> bool:
        config = _config(spec)
        if len(link) != 2:
            what = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            extra = {"input_config": config, "received_value": link}
            errors.append(_input_error("bad_linked_input", what, name, name, **extra))
            return True
        source, slot = link
        received = self.classes[self.prompt[source]["class_type"]].outputs[slot]
        if not compatible(received, spec[0]):
            what = f"{name}, received_type({received}) mismatch input_type({spec[0]})"
            extra = {"input_config": config, "received_type": received, "linked_node": link}
            message = "Return type mismatch between linked nodes"
            errors.append(_input_error("return_type_mismatch", message, what, name, **extra))
            return True
        self.path.append(node_id)
        try:
            return self.check(source)[0]
        except Exception as error:
            raised = _raised("exception_during_inner_validation", "Exception when validating inner node", error)
            raised["extra_info"] |= {
                "input_name": name,
                "input_config": config,
                "exception_message": str(error),
                "linked_node": link,
            }
            self.seen[source] = (False, [raised])
            return False
        finally:
            self.path.pop()

    def _own_check(self, class_: NodeClass, given: Mapping[str, Any], errors: list[Error]) -> None:
        if class_.check is None:
            return
        # A linked value is not known yet: the check sees None, as in ComfyUI.
        known = {name: None if is_link(given[name]) else given[name] for name in class_.checks if name in given}
        if not known:
            return
        answer = class_.check(self.folders, **known)
        if answer is True:
            return
        reason = "" if answer is False else f" - {answer}"
        for name in known:
            what = "Custom validation failed for node"
            errors.append(_input_error("custom_validation_failed", what, f"{name}{reason}", name))

    def _blame_cycle(self, node_id: str) -> None:
        around = [*self.path[self.path.index(node_id) :], node_id]
        members = list(dict.fromkeys(around))
        shown = " -> ".join(f"{entry} ({self.prompt[entry]['class_type']})" for entry in around)
        for entry in members:
            extra = {"node_id": entry, "cycle_nodes": members}
            error = _error("dependency_cycle", "Dependency cycle detected", shown, extra)
            self.seen[entry] = (False, [error])


def is_link(value: Any) -> bool:
    """[node id, output slot]."""
    return (
        isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], (int, float))
    )


def compatible(received: Any, wanted: Any) -> bool:
    """May an output of type `received` feed an input of type `wanted`? Types may be "A,B" or "*"."""
    if received == wanted or "*" in (received, wanted):
        return True
    if not isinstance(received, str) or not isinstance(wanted, str):
        return False
    left, right = ({part.strip() for part in text.split(",")} for text in (received, wanted))
    return "*" in left | right or bool(left & right)


def _missing_type(node_id: str, node: Mapping[str, Any], classes: Mapping[str, NodeClass]) -> Error | None:
    class_type = node.get("class_type")
    if class_type in classes:
        return None
    title = node.get("_meta", {}).get("title", class_type)
    if "class_type" not in node:
        shown = title or f"ID #{node_id}"
        what = f"Node '{shown}' has no class_type. The workflow may be corrupted or a custom node is missing."
    else:
        what = f"Node '{title}' not found. The custom node may not be installed."
    extra = {"node_id": node_id, "class_type": class_type, "node_title": title}
    return _error("missing_node_type", what, f"Node ID '#{node_id}'", extra)


def _convert(given: dict[str, Any], name: str, spec: Spec) -> Error | None:
    converter = _CONVERTERS.get(spec[0]) if isinstance(spec[0], str) else None
    if converter is None:
        return None
    try:
        given[name] = converter(given[name])
    except Exception as error:
        what = f"Failed to convert an input value to a {spec[0]} value"
        extra = {"input_config": _config(spec), "received_value": given[name], "exception_message": str(error)}
        return _input_error("invalid_input_type", what, f"{name}, {given[name]}, {error}", name, **extra)
    return None


def _check_value(value: Any, name: str, spec: Spec) -> Error | None:
    type_, options = _config(spec)
    extra = {"input_config": [type_, options], "received_value": value}
    if "min" in options and value < options["min"]:
        what = f"Value {value} smaller than min of {options['min']}"
        return _input_error("value_smaller_than_min", what, name, name, **extra)
    if "max" in options and value > options["max"]:
        what = f"Value {value} bigger than max of {options['max']}"
        return _input_error("value_bigger_than_max", what, name, name, **extra)
    if not isinstance(type_, list) and type_ != "COMBO":
        return None
    choices = options.get("options", []) if type_ == "COMBO" else type_
    if value in choices:
        return None
    shown = str(choices)
    if len(choices) > 20:  # long lists of files are left out
        shown = f"(list of length {len(choices)})"
        extra["input_config"] = None
    return _input_error("value_not_in_list", "Value not in list", f"{name}: {value!r} not in {shown}", name, **extra)


def _config(spec: Spec) -> list[Any]:
    return [spec[0], spec[1] if len(spec) > 1 else {}]


def _error(type_: str, message: str, details: str, extra: dict[str, Any] | None = None) -> Error:
    return {"type": type_, "message": message, "details": details, "extra_info": extra or {}}


def _input_error(type_: str, message: str, details: str, name: str, **extra: Any) -> Error:
    return _error(type_, message, details, {"input_name": name, **extra})


def _raised(type_: str, message: str, error: Exception) -> Error:
    extra = {"exception_type": type_name(error), "traceback": traceback.format_tb(error.__traceback__)}
    return _error(type_, message, str(error), extra)


def type_name(error: BaseException) -> str:
    """As ComfyUI spells exception types: builtins bare, others with their module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
