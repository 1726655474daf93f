"""The tour: walks through all ten concepts on a running server, or on one of its own.

    python -m taskflow.demo                             # starts a server, which ends with it
    python -m taskflow.demo --url http://127.0.0.1:3000
    python -m taskflow.demo heap workers                # these two only

It shows what it asks and what it is answered, and checks all that it tells. The tasks that it makes
it deletes, and other tasks it lets be; but others who claim tasks there meanwhile may get one of
its own. The exit status is 0 if all is as told, 1 if something is not, 2 if it could not begin.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import FrameType

import taskflow
from taskflow.config import EXAMPLE_TOKENS, ConfigError, Tokens, read_env
from taskflow.demo_concepts import deps, errors, heap, http, middleware, storage
from taskflow.demo_services import memory, streaming, websockets, workers
from taskflow.demo_show import BOLD, DIM, GREEN, RED, Screen
from taskflow.demo_talk import CannotTalk, NotAsTold, Skipped, Talk


@dataclass(frozen=True, slots=True)
class Concept:
    """A part of the tour."""

    name: str
    title: str
    show: Callable[[Talk], None]


SHOWS = (http, storage, heap, deps, middleware, errors, memory, workers, streaming, websockets)
CONCEPTS = tuple(Concept(show.__name__, show.__doc__ or "", show) for show in SHOWS)

STOP_SECONDS = 15.0  # for a server of our own to end; longer than its own grace

# Ends when its input does, so it never outlives the tour, however that ends.
SERVER = """
import os, signal, sys, threading
from taskflow.__main__ import main

def end():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end, daemon=True).start()
sys.exit(main())
"""


@contextmanager
def own_server() -> Iterator[str]:
    """Run a server while the block does; give its address. Raises CannotTalk."""
    flags = ("--demos", "--data", ":memory:", "--port", "0", "--host", "127.0.0.1")
    package = Path(taskflow.__file__).resolve().parents[1]
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("TASKFLOW_")}
    with (
        TemporaryDirectory() as folder,  # where no .env is
        TemporaryFile("w+") as log,
        subprocess.Popen(
            [sys.executable, "-P", "-c", SERVER, *flags],
            cwd=folder,
            env=kept | {"PYTHONPATH": str(package)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            address = process.stdout.readline().rpartition(" ")[2].strip()
            if not address:
                log.seek(0)
                raise CannotTalk(f"the server does not start: {log.read().strip()}")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def tour(url: str, tokens: Tokens, concepts: Sequence[Concept], screen: Screen) -> int:
    """Show the concepts; return the exit status. Raises CannotTalk if it cannot begin."""
    began = time.monotonic()
    talk = Talk(url, tokens, screen)
    talk.look_around()
    if not talk.alone:
        screen.skipped("what needs an empty server, for here are tasks already; they are let be")
    failed = []
    for number, concept in enumerate(concepts, start=1):
        screen.line()
        screen.line(f"{number}/{len(concepts)} {concept.name}", BOLD)
        screen.say(concept.title)
        try:
            walk(talk, concept)
        except NotAsTold as wrong:
            failed.append(f"{concept.name}: {wrong.what}")
            screen.not_as_told(wrong.what, wrong.expected, wrong.received)
    screen.line()
    summary(screen, len(concepts), failed, talk.skips)
    screen.line(f"{time.monotonic() - began:.1f} seconds", DIM)
    return 1 if failed else 0


def walk(talk: Talk, concept: Concept) -> None:
    """Show one concept, and clear up behind it. Raises NotAsTold."""
    try:
        try:
            concept.show(talk)
        finally:
            talk.clean()
    except Skipped as why:
        talk.skip(str(why))
    except CannotTalk as error:
        raise NotAsTold("every request is answered", "an answer", error) from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise NotAsTold("answers have the fields that they are to have", "them", what) from error


def summary(screen: Screen, count: int, failed: Sequence[str], skips: Sequence[str]) -> None:
    """Say how it went."""
    good = count - len(failed)
    screen.line(f"{good} of {count} concepts are as told", RED if failed else GREEN, BOLD)
    for line in failed:
        screen.line(f"  not as told    {line}", RED)
    for why in skips:
        screen.line(f"  skipped        {why}")


def known_tokens() -> Tokens:
    """Return the tokens of the environment or of .env, else the examples. Raises ConfigError."""
    settings = read_env(Path(".env")) | {name: text for name, text in os.environ.items() if text}
    admin = settings.get("TASKFLOW_ADMIN_TOKEN") or EXAMPLE_TOKENS[0]
    return Tokens(admin, settings.get("TASKFLOW_USER_TOKEN") or EXAMPLE_TOKENS[1])


def chosen(names: Sequence[str]) -> list[Concept]:
    """Return the concepts with these names, all if there are none. Raises CannotTalk."""
    known = [concept.name for concept in CONCEPTS]
    for name in names:
        if name not in known:
            raise CannotTalk(f"there is no {name!r}: there are {', '.join(known)}")
    return [concept for concept in CONCEPTS if not names or concept.name in names]


def interrupted(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, clearing up on the way."""
    raise KeyboardInterrupt


def main() -> int:
    """Read the command line, and walk; return the exit status."""
    names = ", ".join(concept.name for concept in CONCEPTS)
    parser = argparse.ArgumentParser(
        prog="taskflow.demo",
        description="A tour of ten concepts on a running server; it checks all that it tells.",
        epilog="Tokens: TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN, in the environment or .env.",
    )
    parser.add_argument("concepts", nargs="*", metavar="CONCEPT", help=f"only these: {names}")
    parser.add_argument("--url", help="a running server, http://127.0.0.1:3000 (default: its own)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    screen = Screen()
    try:
        concepts = chosen(options.concepts)
        if options.url is not None:
            return tour(options.url, known_tokens(), concepts, screen)
        with own_server() as address:
            screen.line(f"A server of its own at {address}; it ends with the tour.", DIM)
            return tour(address, Tokens(*EXAMPLE_TOKENS), concepts, screen)
    except (CannotTalk, ConfigError) as error:
        print(f"taskflow.demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("taskflow.demo: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # nobody reads on, as behind `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
        return 141


if __name__ == "__main__":
    sys.exit(main())
