"""Runs this snapshot's server from anywhere: as `python DIRECTORY` or `python -m DIRECTORY`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from taskflow.__main__ import main

sys.exit(main())
