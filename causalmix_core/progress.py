"""How long work reports where it stands."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with a fraction in [0, 1] and a sentence for people; raising in it cancels the work."""


def silent(fraction: float, sentence: str) -> None:
    """Report nothing."""


def part(progress: Progress, start: float, stop: float) -> Progress:
    """Return a callback whose 0..1 covers `start`..`stop` of `progress`."""

    def report(fraction: float, sentence: str) -> None:
        progress(start + (stop - start) * fraction, sentence)

    return report
