"""Settings: declared options and the TOML file that keeps them.

An option is declared once with its type, default, label and help; the settings dialog is generated from OPTIONS.
A Settings object is made at the top and passed in. What the file holds and we do not know is kept, so that an older
version does not lose a newer one's settings. Secrets are no settings: they live in the keyring.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comfydesk.disk import set_aside, write_whole
from comfydesk.errors import StoreError, UsageError
from comfydesk.option import Option, T
from comfydesk.tables import copied, find, toml_of, with_value

FILE_NAME = "settings.toml"

AHEAD = Option(
    "queue.ahead",
    1,
    "Jobs sent ahead",
    "How many jobs wait on a pod behind the running one. More keeps a slow line busy; fewer leaves more to reorder.",
    minimum=0,
    maximum=16,
)
RUN_AGAIN_LOST = Option(
    "queue.run_again_lost",
    False,
    "Run lost jobs again",
    "Queue a job anew by itself when its pod has lost it, as after a restart. Otherwise you are asked.",
)
WILDCARD_FOLDERS = Option(
    "queue.wildcards",
    "",
    "Wildcards",
    "Folders of text files, with ; between them: __name__ in a prompt is a line of name.txt, drawn anew for each job."
    " Without one, what stands between such signs goes to the pod as it is.",
    folders=True,
)
NOTIFY = Option(
    "queue.notify",
    True,
    "Desktop messages",
    "Tell through the desktop what was made, what failed and which pod is about to stop, while another window is in "
    "front.",
)
DOWNLOADS = Option(
    "outputs.parallel",
    3,
    "Downloads at once",
    "How many results are fetched from pods at the same time.",
    minimum=1,
    maximum=16,
)
OUTPUT_FOLDER = Option(
    "outputs.folder",
    "",
    "Results folder",
    "Where pictures, videos and sounds are saved. Empty: ComfyDesk's folder among your pictures.",
    folder=True,
)
OUTPUT_TEMPLATE = Option(
    "outputs.template",
    "{subfolder}/{name}",
    "File names",
    "How results are named below the results folder, such as {date}/{workflow}/{seed}_{n}. There are {date}, {time},"
    " {workflow}, {pod}, {seed}, {n}, {prompt}, {model}, {job}, {batch}, {name} and {subfolder}.",
)
DEFAULT_POD = Option(
    "pods.default",
    "",
    "Default pod",
    'The pod that is used when none is named: a profile\'s name, an address, or "demo".',
)

WATCHED_FOLDERS = Option(
    "outputs.watched",
    "",
    "Watched folders",
    "Folders of this computer whose pictures, videos and sounds are in the library, with ; between them. Files stay"
    " where they are; what comes, goes and moves there is noticed.",
    folders=True,
)
WORKFLOW_FOLDERS = Option(
    "workflows.folders",
    "",
    "Workflow folders",
    "Folders of this computer whose workflows are listed, with ; between them. What changes there is noticed.",
    folders=True,
)

LLM_MODEL = Option(
    "llm.model",
    "",
    "Language model",
    "The model of this computer that improves prompts: its id in the list of models. Empty: the first that is there.",
)
LLM_IDLE = Option(
    "llm.idle",
    10,
    "Unload after",
    "Minutes without a question after which the language model leaves the memory. The next question loads it again.",
    minimum=1,
    maximum=720,
    unit="min",
)
LLM_GPU_LAYERS = Option(
    "llm.gpu_layers",
    -1,
    "Layers on the graphics card",
    "How much of the language model this computer's graphics card takes. -1: all of it, 0: nothing.",
    minimum=-1,
    maximum=999,
)
LLM_THREADS = Option(
    "llm.threads", 0, "Threads", "Processor cores for the language model. 0: half of them.", minimum=0, maximum=256
)
LLM_CONTEXT = Option(
    "llm.context",
    4096,
    "Context",
    "Tokens that fit into one question and its answer. More takes more memory.",
    minimum=1024,
    maximum=131072,
    step=1024,
    unit="tokens",
)
LLM_PROGRAM = Option(
    "llm.program",
    "",
    "llama-server",
    "The llama-server program of llama.cpp to use. Empty: what was installed with ComfyDesk, else the one on the PATH.",
)

LLM_PROJECTOR = Option(
    "llm.projector",
    "",
    "Vision file",
    "The mmproj file of the language model, with which llama-server looks at pictures. Empty: one that lies beside it.",
)
LLM_POD_FOLDER = Option(
    "llm.pod_folder",
    "/workspace/models/llm",
    "Folder on pods",
    "Where language models lie on a pod that you set one up on. On its network volume they survive a restart.",
)
LLM_POD_PORT = Option(
    "llm.pod_port",
    8081,
    "Port on pods",
    "Where the language model's server listens on a pod, for the pod itself only. A tunnel leads there.",
    minimum=1,
    maximum=65535,
)
LLM_POD_PROGRAM = Option(
    "llm.pod_program",
    "",
    "llama-server on pods",
    "The llama-server program of a pod. Empty: the one on its PATH, or bin/llama-server in the folder above.",
)

THEME = Option(
    "appearance.theme",
    "system",
    "Theme",
    "Dark or light. The desktop decides where it says so.",
    choices=("system", "dark", "light"),
    choice_labels=("As the desktop", "Dark", "Light"),
)
SCALE = Option(
    "appearance.scale",
    100,
    "Size of everything",
    "Words, icons and the space between them.",
    minimum=100,
    maximum=200,
    unit="%",
    step=5,
)
TEXT_SCALE = Option(
    "appearance.text_scale",
    100,
    "Size of words",
    "On top of the size of everything.",
    minimum=100,
    maximum=200,
    unit="%",
    step=5,
)
CONTRAST = Option(
    "appearance.increased_contrast",
    False,
    "Increased contrast",
    "Clearer outlines around fields and buttons.",
)
REDUCED_MOTION = Option(
    "appearance.reduced_motion",
    False,
    "Reduced motion",
    "Panels, sheets and messages come and go without gliding; nothing spins.",
)
COMPACT = Option("appearance.compact", False, "Compact rows", "More rows in the same height.")
LANGUAGE = Option(
    "appearance.language",
    "system",
    "Language",
    "Of menus, buttons and messages.",
    choices=("system", "en", "de"),
    choice_labels=("As the desktop", "English", "Deutsch"),
    restart=True,
)

ENHANCE = Option(
    "enhance.enabled",
    False,
    "Enhance prompts",
    "Show Enhance on prompts: a language model improves what you wrote, and you choose what of it to take.",
)
ENHANCE_ENGINE = Option(
    "enhance.engine",
    "automatic",
    "Engine",
    "Which language model is asked where a pod's profile does not say. Automatic: this computer where a model is, else"
    " the pod's own text encoder, else the endpoint.",
    choices=("automatic", "local", "pod", "endpoint"),
    choice_labels=("Automatic", "This computer", "The pod", "Endpoint"),
)
ENHANCE_STYLE = Option(
    "enhance.style", "detailed", "Style", "What an enhancement adds: detailed, cinematic, artistic, minimal, or yours."
)
ENHANCE_LENGTH = Option(
    "enhance.length",
    "auto",
    "Length",
    "How long enhanced prompts are. As the model likes it, or always the same.",
    choices=("auto", "short", "medium", "long"),
    choice_labels=("As the model likes it", "Short", "Medium", "Long"),
)
ENHANCE_VARIANTS = Option(
    "enhance.variants", 1, "Variants", "How many enhanced prompts to choose from.", minimum=1, maximum=8
)
ENHANCE_LOCKED = Option(
    "enhance.locked",
    "",
    "Locked phrases",
    "Words that no enhancement may change, such as names, with ; between them.",
)
ENHANCE_ENDPOINT = Option(
    "enhance.endpoint",
    "",
    "Endpoint",
    "Address of an OpenAI-compatible server (llama-server, Ollama, vLLM, LM Studio) for pods whose profile names none."
    " Prompts are sent there.",
)
ENHANCE_ENDPOINT_MODEL = Option(
    "enhance.endpoint_model", "", "Endpoint's model", "Its name there. Empty: the first that the server names."
)
ENHANCE_ENDPOINT_VISION = Option(
    "enhance.endpoint_vision", False, "Endpoint sees pictures", "Its model can describe pictures."
)
OPTIONS: tuple[Option[Any], ...] = (
    THEME,
    SCALE,
    TEXT_SCALE,
    CONTRAST,
    REDUCED_MOTION,
    COMPACT,
    LANGUAGE,
    DEFAULT_POD,
    AHEAD,
    RUN_AGAIN_LOST,
    WILDCARD_FOLDERS,
    NOTIFY,
    DOWNLOADS,
    OUTPUT_FOLDER,
    OUTPUT_TEMPLATE,
    WATCHED_FOLDERS,
    WORKFLOW_FOLDERS,
    LLM_MODEL,
    LLM_IDLE,
    LLM_GPU_LAYERS,
    LLM_THREADS,
    LLM_CONTEXT,
    LLM_PROGRAM,
    LLM_PROJECTOR,
    LLM_POD_FOLDER,
    LLM_POD_PORT,
    LLM_POD_PROGRAM,
    ENHANCE,
    ENHANCE_ENGINE,
    ENHANCE_STYLE,
    ENHANCE_LENGTH,
    ENHANCE_VARIANTS,
    ENHANCE_LOCKED,
    ENHANCE_ENDPOINT,
    ENHANCE_ENDPOINT_MODEL,
    ENHANCE_ENDPOINT_VISION,
)

GROUPS: Mapping[str, str] = {
    "appearance": "Appearance",
    "pods": "Pods",
    "queue": "Queue",
    "outputs": "Outputs",
    "workflows": "Workflows",
    "llm": "Language model",
    "enhance": "Enhancing prompts",
}
"""What the pages of the dialog are called, in their order. A table that is not named here comes last."""
ENHANCE_ENGINES = "enhance_engines"
"""Table: id of a pod → the engine its prompts are enhanced with, where that is not ENHANCE_ENGINE's."""
LLM_SERVERS = "llm_servers"
"""Table: id of a pod → the language model that was started on it (`session.enhancement.pod_serving`)."""
SHORTCUTS = "shortcuts"
"""Table: id of a command → its keys, where the user chose others."""


class Settings:
    """The values in force. `settings.get(AHEAD)`; `settings.set(AHEAD, 2)` writes the file at once.

    `problem` says in one line what was wrong with the file, empty if nothing was; it is for the user to see.
    """

    def __init__(self, path: Path | None = None, table: Mapping[str, Any] | None = None, problem: str = "") -> None:
        self.path = path
        self.problem = problem
        self._table: dict[str, Any] = copied(table or {})

    @classmethod
    def load(cls, path: Path) -> "Settings":
        """What `path` holds; defaults if there is none.

        A file that is no TOML is renamed to "<name>.broken" (a number follows if that exists), never overwritten,
        and `problem` says so. Raises StoreError if the file cannot be read.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            raise StoreError("The settings cannot be read", f"{path}: {error.strerror}") from error
        try:
            table = toml_of(data.decode())
        except ValueError as error:
            kept = set_aside(path, "The broken settings file cannot be put aside")
            return cls(path, problem=f"The settings file was broken ({error}): defaults are in force. Kept as {kept}.")
        return cls(path, table, "; ".join(_wrong(table)))

    def get(self, option: Option[T]) -> T:
        """The value in force: the default when the file has none, or one that does not fit."""
        try:
            return option.check(find(self._table, option.key))
        except (KeyError, UsageError):
            return option.default

    def set(self, option: Option[T], value: T) -> None:
        """Change one setting and write the file. Raises UsageError for a value that does not fit, else StoreError."""
        self._change(option.key, option.check(value))

    def reset(self, option: Option[Any]) -> None:
        """Back to the default, also when that is another one some day. Raises StoreError."""
        self._change(option.key, None)

    def is_default(self, option: Option[Any]) -> bool:
        """Whether nothing else was chosen."""
        return bool(self.get(option) == option.default)

    def texts(self, table: str) -> dict[str, str]:
        """The texts of a table whose names are not declared, such as SHORTCUTS."""
        found = self._table.get(table)
        return {key: text for key, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}

    def set_texts(self, table: str, texts: Mapping[str, str]) -> None:
        """Replace all texts of a table and write the file. Raises StoreError."""
        self._change(table, dict(texts) if texts else None)

    def _change(self, key: str, value: object) -> None:
        """Put `value` at `key` (None: take away what is there) and write the file."""
        table = with_value(self._table, key, value)
        self._write(table)
        self._table = table

    def _write(self, table: Mapping[str, Any]) -> None:
        if self.path is None:
            return
        import tomli_w

        write_whole(self.path, tomli_w.dumps(table).encode(), what="The settings cannot be saved")


def _wrong(table: Mapping[str, Any]) -> Iterator[str]:
    for option in OPTIONS:
        try:
            option.check(find(table, option.key))
        except KeyError:
            continue
        except UsageError as error:
            yield f"{str(error).rstrip('.')}; {option.default!r} is used"
