"""What a trial counted. The counts of several trials add up."""

from __future__ import annotations

from dataclasses import dataclass, field

_KEPT = 40


@dataclass(slots=True)
class Tally:
    """`effects` is how many were due. `repeats`: sent again under the same webhook-id, which is allowed after a crash.

    `unseen`: calls that began and ended while the daemon was away. `cut`: calls whose deciding moment fell into the
    last seconds before a cut or wholly into the gap: neither answer is held against the daemon.
    """

    runs: int = 0
    calls: int = 0
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    repeats: int = 0
    unseen: int = 0
    cut: int = 0
    remarks: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    skipped: str | None = None

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)

    def due(self, missing: bool, what: str) -> None:
        self.effects += 1
        if missing:
            self.lose(what)

    def lose(self, what: str) -> None:
        self.lost += 1
        self._remark(f"lost: {what}")

    def double(self, what: str, times: int = 1) -> None:
        self.doubled += times
        self._remark(f"doubled: {what}")

    def mistake(self, what: str) -> None:
        self.wrong += 1
        self._remark(f"wrong: {what}")

    def add(self, other: Tally) -> None:
        for name in ("runs", "calls", "effects", "lost", "doubled", "wrong", "repeats", "unseen", "cut"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.remarks += other.remarks
        self.seeds += other.seeds
        self.skipped = self.skipped or other.skipped

    def _remark(self, text: str) -> None:
        if len(self.remarks) < _KEPT:
            self.remarks.append(text)
