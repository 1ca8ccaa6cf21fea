"""The brush: same words and seed, same picture; other words, another one."""

import random

import pytest
from PIL import Image, ImageChops, ImageStat

from comfydesk.demo.drawing.colors import NAMED
from comfydesk.demo.drawing.words import PLACES, SUBJECTS, read, split
from comfydesk.demo.painter import Film, Painting, paint


@pytest.mark.parametrize(
    ("prompt", "place", "hour", "subjects"),
    [
        ("a picture of a red bicycle in the street", "city", None, ("bicycle",)),
        ("a lighthouse above the sea at sunset, sailing boats", "sea", "sunset", ("lighthouse", "boat")),
        ("snowy mountains at night", "snow", "night", ()),
        ("portrait of a woman", "portrait", None, ("person",)),
        ("two cats in the kitchen", "room", None, ("cat",)),
        ("a field of poppies in the morning", "field", "dawn", ("flowers",)),
        ("fishes", "underwater", None, ("fish",)),
        ("a rocket", "space", None, ("rocket",)),
        ("abstract pattern", "abstract", None, ()),
    ],
)
def test_words_choose_what_is_drawn(prompt: str, place: str, hour: str | None, subjects: tuple[str, ...]) -> None:
    idea = read(prompt, random.Random(1))
    assert (idea.place, idea.subjects) == (place, subjects)
    assert hour is None or idea.hour == hour


def test_a_colour_belongs_to_the_word_behind_it() -> None:
    idea = read("a red bicycle before a blue wall", random.Random(1))
    assert idea.subject_color == NAMED["red"]
    assert idea.hues == (NAMED["blue"],)


def test_negative_words_do_not_count() -> None:
    assert "boat" in read("a boat on the sea", random.Random(1)).subjects
    assert "boat" not in read("a boat on the sea", random.Random(1), "boats").subjects


def test_plurals_are_known() -> None:
    assert split("Cats, POPPIES and buses; grass") == ["cat", "poppy", "and", "bus", "grass"]


@pytest.mark.parametrize("place", sorted(PLACES))
def test_every_place_can_be_drawn_at_every_hour(place: str) -> None:
    for hour in ("day", "night"):
        picture = paint(f"{place} at {hour}, clouds, rain, flowers, star", seed=3, width=96, height=64)
        assert picture.size == (96, 64)
        assert ImageStat.Stat(picture.convert("L")).stddev[0] > 4, "something is to be seen"


@pytest.mark.parametrize("subject", sorted(SUBJECTS))
def test_every_thing_can_be_drawn(subject: str) -> None:
    words = SUBJECTS[subject].split()
    with_it = paint(f"a {words[0]} in a field", seed=5, width=64, height=64)
    without = paint("in a field", seed=5, width=64, height=64)
    assert ImageChops.difference(with_it, without).getbbox() is not None


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    one, same, other = (paint("a quiet river", seed=seed, width=64, height=48) for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()


def test_in_how_many_steps_does_not_matter() -> None:
    slow = Painting("a hill", 4, 48, 48)
    for step in range(1, 8):
        slow.advance(step / 7)
    assert slow.finished().tobytes() == paint("a hill", seed=4, width=48, height=48).tobytes()


def test_previews_come_out_of_noise() -> None:
    painting = Painting("a castle", 4, 96, 64)
    finished = paint("a castle", seed=4, width=96, height=64)
    distances = []
    for share in (0.05, 0.5, 1.0):
        painting.advance(share)
        preview = painting.preview()
        wanted = finished.resize(preview.size)
        distances.append(ImageStat.Stat(ImageChops.difference(preview, wanted).convert("L")).mean[0])
    assert distances[0] > 2 * distances[1] > 2 * distances[2]


@pytest.mark.parametrize("size", [(16, 16), (8, 200), (301, 77)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    assert paint("a forest", seed=1, width=size[0], height=size[1]).size == size


def test_a_given_picture_stays_the_more_the_less_is_denoised() -> None:
    source = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    away = [
        ImageStat.Stat(
            ImageChops.difference(
                source, Painting("night", 1, 64, 64, source=source, denoise=denoise).finished()
            ).convert("L")
        ).mean[0]
        for denoise in (0.1, 0.6, 1.0)
    ]
    assert away == sorted(away)
    assert away[0] < 14


def test_loras_colour_the_picture() -> None:
    plain = paint("a hill", seed=1, width=48, height=48)
    warm = Painting("a hill", 1, 48, 48, loras=[("demo-warm-light.safetensors", 1.0)]).finished()
    red, _, blue = _balance(warm, plain)
    assert red > blue
    inked = Painting("a hill", 1, 48, 48, loras=[("demo-ink-lines.safetensors", 1.0)]).finished()
    assert ImageStat.Stat(inked.convert("L")).mean[0] < ImageStat.Stat(plain.convert("L")).mean[0]


def _balance(picture: Image.Image, against: Image.Image) -> tuple[float, float, float]:
    """By how much each channel is lighter."""
    red, green, blue = (
        one - other for one, other in zip(ImageStat.Stat(picture).mean, ImageStat.Stat(against).mean, strict=True)
    )
    return red, green, blue


def test_a_film_moves_and_keeps_its_scene() -> None:
    film = Film("a boat on the sea", 3, 96, 64, 5)
    film.advance(0.4)
    assert film.preview().size == (96, 64)
    frames = film.finished()
    assert len(frames) == 5
    assert {frame.size for frame in frames} == {(96, 64)}
    step = ImageStat.Stat(ImageChops.difference(frames[0], frames[1]).convert("L")).mean[0]
    assert 0.2 < step < 30


def test_a_film_from_a_picture_begins_with_it() -> None:
    source = paint("a cat", seed=1, width=96, height=64)
    frames = Film("zoom", 1, 96, 64, 5, source=source).finished()
    first = ImageStat.Stat(ImageChops.difference(frames[0], source).convert("L")).mean[0]
    assert first < 12
    assert frames[0].tobytes() != frames[-1].tobytes()
