"""The command line: which words there are, and what becomes of errors.

One line on stderr and exit status 2 for whatever the user can put right;
130 after Ctrl-C; quiet when the reader of a pipe has left.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from course.demo import demo
from course.errors import CourseError
from course.files import Scope
from course.integrity import integrity
from course.overview import overview
from course.propagate import propagate, report
from course.serve import serve
from course.showdiff import show
from course.terminal import note, wants_colour
from course.testing import test
from course.themes import THEMES
from course.verify import verify

ROOT = Path(__file__).parents[1]

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


class Parser(argparse.ArgumentParser):
    """argparse whose refusals are one line, like all others here."""

    def error(self, message: str) -> NoReturn:
        raise CourseError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Run one command; returns the exit status."""
    try:
        status = _dispatch(arguments, root)
        sys.stdout.flush()
        return status
    except CourseError as error:
        note(str(error))
        return 2
    except KeyboardInterrupt:
        note("stopped")
        return 130
    except BrokenPipeError:
        # Python flushes stdout once more at exit; give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _dispatch(arguments: Sequence[str], root: Path) -> int:
    if not arguments:
        print(overview(root, wants_colour(sys.stdout, None)), end="")
        return 0
    if arguments[0] == "serve" and arguments[1:2] not in (["-h"], ["--help"]):
        return serve(root, arguments[1:])  # before argparse: the rest is the server's
    parser, commands = _parser()
    if not arguments[0].startswith("-") and arguments[0] not in commands:
        raise CourseError(f"unknown command {arguments[0]!r}: there are {', '.join(commands)}")
    options = parser.parse_args(arguments)
    run: Callable[[Path, argparse.Namespace], int] = options.run
    return run(root, options)


def _parser() -> tuple[Parser, list[str]]:
    parser = Parser(
        prog="python3 -m course",
        description="Walk the path of Taskflow's snapshots. Without a command: show it.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        _add_serve,
        _add_test,
        _add_diff,
        _add_demo,
        _add_verify,
        _add_propagate,
        _add_integrity,
    ):
        add(commands)
    return parser, list(commands.choices)


def _add_serve(commands: Commands) -> None:
    about = "start a snapshot's server"
    one = commands.add_parser("serve", help=about, description=about.capitalize() + ".")
    one.usage = "%(prog)s [N|final] [the server's own options …]"
    one.epilog = "Without a number: final, or the newest step; final with --demos, so that its"
    one.epilog += " example tokens work. The server's options: serve N --help"


def _add_test(commands: Commands) -> None:
    about = "run the tests of one snapshot, or all checks"
    one = commands.add_parser("test", help=about, description=about.capitalize() + ".")
    one.add_argument("snapshot", nargs="?", metavar="N|final|all")
    one.add_argument("--all", action="store_true", help="also what needs system programs")
    one.set_defaults(run=lambda root, options: test(root, options.snapshot, options.all))


def _add_diff(commands: Commands) -> None:
    about = "show what a step adds to the one before: a table, then the source"
    one = commands.add_parser("diff", help=about, description=about.capitalize() + ".")
    one.add_argument("snapshot", metavar="N|final")
    one.add_argument(
        "theme", nargs="?", metavar="THEME", help=f"of final, one of: {', '.join(THEMES)}"
    )
    scope = one.add_mutually_exclusive_group()
    scope.add_argument(
        "--tests", action="store_const", dest="scope", const=Scope.TESTED, help="the tests too"
    )
    scope.add_argument(
        "--all",
        action="store_const",
        dest="scope",
        const=Scope.ALL,
        help="every file of the snapshot",
    )
    one.add_argument(
        "--color",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="colours, or none (default: on a terminal only)",
    )
    one.set_defaults(run=_diff, scope=Scope.SOURCE)


def _diff(root: Path, options: argparse.Namespace) -> int:
    colour = wants_colour(sys.stdout, options.color)
    print(show(root, options.snapshot, options.theme, options.scope, colour), end="")
    return 0


def _add_demo(commands: Commands) -> None:
    about = "show what a lesson is about, in one command"
    one = commands.add_parser("demo", help=about, description=about.capitalize() + ".")
    one.add_argument("name", nargs="?", metavar="NAME", help="without one: which there are")
    one.add_argument("sizes", nargs="*", type=int, metavar="N", help="for lists: how many tasks")
    one.set_defaults(run=lambda root, options: demo(root, options.name, options.sizes))


def _add_verify(commands: Commands) -> None:
    about = "hold a running server, yours or ours, against the contract of a step"
    one = commands.add_parser("verify", help=about, description=about.capitalize() + ".")
    one.add_argument("--step", required=True, metavar="N|final")
    one.add_argument(
        "--url", required=True, help="http://host:port of a server with no tasks in it"
    )
    one.add_argument("--admin-token", metavar="TOKEN")
    one.add_argument("--user-token", metavar="TOKEN")
    one.add_argument("--slow", action="store_true", help="also the tests that wait for deadlines")
    one.set_defaults(run=verify)


def _add_propagate(commands: Commands) -> None:
    about = "carry a change made in a step into every later snapshot"
    one = commands.add_parser("propagate", help=about, description=about.capitalize() + ".")
    one.add_argument("snapshot", metavar="N")
    one.add_argument(
        "--from",
        dest="revision",
        default="HEAD",
        metavar="REV",
        help="the commit before the change (default: HEAD)",
    )
    one.add_argument("--dry-run", action="store_true", help="only say what would happen")
    one.set_defaults(run=_propagate)


def _propagate(root: Path, options: argparse.Namespace) -> int:
    outcomes = propagate(root, options.snapshot, options.revision, options.dry_run)
    print(report(outcomes, options.dry_run), end="")
    return 1 if any(outcome.is_conflict for outcome in outcomes) else 0


def _add_integrity(commands: Commands) -> None:
    about = "check the laws of the snapshots and show their sizes"
    one = commands.add_parser("integrity", help=about, description=about.capitalize() + ".")
    one.add_argument("--update", action="store_true", help="render guides/diffs/ again first")
    one.set_defaults(run=_integrity)


def _integrity(root: Path, options: argparse.Namespace) -> int:
    report, kept = integrity(root, options.update)
    print(report, end="")
    return 0 if kept else 1
