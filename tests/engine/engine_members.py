"""Subjects and reports of the study's question, made up."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from engine_desk import speaker

from config.language import Language
from scheduler.engine.report.page import target_page
from scheduler.engine.study import Study
from scheduler.engine.target.member import DEFINITIONS, Member
from scheduler.engine.target.report import TargetReport, report_of, target_json

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "pk"))
from json_schema import problems  # noqa: E402  (tests/pk holds it)

SCHEMA = json.loads((ROOT / "pk" / "schemas" / "target-report.json").read_text("utf-8"))
CUT = datetime(2026, 9, 17, 11, 38, tzinfo=UTC)


def member(number: int, auc: float | None, response: bool | None, change: float | None = None) -> Member:
    """A subject of the skin arm with one exposure for every metric."""
    ends = None if change is None else {"value": 20.0}
    nothing = {"absolute": None, "baseline": None, "after": None}
    code = f"MPA-{number:04d}-0"
    visit = {
        "visit": "W6", "on": date(2025, 10, 13), "auc": auc, "dose_mg": 1000.0, "interval_h": 12.0,
        "formulation": "mmf", "days_unchanged": 40.0, "method": "Pawinski 2002",
    }  # fmt: skip
    endpoints: dict[str, Any] = {
        "subject": code,
        "eligibility": {"arms": ["skin_arm"], "status": "eligible", "age_years": 50},
        "changes": {
            "mrss": {"absolute": change, "baseline": ends, "after": None}, "fvc": nothing, "dlco": nothing,
        },
        "outcomes": [
            {"id": name, "holds": response, "primary": name == "any", "why": [], "why_codes": [], "flags": []}
            for name in DEFINITIONS
        ],
        "response": response,
        "variants": {"while_on_treatment": response, "other_comparison": response},
    }  # fmt: skip
    known = auc is not None
    exposures: dict[str, Any] = {
        **dict.fromkeys(("twa_6_26", "auc_w12", "mean_6_12", "twa_0_52", "twa_6_52"), auc),
        "visits": [visit] if known else [],
        "days": [42] if known else [],
        "weeks": [6] if known else [],
        "aucs": [auc] if known else [],
        "flags": [],
        "flags_text": [],
        "window_days": 140.0 if known else 0.0,
    }
    return Member(code, endpoints, exposures)


def cohort(n: int, *, effect: float = 0.0, seed: int = 1) -> tuple[Member, ...]:
    random = np.random.default_rng(seed)
    responder = np.arange(n) % 5 < 2
    aucs = np.maximum(random.normal(40, 15, n) + effect * responder, 1).round(2)
    changes = random.integers(-12, 4, n)
    return tuple(member(i, float(aucs[i]), bool(responder[i]), float(changes[i])) for i in range(n))


def made(members: tuple[Member, ...], study: Study, language: Language = Language.EN) -> TargetReport:
    return report_of(members, CUT, study, speaker(study, language), seed=1)


def checked(report: TargetReport, study: Study, language: Language = Language.EN) -> dict[str, Any]:
    """The JSON, after the page was found whole: XML, nothing from outside, no NaN; and the JSON fits its schema."""
    said = speaker(study, language)
    page = target_page(report, said)
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>").strip())
    outside = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.search(r"https?:|\bsrc=|\bhref=|@import|url\(", outside) is None
    assert re.search(r"\bnan\b|NaN|\binf\b|∞|\bNone\b(?! of)", page) is None
    document: dict[str, Any] = json.loads(json.dumps(target_json(report, said), allow_nan=False))
    assert problems(document, SCHEMA) == []
    return document
