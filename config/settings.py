"""The program's settings: environment variables MPA_…, else settings.toml of the configuration directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

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
    TomlConfigSettingsSource,
)

from config.defects import ConfigurationInvalidError, Defect, shape_defects
from config.language import Language
from config.secrecy import readable_secrets

__all__ = [
    "DEFAULT_DIR",
    "LOOPBACK",
    "ConsoleSettings",
    "DaemonSettings",
    "IntakeSettings",
    "MailSettings",
    "Settings",
    "load_settings",
]

PREFIX = "MPA_"
DEFAULT_DIR = Path(__file__).parent
"""The configuration that is shipped."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


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
            raise ValueError(
                "security = 'none' is only for a mail server on this machine; use 'starttls' or 'tls'"
            )
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
        if url is None:
            return None
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            raise ValueError("url is scheme and host only, as 'https://console.hospital.example'")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("url must begin with https://; without TLS the console is for this machine only")
        return f"{parts.scheme}://{parts.netloc}"


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


def load_settings(**given: Any) -> Settings:
    """The settings; `given` (from the command line) wins over the environment, that over the file.

    Raises ConfigurationInvalidError with every defect, an MPA_… variable that means nothing included.
    """
    defects = [
        Defect(
            "environment",
            name,
            "This variable means nothing to mpa-monitor.",
            "Remove it or correct its name.",
        )
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and not _is_known(name)
    ]
    defects += readable_secrets(_settings_file(given.get("config")))
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationInvalidError(defects + shape_defects("settings", error)) from error
    except ValueError as error:  # a settings.toml that is not TOML
        raise ConfigurationInvalidError(
            [*defects, Defect("settings.toml", "file", f"{error}.", "Correct it.")]
        ) from error
    if defects:
        raise ConfigurationInvalidError(defects)
    return settings


def _is_known(variable: str) -> bool:
    first, *rest = variable.removeprefix(PREFIX).lower().split("__")
    field = Settings.model_fields.get(first)
    if field is None:
        return False
    group = field.annotation
    if rest and isinstance(group, type) and issubclass(group, BaseModel):
        return len(rest) == 1 and rest[0] in group.model_fields
    return not rest
