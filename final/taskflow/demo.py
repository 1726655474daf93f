"""Another name for the tour: `python -m taskflow.demo` runs `python -m taskflow.tour`."""

import sys

from taskflow.tour.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
