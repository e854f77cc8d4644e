"""What the outbox has in memory, by target: a bounded part of what is pending. It does no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from daemon.delivery.limits import OutboxLimits
from daemon.delivery.target import Target, target_key
from daemon.store.values import Delivery


class Shelf:
    """`paused` webhooks get nothing; `left` are the targets for which there was no room and more is in the store."""

    def __init__(self, limits: OutboxLimits) -> None:
        self._limits = limits
        self._held: dict[str, Target] = {}
        self.targets: dict[str, Target] = {}
        self.paused: set[str] = set()
        self.left: set[Target] = set()
        self.left_unread = False  # the store was not read to the end of what is due

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, delivery_id: object) -> bool:
        return delivery_id in self._held

    def put(self, delivery: Delivery) -> Target | None:
        """The target in whose queue it now is; None where it must wait in the store."""
        if delivery.webhook_id in self.paused:
            return None
        target = self._target_of(delivery)
        if len(target.held) >= self._limits.held_per_target or self.full:
            self.left.add(target)
            return None
        target.take(delivery)
        self._held[delivery.delivery_id] = target
        return target

    def release(self, delivery_id: str) -> None:
        target = self._held.pop(delivery_id, None)
        if target is not None:
            target.held.discard(delivery_id)

    def pause(self, webhook_id: str) -> None:
        """What is queued goes back to the store alone; what is under way stays known."""
        self.paused.add(webhook_id)
        self._give_back(self.targets.get(webhook_id))

    def forget(self, webhook_id: str) -> None:
        """What is queued goes back to the store, and how the target has been answering says nothing any more."""
        self._give_back(self.targets.pop(webhook_id, None))

    @property
    def full(self) -> bool:
        return len(self._held) >= self._limits.held_in_all

    def closed(self) -> Collection[str]:
        """The webhooks whose deliveries need not be read now. Those that are full will want more later."""
        full = [one for one in self.targets.values() if len(one.held) >= self._limits.held_per_target]
        self.left.update(one for one in full if one.webhook_id not in self.paused)
        return self.paused | {one.webhook_id for one in full}

    @property
    def wants_more(self) -> bool:
        """There is room again where there was none. Half empty, so that a page is worth reading."""
        if len(self._held) > self._limits.held_in_all // 2:
            return False
        return self.left_unread or any(len(one.held) <= self._limits.held_per_target // 2 for one in self.left)

    def tidy(self) -> None:
        """Popup URLs may name ever new hosts: idle targets are not kept for ever."""
        if len(self.targets) > self._limits.idle_targets:
            busy = ((key, one) for key, one in self.targets.items() if not one.idle or one in self.left)
            self.targets = dict(busy)

    def held_back(self) -> Iterable[Target]:
        """Targets that asked for a pause."""
        return (one for one in self.targets.values() if one.not_before)

    def _give_back(self, target: Target | None) -> None:
        if target is not None:
            self.left.discard(target)
            for delivery in target.emptied():
                self.release(delivery.delivery_id)

    def _target_of(self, delivery: Delivery) -> Target:
        key = target_key(delivery)
        target = self.targets.get(key)
        if target is None:
            target = self.targets[key] = Target(key, delivery.webhook_id)
        return target
