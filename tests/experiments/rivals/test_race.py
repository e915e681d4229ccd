"""When a search has to stop, and what is remembered of it."""

import math

import pytest

from experiments.rivals.race import Caps, Race


class Clock:
    def __init__(self):
        self.now = 5.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_it_ends_when_its_seconds_are_spent(clock):
    race = Race(1.0, Caps(seconds=2.0, evaluations=100), clock)
    clock.now += 1.9
    assert race.open
    clock.now += 0.1
    assert not race.open
    assert race.seconds == pytest.approx(2.0)


def test_it_ends_when_its_evaluations_are_spent(clock):
    race = Race(1.0, Caps(seconds=2.0, evaluations=100), clock)
    race.note(99, -math.inf)
    assert race.open
    race.note(1, -math.inf)
    assert not race.open
    assert race.best == -math.inf


def test_it_ends_at_the_optimum(clock):
    race = Race(1.0, Caps(seconds=2.0, evaluations=100), clock)
    race.note(1, 1.0 - 1e-8)
    assert race.open
    race.note(1, 1.0 - 1e-12)
    assert not race.open


def test_only_better_designs_are_steps(clock):
    race = Race(1.0, Caps(seconds=2.0, evaluations=100), clock)
    for seconds, score in ((0.5, -math.inf), (0.1, 0.2), (0.1, 0.2), (0.1, 0.1), (0.1, 0.3)):
        clock.now += seconds
        race.note(10, score)
    assert [step.evaluations for step in race.steps] == [20, 50]
    assert [step.seconds for step in race.steps] == pytest.approx([0.6, 0.9])
    assert race.evaluations == 50
    assert race.best == 0.3
