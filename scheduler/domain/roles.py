"""What people are in a study, and who of them records what happens at visits."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["CLINICAL", "Role"]


class Role(StrEnum):
    """What somebody does in the study, and so may do in the console."""

    COORDINATOR = "coordinator"
    NURSE = "nurse"
    INVESTIGATOR = "investigator"
    LABORATORY = "laboratory"
    PHARMACIST = "pharmacist"
    DATA_MANAGER = "data_manager"
    ADMIN = "admin"


CLINICAL = frozenset({Role.COORDINATOR, Role.NURSE, Role.INVESTIGATOR})  # record what happened at a visit
