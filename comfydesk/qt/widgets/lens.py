"""Where a picture lies in a view: zoom, middle, and how they change. Plain numbers, in device pixels."""

from dataclasses import dataclass, replace

LARGEST = 32.0
SMALLEST = 0.02


@dataclass(frozen=True, slots=True)
class Lens:
    """`width` by `height`: the picture's pixels. `room_*`: the view's device pixels. `x`, `y`: the middle, 0 to 1."""

    width: int = 0
    height: int = 0
    room_width: int = 1
    room_height: int = 1
    zoom: float = 1.0
    """Device pixels per pixel of the picture."""
    x: float = 0.5
    y: float = 0.5
    fitted: bool = True
    """Follows the view's size."""

    @property
    def empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    @property
    def fit_zoom(self) -> float:
        """At which all of it is seen; small ones not beyond 1:1."""
        if self.empty:
            return 1.0
        return min(self.room_width / self.width, self.room_height / self.height, 1.0)

    @property
    def origin(self) -> tuple[float, float]:
        """Where the picture's corner is in the view."""
        return (
            self.room_width / 2 - self.x * self.width * self.zoom,
            self.room_height / 2 - self.y * self.height * self.zoom,
        )

    def fit(self) -> "Lens":
        return replace(self, zoom=self.fit_zoom, x=0.5, y=0.5, fitted=True)

    def resized(self, width: int, height: int) -> "Lens":
        """The view has another size."""
        moved = replace(self, room_width=max(1, width), room_height=max(1, height))
        return moved.fit() if self.fitted else moved.clamped()

    def showing(self, width: int, height: int) -> "Lens":
        """Another picture. One of the same shape keeps zoom and place, unless it was fitted."""
        other = replace(self, width=width, height=height)
        return other.fit() if self.fitted or self.empty else other.clamped()

    def zoomed(self, zoom: float, at: tuple[float, float] | None = None) -> "Lens":
        """Zoom so that what is under `at` (the middle, if None) stays there."""
        if self.empty:
            return self
        zoom = min(LARGEST, max(min(SMALLEST, self.fit_zoom), zoom))
        px, py = at or (self.room_width / 2, self.room_height / 2)
        ox, oy = self.origin
        # The point of the picture under `at`, 0 to 1.
        u, v = (px - ox) / (self.width * self.zoom), (py - oy) / (self.height * self.zoom)
        x = u + (self.room_width / 2 - px) / (self.width * zoom)
        y = v + (self.room_height / 2 - py) / (self.height * zoom)
        return replace(self, zoom=zoom, x=x, y=y, fitted=False).clamped()

    def moved(self, dx: float, dy: float) -> "Lens":
        """The picture follows the hand by so many device pixels."""
        if self.empty:
            return self
        x, y = self.x - dx / (self.width * self.zoom), self.y - dy / (self.height * self.zoom)
        return replace(self, x=x, y=y, fitted=False).clamped()

    def clamped(self) -> "Lens":
        """No further out than its edge; what is smaller than the view stays in its middle."""
        if self.empty:
            return self
        return replace(
            self,
            x=_clamp(self.x, self.room_width / (self.width * self.zoom)),
            y=_clamp(self.y, self.room_height / (self.height * self.zoom)),
        )

    def like(self, other: "Lens") -> "Lens":
        """The same part of this picture as `other` shows of its own: linked views. Their sizes may differ."""
        if self.empty or other.empty:
            return self
        if other.fitted:
            return self.fit()
        zoom = other.zoom * (other.width / self.width)
        return replace(self, zoom=zoom, x=other.x, y=other.y, fitted=False).clamped()


def _clamp(middle: float, part: float) -> float:
    """`part`: how much of the picture is seen; 1 or more: all of it."""
    half = part / 2
    return 0.5 if part >= 1 else min(1 - half, max(half, middle))
