"""What a rented pod costs, and has cost since ComfyDesk was opened. PURE.

The provider's bill counts; this is what can be seen from here: its price per hour, times the time it was seen to run.
"""

from dataclasses import dataclass, replace

MAX_GAP = 600.0
"""Seconds between two observations, beyond which what happened in between is a guess."""


@dataclass(frozen=True, slots=True)
class CostMeter:
    """Observe now and then; at every change at least. Times are seconds of a clock that goes on during sleep."""

    spent: float = 0.0
    """US dollars up to the last observation."""
    rate: float | None = None
    """US dollars per hour now; None: not known, or nothing is being paid."""
    charged: bool = False
    last: float | None = None
    partial: bool = False
    """Some time was left out, since its price or its end was not known."""

    def observe(self, at: float, *, charged: bool, rate: float | None, uptime: float | None = None) -> "CostMeter":
        """What the host says now: whether GPU time is being paid for, at how much an hour, since how long (seconds)."""
        spent, partial = self.spent, self.partial
        if self.last is not None and self.charged and at > self.last:
            span = at - self.last
            if span > MAX_GAP and not charged:
                span, partial = 0.0, True  # stopped at some moment that nobody saw
            elif span > MAX_GAP and uptime is not None and uptime < span:
                span, partial = uptime, True  # stopped and started again meanwhile
            spent += span / 3600 * (self.rate or 0.0)
            partial = partial or self.rate is None
        return replace(self, spent=spent, partial=partial, rate=rate, charged=charged, last=max(at, self.last or at))

    def total(self, now: float) -> float:
        """US dollars until `now`, as if nothing had changed since the last observation."""
        if self.last is None or not self.charged or self.rate is None:
            return self.spent
        return self.spent + max(0.0, now - self.last) / 3600 * self.rate

    def words(self, now: float) -> str:
        """For the status bar: "$0.69/h · $1.24 this session"; empty where nothing is known."""
        parts = []
        if self.charged and self.rate is not None:
            parts.append(f"${self.rate:.2f}/h")
        total = self.total(now)
        if total >= 0.005 or parts:
            parts.append(f"{'over ' if self.partial else ''}${total:.2f} this session")
        return " · ".join(parts)
