"""The program's settings: environment variables MPA_…, else settings.toml of the configuration directory."""

from __future__ import annotations

import json
import os
import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeGuard, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from config.address import LOOPBACK, console_address
from config.defects import UNREADABLE, ConfigurationInvalidError, Defect, unreadable
from config.language import Language
from config.said import said
from config.secrecy import readable_secrets
from config.shape_errors import refused

__all__ = [
    "DEFAULT_DIR",
    "LOOPBACK",
    "ConsoleSettings",
    "DaemonSettings",
    "IntakeSettings",
    "MailSettings",
    "Settings",
    "language_to_fail_in",
    "load_settings",
]

PREFIX = "MPA_"
DEFAULT_DIR = Path(__file__).parent
"""The configuration that is shipped."""


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MailSettings(_Group):
    """How mails leave: by an SMTP server, or into a Maildir for development and rehearsals."""

    transport: Literal["smtp", "maildir"] = "maildir"
    maildir: Path = Path("var/mail")
    host: str = "localhost"
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    sender: str = "mpa-monitor@localhost.localdomain"
    reply_to: str | None = None
    envelope_from: str | None = None
    domain: str = "mpa-monitor.localdomain"
    timeout_s: float = Field(default=30, gt=0)
    per_recipient_per_hour: int = Field(default=60, ge=1)
    auc_picture: bool = True

    @model_validator(mode="after")
    def _plain_only_here(self) -> MailSettings:
        if self.transport == "smtp" and self.security == "none" and self.host not in LOOPBACK:
            raise refused("mail_in_the_clear")
        return self


class IntakeSettings(_Group):
    """The laboratories' drop folder. Originals older than `keep_originals_days` are deleted; None keeps them. No file
    is taken while less than `min_free_percent` of the disk is free, or 500 MB. With `two_reviewers` a held row is used
    when a second person decides the same."""

    folder: Path = Path("var/lab")
    poll_s: float = Field(default=5, gt=0)
    settle_s: float = Field(default=30, ge=0)
    min_free_percent: float = Field(default=5, ge=0, le=50)
    keep_originals_days: int | None = Field(default=None, ge=1)
    two_reviewers: bool = False


class DaemonSettings(_Group):
    """How the daemon waits and gives up."""

    longest_wait_s: float = Field(default=30, gt=0, le=30)
    stop_within_s: float = Field(default=20, gt=0)
    give_up_after: int = Field(default=10, ge=1)


class ConsoleSettings(_Group):
    """The console: its address (`url`, https unless it is this machine), which proxies before it are believed,
    how long a sign-in lasts, and whether the second factor is asked of everybody."""

    url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    idle_min: float = Field(default=15, gt=0)
    absolute_h: float = Field(default=8, gt=0)
    second_factor: Literal["optional", "required"] = "optional"
    max_body_kb: int = Field(default=64, ge=1)

    @field_validator("url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        return console_address(url) if url is not None else None


class Settings(BaseSettings):
    """Everything that differs between installations."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    database: str = "sqlite:///var/mpa-monitor.db"
    config: Path = DEFAULT_DIR
    language: Language = Language.EN
    mail: MailSettings = MailSettings()
    intake: IntakeSettings = IntakeSettings()
    daemon: DaemonSettings = DaemonSettings()
    console: ConsoleSettings = ConsoleSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _toml_source(settings_cls, init_settings)


def _toml_source(
    settings_cls: type[BaseSettings], init: PydanticBaseSettingsSource
) -> PydanticBaseSettingsSource:
    return TomlConfigSettingsSource(settings_cls, _settings_file(init().get("config")))


def _settings_file(given: Any) -> Path:
    return Path(given or os.environ.get(f"{PREFIX}CONFIG") or DEFAULT_DIR) / "settings.toml"


def _misplaced(path: Path) -> list[Defect]:
    """What keeps a settings file from being found where it is looked for; nothing when there is none to be found."""
    try:
        if path.parent.exists() and not path.parent.is_dir():  # a restore makes one that is not there
            problem = said("'{path}' is not a folder.", path=str(path.parent))
            remedy = said("Name the folder that holds settings.toml, protocols, sites, labs and models.")
            return [Defect("settings", "config", problem, remedy)]
        if (path.exists() or path.is_symlink()) and not path.is_file():
            remedy = said("Put a file in its place, or remove it.")
            return [Defect("settings.toml", "file", said("It is not a file."), remedy)]
    except OSError as error:
        return [unreadable("settings.toml", error)]
    return []


def load_settings(**given: Any) -> Settings:
    """The settings; `given` (from the command line) wins over the environment, that over the file.

    Raises ConfigurationInvalidError with every defect, an MPA_… variable that means nothing included.
    """
    defects = [
        Defect(
            "environment",
            name,
            said("This variable means nothing to mpa-monitor."),
            said("Remove it or correct its name."),
        )
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and not _is_known(name)
    ]
    path = _settings_file(given.get("config"))
    no_json = [_no_json(name) for name in sorted(os.environ) if not _is_read(name)]
    if in_vain := [*no_json, *_misplaced(path)]:
        raise ConfigurationInvalidError(defects + in_vain)
    defects += readable_secrets(path)
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # It knows the shapes of all files, which are not needed to read the settings.
        from config.shape_defects import shape_defects

        raise ConfigurationInvalidError(defects + shape_defects("settings", error)) from error
    except SettingsError as error:
        group = re.search(r'field "(\w+)"', str(error))
        name = f"{PREFIX}{group[1].upper()}" if group else PREFIX
        raise ConfigurationInvalidError([*defects, _no_json(name)]) from error
    except UNREADABLE as error:
        raise ConfigurationInvalidError([*defects, unreadable("settings.toml", error)]) from error
    if defects:
        raise ConfigurationInvalidError(defects)
    return settings


def language_to_fail_in(language: str | None, config: str | Path | None) -> Language:
    """The language of a reader whose settings cannot be used: the one given, else MPA_LANGUAGE, else the file's."""
    path, on_file = _settings_file(config), None
    with suppress(*UNREADABLE):
        on_file = tomllib.loads(path.read_text("utf-8")).get("language") if path.is_file() else None
    asked = (language, os.environ.get(f"{PREFIX}LANGUAGE"), on_file)
    return next((one for given in asked for one in Language if given == one), Language.EN)


def _no_json(variable: str) -> Defect:
    """The defect of a variable that holds a list or a group of settings and is no JSON."""
    return Defect(
        "environment",
        variable,
        said("A list or a group of settings is written as JSON in a variable."),
        said(
            'Write it so, such as ["10.0.0.1"] (in a shell between single quotes), or give it in settings.toml.'
        ),
    )


def _is_read(variable: str) -> bool:
    """Whether a variable needs not be JSON, or is."""
    kind = _kind_of(variable)
    if get_origin(kind) is not tuple and not _is_group(kind):
        return True
    try:
        json.loads(os.environ[variable] or "null")
    except (ValueError, RecursionError):
        return False
    return True


def _is_known(variable: str) -> bool:
    return _kind_of(variable) is not None


def _kind_of(variable: str) -> object:
    """The type of the setting or group that a variable names in capitals or small letters; None when it names none."""
    if not variable.upper().startswith(PREFIX):
        return None
    first, *rest = variable[len(PREFIX) :].lower().split("__")
    field = Settings.model_fields.get(first)
    if field is not None and rest:
        group = field.annotation
        field = group.model_fields.get(rest[0]) if len(rest) == 1 and _is_group(group) else None
    return field.annotation if field is not None else None


def _is_group(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
