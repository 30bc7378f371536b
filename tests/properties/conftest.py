"""The properties use the factories and strategies of tests/domain."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "domain"))
