"""The way in: `python3 -m course`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said here, in words an older Python can read
    have = sys.version.split()[0]
    sys.stderr.write("course: Taskflow needs Python 3.11 or newer, this is " + have + "\n")
    sys.exit(2)

from course.cli import main  # after the check: the modules use newer syntax

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
