"""inspect, convert, form, check: their JSON, their words, their exit codes; no pod, no Qt."""

import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comfydesk import cli

DATA = Path(__file__).parents[2] / "data"
SAMPLER = {"seed": 2**64 - 1, "steps": 4, "cfg": 1.5, "sampler_name": "euler", "scheduler": "normal", "denoise": 1}
LINKS = {"model": ["1", 0], "positive": ["6", 0], "negative": ["6", 0], "latent_image": ["5", 0]}
API = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
    "3": {"class_type": "KSampler", "inputs": SAMPLER | LINKS},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "ein Fuchs \u2713", "clip": ["1", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["1", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
}


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pod") / "object_info.json"
    path.write_bytes(lzma.decompress((DATA / "object_info.json.xz").read_bytes()))
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A good API file, a broken one, a picture that carries a workflow."""
    (tmp_path / "fox.json").write_text(json.dumps(API))
    (tmp_path / "broken.json").write_text('{"nodes": [')
    (tmp_path / "png.png").write_bytes((DATA / "media" / "png.png").read_bytes())
    return {path.stem: str(path) for path in tmp_path.iterdir()}


Run = Any


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main([*words, "--data-dir", str(tmp_path / "data")])
        done = capsys.readouterr()
        return code, done.out, done.err

    return call


def test_inspect_gives_a_card_for_every_file_and_says_which_is_broken(run: Run, files: dict[str, str]) -> None:
    code, out, err = run("inspect", files["fox"], files["broken"], files["png"], "--json")
    fox, broken, png = json.loads(out)
    assert code == 1
    assert (fox["file"], fox["name"], fox["format"], fox["type"]) == (files["fox"], "fox", "api", "t2i")
    assert (fox["node_count"], fox["input_types"], fox["output_types"]) == (6, ["text"], ["image"])
    assert (fox["error"], fox["required_models"]) == (None, [])
    assert broken["error"].startswith("This is not a workflow file. Its JSON is broken at line 1")
    assert png["format"] == "ui"
    assert err.count("\n") == 1, "one line for the one broken file"


def test_inspect_has_the_keys_of_the_design(run: Run, files: dict[str, str]) -> None:
    (card,) = json.loads(run("inspect", files["fox"], "--json")[1])
    assert {"file", "id", "name", "description", "category", "format", "type", "node_count"} <= set(card)
    assert {"input_types", "output_types", "required_models", "error"} <= set(card)


def test_inspect_for_people_is_a_line_a_file(run: Run, files: dict[str, str]) -> None:
    code, out, _ = run("inspect", files["fox"])
    assert (code, out) == (0, f"{files['fox']}: Text to image with sd15 (6 nodes)\n")


def test_convert_writes_each_and_goes_on_after_a_failure(
    run: Run, files: dict[str, str], info: str, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "deep"
    code, out, err = run(
        "convert", files["broken"], files["fox"], files["png"], "--object-info", info, "-o", str(target)
    )
    assert (code, out) == (1, "")
    assert err.startswith(f"comfydesk: {files['broken']}: This is not a workflow file.")
    assert sorted(path.name for path in target.iterdir()) == ["fox.json", "png.json"]
    written = json.loads((target / "fox.json").read_text())
    assert written["3"]["inputs"] == API["3"]["inputs"], "seeds keep all of their 64 bits"


def test_convert_of_one_file_prints_its_graph(run: Run, files: dict[str, str], info: str) -> None:
    code, out, _ = run("convert", files["fox"], "--object-info", info)
    assert code == 0
    assert json.loads(out)["6"]["inputs"]["text"] == "ein Fuchs \u2713"


def test_form_has_the_shape_of_the_design(run: Run, files: dict[str, str], info: str) -> None:
    code, out, _ = run("form", files["fox"], "--object-info", info, "--json")
    fields = {field["id"]: field for field in json.loads(out)["fields"]}
    assert code == 0
    seed, prompt = fields["3.seed"], fields["6.text"]
    assert (seed["kind"], seed["role"], seed["default"], seed["max"]) == ("seed", "seed", 2**64 - 1, 2**64 - 1)
    assert (prompt["kind"], prompt["role"], prompt["pinned"], prompt["multiline"]) == ("text", "prompt", True, True)
    assert fields["9.filename_prefix"]["role"] is None
    wanted = {"id", "label", "kind", "role", "default", "min", "max", "step", "choices", "multiline", "group", "pinned"}
    assert wanted <= set(prompt)


def test_check_says_what_is_missing(run: Run, files: dict[str, str], info: str) -> None:
    code, out, _ = run("check", files["fox"], "--object-info", info, "--json")
    assert code == 0
    model = {"name": "sd15.safetensors", "directory": "checkpoints", "url": "", "sha256": "", "suggestion": ""}
    assert json.loads(out) == {"ready": False, "missing_models": [model], "missing_nodes": []}
    assert run("check", files["fox"], "--object-info", info)[1] == "model missing: checkpoints/sd15.safetensors\n"


def test_check_of_a_graph_that_cannot_run_says_why(run: Run, info: str, tmp_path: Path) -> None:
    broken = {"id": 3, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 77}]}
    (tmp_path / "loose.json").write_text(json.dumps({"nodes": [broken], "links": []}))
    code, out, err = run("check", str(tmp_path / "loose.json"), "--object-info", info, "--json")
    assert (code, list(json.loads(out)), err.count("\n")) == (1, ["error"], 1)
    assert "Link 77" in err


@pytest.mark.parametrize("command", ["form", "check"])
def test_a_broken_file_is_one_line_and_exit_code_1(run: Run, files: dict[str, str], info: str, command: str) -> None:
    code, out, err = run(command, files["broken"], "--object-info", info, "--json")
    assert (code, list(json.loads(out)), err.count("\n")) == (1, ["error"], 1)
    assert "Traceback" not in err


def test_files_that_cannot_be_read(run: Run, tmp_path: Path, info: str) -> None:
    code, _, err = run("form", str(tmp_path / "none.json"), "--object-info", info)
    assert (code, err) == (1, "comfydesk: none.json cannot be read. No such file or directory.\n")
    code, _, err = run("form", str(tmp_path), "--object-info", info)
    assert code == 1
    assert "Is a directory" in err


def test_a_bad_object_info_is_wrong_usage(run: Run, files: dict[str, str], tmp_path: Path) -> None:
    code, _, err = run("form", files["fox"], "--object-info", str(tmp_path / "none.json"))
    assert (code, err.count("\n")) == (2, 1)
    (tmp_path / "page.html").write_text("<html>")
    assert run("form", files["fox"], "--object-info", str(tmp_path / "page.html"))[0] == 2


def test_without_a_catalog_or_a_pod_the_command_says_what_to_give(run: Run, files: dict[str, str]) -> None:
    code, _, err = run("form", files["fox"])
    assert (code, err.count("\n")) == (2, 1)
    assert "--pod" in err


def test_output_that_cannot_be_written(run: Run, files: dict[str, str], info: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    code, _, err = run("convert", files["fox"], "--object-info", info, "-o", str(tmp_path / "taken"))
    assert (code, err.count("\n")) == (1, 1)


def test_the_commands_load_neither_qt_nor_a_network_library(files: dict[str, str], info: str) -> None:
    script = (
        "import sys; from comfydesk import cli;"
        f" code = cli.main(['form', {files['fox']!r}, '--object-info', {info!r}, '--json']);"
        " heavy = {'PySide6', 'httpx', 'websockets', 'aiohttp', 'PIL', 'av', 'sqlite3', 'asyncio'} & set(sys.modules);"
        " sys.exit(code or ' '.join(heavy) or None)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
