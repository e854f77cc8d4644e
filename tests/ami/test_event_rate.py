"""The rate of events comes from samples of a counter."""

from __future__ import annotations

from daemon.ami.event_rate import LONG_S, SHORT_S, EventRate


def test_nothing_is_told_before_two_samples() -> None:
    rate = EventRate()
    assert rate.per_second(SHORT_S) is None
    rate.sample(0.0, 100)
    assert rate.per_second(SHORT_S) is None
    rate.sample(2.0, 110)
    assert rate.per_second(SHORT_S) == 5.0


def test_a_burst_shows_in_the_last_ten_seconds_and_less_in_the_minute() -> None:
    rate = EventRate()
    for step in range(200):
        now = step * 2.0
        rate.sample(now, max(0, int(now) - 388) * 100)  # silence, then 100 a second for the last ten seconds
    assert rate.per_second(SHORT_S) == 100.0
    assert rate.per_second(LONG_S) == round(1000 / 60, 1)


def test_a_clock_that_stands_still_divides_by_nothing() -> None:
    rate = EventRate()
    rate.sample(5.0, 1)
    rate.sample(5.0, 2)
    assert rate.per_second(SHORT_S) is None
