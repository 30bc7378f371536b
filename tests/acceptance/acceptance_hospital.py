"""What the tests of the daemon share: a morning of sampling, the laboratory's file, a look into the database."""

from __future__ import annotations

import subprocess
from collections import Counter
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from acceptance_cases import Installation, wait_until
from sqlmodel import Session, SQLModel, select

from scheduler.store.database import Database
from scheduler.store.tables import HeartbeatRow, OutboxRow

SUBJECT = "MPA-0042-7"
TUBES = {"H0": "26015-00871-1", "H30": "26015-00871-2", "H2": "26015-00871-3"}
VALUES = {"H0": "1,85", "H30": "14,2", "H2": "6,40"}
PAWINSKI = 7.75 + 6.49 * 1.85 + 0.76 * 14.2 + 2.43 * 6.40


def today(at: Installation) -> date:
    """The date at the site."""
    return datetime.now(at.zone).date()


def sampling_morning(at: Installation, subject: str = SUBJECT, tubes: dict[str, str] = TUBES) -> None:
    """Enrolled, booked and sampled this morning."""
    day = today(at)
    start = (day - timedelta(days=100)).isoformat()
    at.ok(
        "enrol", subject, "--inclusion", day.isoformat(), "--treatment-start", start, "--formulation", "mmf",
        "--dose-mg", "1000", "--interval-h", "12",
    )  # fmt: skip
    at.ok("book", subject, "INCLUSION", "--at", f"{day} 08:10")
    at.ok("draw", subject, "INCLUSION", "H0", "--tube", tubes["H0"], "--at", f"{day} 08:15")
    at.ok(
        "dose", subject, "V1", "--mg", "1000", "--formulation", "mmf", "--interval-h", "12", "--at", f"{day} 08:20"
    )  # fmt: skip
    at.ok("draw", subject, "INCLUSION", "H30", "--tube", tubes["H30"], "--at", f"{day} 08:50")
    at.ok("draw", subject, "INCLUSION", "H2", "--tube", tubes["H2"], "--at", f"{day} 10:20")


def french_file(at: Installation, subject: str = SUBJECT, tubes: dict[str, str] = TUBES) -> bytes:
    """As a French Excel exports it: semicolons, decimal commas, accents in cp1252, empty columns at the end."""
    day = f"{today(at):%d/%m/%Y}"
    drawn = {"H0": "08:15", "H30": "08:50", "H2": "10:20"}
    lines = [
        "Étude;code_patient;visite;temps;numero_echantillon;date_heure_prelevement;date_heure_validation;analyse;"
        "Résultat;Unité;statut;conformite;lq_inf;technique;milieu;laboratoire;commentaire;;"
    ]
    lines += [
        f"MPA-AUC;{subject};V1;{point};{tube};{day} {drawn[point]};{day} 13:30;23905-3;{VALUES[point]};µg/mL;validé;"
        "OK;0,1;LCMSMS;PLASMA_EDTA;CCH-PHARMACO;contrôle répété;;"
        for point, tube in tubes.items()
    ]
    lines.append("#FIN;3;;;;;;;;;;;;;;;;;")
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def drop(at: Installation, name: str, content: bytes, marker: bool = True) -> None:
    """As a careful sender: under a temporary name, renamed, then the marker that vouches for it."""
    inbox = at.home / "lab" / "in"
    inbox.mkdir(parents=True, exist_ok=True)
    draft = inbox / f"{name}.part"
    draft.write_bytes(content)
    draft.rename(inbox / name)
    if marker:
        promise = inbox / f"{name}.ok.part"
        promise.write_text(f"{sha256(content).hexdigest()};{len(content)}", "ascii")
        promise.rename(inbox / f"{name}.ok")


class Records:
    """Looks into the installation's database."""

    def __init__(self, at: Installation) -> None:
        self.db = Database(at.settings["MPA_DATABASE"])

    def rows(self, table: type[SQLModel]) -> list[Any]:
        def step(session: Session) -> list[Any]:
            return list(session.exec(select(table)))

        return self.db.transact(step)

    def states(self) -> Counter[str]:
        return Counter(row.state for row in self.rows(OutboxRow))

    def breathing(self, since: datetime) -> bool:
        """Whether every service has had a turn since then."""
        fresh = {one.service for one in self.rows(HeartbeatRow) if one.at >= since}
        return {"intake", "reconcile", "digest", "delivery"} <= fresh

    def close(self) -> None:
        self.db.close()


def ended(process: subprocess.Popen[str], within_s: float) -> None:
    """The daemon ends in time."""
    wait_until(lambda: process.poll() is not None, within_s, "the daemon ends")
