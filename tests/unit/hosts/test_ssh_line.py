"""The ssh lines that providers show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.hosts.ssh_line import SshLine, parse_ssh_line


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id_ed25519", SshLine("1.2.3.4", 22022, "root", "~/.ssh/id_ed25519")),
        (
            "  $ ssh -i '~/my keys/id' -p22022 me@pod.example.com",
            SshLine("pod.example.com", 22022, "me", "~/my keys/id"),
        ),
        (
            "ssh -p 19878 root@ssh6.vast.ai -L 8080:localhost:8188",
            SshLine("ssh6.vast.ai", 19878, "root", "", 8188),
        ),
        ("ssh -NTL 127.0.0.1:8188:127.0.0.1:18188 box", SshLine("box", 22, "root", "", 18188)),
        ("ssh -l ubuntu -o StrictHostKeyChecking=no 10.0.0.7 uptime -p 3", SshLine("10.0.0.7", 22, "ubuntu")),
        ("ssh abc-64410@ssh.runpod.io -i ~/.ssh/id", SshLine("ssh.runpod.io", 22, "abc-64410", "~/.ssh/id")),
        ("ssh root@2001:db8::7 -p 22", SshLine("2001:db8::7")),
    ],
)
def test_lines_that_providers_show(line: str, parsed: SshLine) -> None:
    assert parse_ssh_line(line) == parsed


def test_runpods_gateway_is_a_shell_only() -> None:
    line = parse_ssh_line("ssh abc-64410@ssh.runpod.io")
    assert line is not None
    assert line.shell_only


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh",
        "ssh -p 22",
        "ssh root@",
        "ssh root@1.2.3.4 -p 0",
        "ssh root@1.2.3.4 -p 99999",
        "ssh root@1.2.3.4 -p x",
        "ssh 'root@1.2.3.4",
        "ssh 'a b@1.2.3.4'",
        "ssh root@-oProxyCommand=evil",
        "ssh ssh://root@1.2.3.4",
        "scp root@1.2.3.4:x .",
        "rm -rf ~; ssh root@1.2.3.4",
        "ssh " + "a" * 5000,
    ],
)
def test_what_is_no_ssh_line(line: str) -> None:
    assert parse_ssh_line(line) is None


@given(st.text(max_size=80) | st.text(alphabet="ssh -pL@:i.1 '\"\\", max_size=60).map(lambda tail: f"ssh {tail}"))
def test_no_text_makes_it_fail(text: str) -> None:
    parsed = parse_ssh_line(text)
    assert parsed is None or 0 < parsed.port < 65536
