import hashlib
from pathlib import Path

import pytest

from comfydesk.errors import MediaError
from comfydesk.session.jobs.uploads import read_local_file, take_in
from comfydesk.store.records import LocalFile


async def test_only_a_path_is_a_file_of_this_computer(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"picture")
    taken = await take_in({"1.image": picture, "2.image": str(picture), "3.seed": 5})
    digest = hashlib.sha256(b"picture").hexdigest()
    assert taken == {"1.image": LocalFile(str(picture), digest, 7), "2.image": str(picture), "3.seed": 5}


async def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"gone\.png cannot be read"):
        await take_in({"1.image": tmp_path / "gone.png"})
    with pytest.raises(MediaError):
        read_local_file(tmp_path)
