"""The helpers of tests/pk, for the tests that `make published` runs."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "pk"))
