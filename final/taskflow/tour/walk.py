"""The course of the tour: shows one concept after the other and counts those that pass."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from taskflow.config import Tokens
from taskflow.tour.client import Client, TourError
from taskflow.tour.concepts import deps, errors, heap, http, middleware, storage
from taskflow.tour.screen import BOLD, DIM, GREEN, RED, Screen
from taskflow.tour.services import memory, streaming, websockets, workers
from taskflow.tour.session import CheckFailed, Session, Skipped


@dataclass(frozen=True, slots=True)
class Concept:
    """A part of the tour."""

    name: str
    title: str
    show: Callable[[Session], None]


FUNCTIONS = (
    http,
    storage,
    heap,
    deps,
    middleware,
    errors,
    memory,
    workers,
    streaming,
    websockets,
)
CONCEPTS = tuple(
    Concept(function.__name__, function.__doc__ or "", function) for function in FUNCTIONS
)


def find_concepts(names: Sequence[str]) -> list[Concept]:
    """Return the concepts with these names, or all for no names. Raises TourError."""
    known = [concept.name for concept in CONCEPTS]
    for name in names:
        if name not in known:
            raise TourError(f"unknown concept {name!r}; the concepts are {', '.join(known)}")
    return [concept for concept in CONCEPTS if not names or concept.name in names]


def walk(url: str, tokens: Tokens, concepts: Sequence[Concept], screen: Screen) -> int:
    """Show the concepts on a server, and return the exit status.

    Raises TourError if the tour cannot begin.
    """
    began = time.monotonic()
    session = Session(Client(url, tokens), screen)
    session.inspect_server()
    if session.has_other_tasks:
        screen.skipped("some checks, because this server has other tasks, which stay as they are")
    failures: list[str] = []
    for number, concept in enumerate(concepts, start=1):
        screen.line()
        screen.line(f"{number}/{len(concepts)} {concept.name}", BOLD)
        screen.say(concept.title)
        try:
            show(session, concept)
        except CheckFailed as failure:
            failures.append(f"{concept.name}: {failure.claim}")
            screen.failed(failure.claim, failure.expected, failure.received)
    screen.line()
    summarise(screen, len(concepts), failures, session.skips)
    screen.line(f"{time.monotonic() - began:.1f} seconds", DIM)
    return 1 if failures else 0


def show(session: Session, concept: Concept) -> None:
    """Show one concept, and delete its tasks. Raises CheckFailed."""
    try:
        try:
            concept.show(session)
        finally:
            session.delete_created()
    except Skipped as reason:
        session.skip(str(reason))
    except TourError as error:
        raise CheckFailed("every request gets a response", "a response", error) from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        received = f"{type(error).__name__}: {error}"
        raise CheckFailed("responses have the expected fields", "the fields", received) from error


def summarise(screen: Screen, count: int, failures: Sequence[str], skips: Sequence[str]) -> None:
    """Show how many concepts passed, which checks failed, and which were skipped."""
    passed = count - len(failures)
    screen.line(f"{passed} of {count} concepts passed", RED if failures else GREEN, BOLD)
    for failure in failures:
        screen.line(f"  failed         {failure}", RED)
    for reason in skips:
        screen.line(f"  skipped        {reason}")
