"""The tour's command line: all ten concepts, or some, on a running server or on its own.

    python -m taskflow.tour                             # starts a server and stops it
    python -m taskflow.tour --url http://127.0.0.1:3000
    python -m taskflow.tour heap workers                # shows only these two concepts

The tour shows its requests and the responses, and checks every claim that it makes. It deletes the
tasks that it creates and leaves other tasks as they are. While it runs, another client that claims
tasks from the same server may get one of its tasks. The exit status is 0 if all checks pass, 1 if
one fails, and 2 if the tour cannot begin.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from taskflow.config import EXAMPLE_TOKENS, ConfigError, Tokens, read_env
from taskflow.tour.client import TourError
from taskflow.tour.screen import DIM, Screen
from taskflow.tour.server import own_server
from taskflow.tour.walk import CONCEPTS, find_concepts, walk

NAME = "taskflow.tour"


def known_tokens() -> Tokens:
    """Return the tokens from the environment, from .env, or the examples. Raises ConfigError."""
    settings = read_env(Path(".env")) | {name: text for name, text in os.environ.items() if text}
    example_admin, example_user = EXAMPLE_TOKENS
    admin = settings.get("TASKFLOW_ADMIN_TOKEN") or example_admin
    user = settings.get("TASKFLOW_USER_TOKEN") or example_user
    # Where there are two tokens for a role, both are good.
    return Tokens(admin.partition(",")[0].strip(), user.partition(",")[0].strip())


def interrupted(number: int, frame: FrameType | None) -> None:
    """Handle a signal as Ctrl-C, so that the tour deletes its tasks before it ends."""
    raise KeyboardInterrupt


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    names = ", ".join(concept.name for concept in CONCEPTS)
    parser = argparse.ArgumentParser(
        prog=NAME,
        description="A tour of ten concepts on a running server, which checks every claim.",
        epilog="The tokens are TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN, from the environment "
        "or from .env.",
    )
    parser.add_argument(
        "concepts", nargs="*", metavar="CONCEPT", help=f"a concept to show (default: all): {names}"
    )
    parser.add_argument(
        "--url",
        help="address of a running server, such as http://127.0.0.1:3000 (default: the tour "
        "starts its own server)",
    )
    return parser.parse_args()


def run(options: argparse.Namespace) -> int:
    """Show the chosen concepts; return the exit status. Raises TourError, ConfigError."""
    screen = Screen()
    concepts = find_concepts(options.concepts)
    if options.url is not None:
        return walk(options.url, known_tokens(), concepts, screen)
    with own_server() as address:
        screen.line(f"The tour runs its own server at {address}, and stops it at the end.", DIM)
        return walk(address, Tokens(*EXAMPLE_TOKENS), concepts, screen)


def main() -> int:
    """Run the tour; return the exit status."""
    options = parse_arguments()
    signal.signal(signal.SIGTERM, interrupted)
    try:
        return run(options)
    except (TourError, ConfigError) as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{NAME}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of the output has left, as `| head` does. The interpreter flushes the output
        # once more when it exits, so the output now goes to the null device.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == "__main__":
    sys.exit(main())
