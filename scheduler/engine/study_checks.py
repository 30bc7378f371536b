"""What is wrong with a study's files beside their shape; and the calendars, equations and models that they give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from config.defects import Defect
from config.files import Files
from config.said import Said, said
from pk.models.file import model_from_mapping, set_defects
from pk.models.population import PopulationModel
from pk.regression.equation import Equation, equations_from_mapping
from pk.values.errors import EquationError, ModelError
from pk.values.file_defect import FileDefect, Phrase
from scheduler.domain.civil import DayCalendar
from scheduler.domain.protocol_file.checks import ROLES

__all__ = ["calendars_of", "equations_of", "lab_defects", "method_defects", "models_of", "staff_defects"]

_CALENDAR_YEARS = range(2000, 2061)


def staff_defects(files: Files) -> Iterator[Defect]:
    """Ids that are used twice among the people of all sites, and roles that there are not."""
    known, seen = ", ".join(sorted(ROLES)), set[str]()
    for loaded in files.sites:
        for i, person in enumerate(loaded.content.staff):
            if person.id in seen:
                problem = said("'{name}' is used twice.", name=person.id)
                yield Defect(loaded.name, f"staff.{i}.id", problem, said("Use another."))
            seen.add(person.id)
            for role in sorted(set(person.roles) - ROLES):
                problem = said("'{name}' is not a role.", name=role)
                yield Defect(
                    loaded.name, f"staff.{i}.roles", problem, said("Use some of {known}.", known=known)
                )


def lab_defects(files: Files) -> Iterator[Defect]:
    """Laboratories at no site or in no time zone, and contacts whose id is another person's."""
    sites = {one.content.id for one in files.sites}
    people = {person.id for one in files.sites for person in one.content.staff}
    for loaded in files.labs:
        for i, contact in enumerate(loaded.content.contacts):
            if contact.id in people:
                problem = said("'{name}' is used twice, here or for the staff of a site.", name=contact.id)
                yield Defect(loaded.name, f"contacts.{i}.id", problem, said("Use another."))
            people.add(contact.id)
        if _zone(loaded.content.zone) is None:
            yield _no_zone(loaded.name, loaded.content.zone)
        if sites and loaded.content.site not in sites:  # else what is wrong is said of the sites
            problem = said("There is no site '{site}'.", site=loaded.content.site)
            yield Defect(
                loaded.name, "site", problem, said("Use one of {known}.", known=", ".join(sorted(sites)))
            )


def method_defects(files: Files, methods: tuple[str, ...]) -> Iterator[Defect]:
    """Methods that a protocol asks for and that there are not."""
    for loaded in files.protocols:
        for name in loaded.content.exposure.primary:
            if name not in methods:
                problem = said("There is no method '{name}'.", name=name)
                remedy = said("Use some of {known}.", known=", ".join(methods))
                yield Defect(loaded.name, "exposure.primary", problem, remedy)


def calendars_of(files: Files, defects: list[Defect]) -> dict[str, DayCalendar]:
    """The calendar of every site; what is wrong with one goes to the defects."""
    found: dict[str, DayCalendar] = {}
    for loaded in files.sites:
        site, zone = loaded.content, _zone(loaded.content.zone)
        if zone is None:
            defects.append(_no_zone(loaded.name, site.zone))
            continue
        try:
            closed = _holidays(site.holidays) | set(site.closed)
        except NotImplementedError:
            problem = said("No public holidays are known for '{country}'.", country=str(site.holidays))
            remedy = said("Use a country code such as FR, or list 'closed' days.")
            defects.append(Defect(loaded.name, "holidays", problem, remedy))
            continue
        found[site.id] = DayCalendar(zone, frozenset(site.open_weekdays), frozenset(closed))
    return found


def equations_of(files: Files, defects: list[Defect]) -> tuple[Equation, ...]:
    """The equations; what is wrong with them goes to the defects."""
    try:
        return tuple(equations_from_mapping(files.regressions))
    except EquationError as error:
        defects += (_defect("regressions.toml", one) for one in error.defects)
        return ()


def models_of(files: Files, defects: list[Defect]) -> tuple[PopulationModel, ...]:
    """The population models, the default one first; what is wrong with them goes to the defects."""
    found: list[PopulationModel] = []
    for name, mapping in files.models.items():
        try:
            found.append(model_from_mapping(mapping))
        except ModelError as error:
            defects += (_defect(name, one) for one in error.defects)
    if files.models and len(found) == len(files.models):
        defects += (_defect("models/", one) for one in set_defects(found))
    return tuple(sorted(found, key=lambda model: (not model.is_default, model.id)))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _no_zone(file: str, name: str) -> Defect:
    problem = said("'{name}' is not a time zone.", name=name)
    return Defect(file, "zone", problem, said("Use an IANA name such as Europe/Paris."))


def _holidays(country: str | None) -> set[date]:
    if country is None:
        return set()
    return set(holidays.country_holidays(country, years=_CALENDAR_YEARS))


def _defect(name: str, found: FileDefect) -> Defect:
    """What is wrong with equations or models, as a defect of a file."""
    return Defect(name, found.key, _said(found.problem), _said(found.remedy))


def _said(words: Phrase) -> Said:
    values = ((name, _said(one) if isinstance(one, Phrase) else one) for name, one in words.values)
    return Said(words.english, tuple(values))
