"""A way out that does what it is told, and a step that uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import notif_cases as cases

from notifications.delivery.channel import Channel
from notifications.delivery.step import DeliveryReport, delivery_step
from notifications.delivery.transport import BeforeData, Burst, Parcel, Transport
from notifications.outbox.states import Phase
from notifications.outbox.verdict import Ending, Outcome

OK = Outcome(Phase.REPLIED, Ending.REPLIED, 250, "2.0.0 OK")


class Way:
    """A way out that does with its mails, one after the other, what it is told; then it sends."""

    def __init__(self, *does: Callable[[Parcel, BeforeData], Any]) -> None:
        self.does = list(does)
        self.sent: list[Parcel] = []

    @asynccontextmanager
    async def burst(self) -> AsyncIterator[Burst]:
        yield self

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        does = self.does.pop(0) if self.does else self.keep
        found = await does(parcel, before_data)
        assert isinstance(found, Outcome)
        return found

    async def keep(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        if not await before_data():
            return Outcome(Phase.RCPT, Ending.ABANDONED)
        self.sent.append(parcel)
        return OK


async def deliver(
    desk: cases.Study, way: Transport, channel: Channel | None = None, everyone: bool = False, **changes: Any
) -> DeliveryReport:
    """One step of the delivery; `changes` to the mailroom."""
    return await delivery_step(desk.db, way, desk.clock, cases.room(**changes), channel, everyone)
