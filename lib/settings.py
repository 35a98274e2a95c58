"""Every setting, its default and its help, in one place.

Read from the environment, then from ``.env`` in the project folder.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from lib.errors import SettingsError
from lib.money import currencies

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people meet it."""

    name: str
    default: str
    help: str


SETTINGS = (
    Setting(
        "ENCORE_DATA_DIR",
        "data/local",
        "Folder for the order database, the mart and uploads; readable by its owner only.",
    ),
    Setting(
        "ENCORE_DATABASE_URL",
        "",
        "The order database: sqlite:///… or postgresql://…; empty: order.db in the data folder.",
    ),
    Setting("ENCORE_MART_URL", "", "The mart: duckdb:///FOLDER for its snapshots; empty: mart/ in the data folder."),
    Setting("ENCORE_STORE_NAME", "", "Name of the store; empty: as stored, else 'My store'."),
    Setting("ENCORE_STORE_TIME_ZONE", "", "The store's time zone, such as Europe/Berlin; empty: as stored, else UTC."),
    Setting(
        "ENCORE_STORE_CURRENCY",
        "",
        "The reporting currency, such as EUR; empty: as stored, else that of the first order.",
    ),
    Setting("ENCORE_STORE_COUNTRY", "", "Country whose holidays count, such as DE; empty: as stored, else none."),
    Setting("ENCORE_ADDRESS", "127.0.0.1", "Address the app listens on."),
    Setting("ENCORE_PORT", "8501", "Port the app listens on."),
    Setting(
        "ENCORE_PUBLIC_URL",
        "",
        "Address people open from elsewhere, such as https://encore.example.com; empty: only where it listens.",
    ),
    Setting("ENCORE_SESSION_IDLE_HOURS", "12", "Hours without a click after which one must sign in again."),
    Setting("ENCORE_SESSION_DAYS", "7", "Days after which everyone must sign in again."),
    Setting(
        "ENCORE_SECRET_KEY",
        "",
        "What the secrets of authenticators are sealed with, 16 characters or more; name it where several machines "
        "share a database; empty: the file secret.key in the data folder, made when first needed.",
    ),
    Setting("ENCORE_OIDC_ISSUER", "", "Address of an OpenID Connect provider to sign in with; empty: none."),
    Setting("ENCORE_OIDC_CLIENT_ID", "", "Encore's name at that provider."),
    Setting("ENCORE_OIDC_CLIENT_SECRET", "", "Encore's secret at that provider."),
    Setting("ENCORE_REFRESH_MINUTES", "5", "Minutes between two background refreshes of the mart; 0: only by command."),
    Setting(
        "ENCORE_SMTP_URL",
        "",
        "Mail server that sends, with user and password: smtps://… or smtp+starttls://…; smtp://… only on this machine;"
        " empty: no mail leaves.",
    ),
    Setting("ENCORE_MAIL_FROM", "", "Who mails come from, such as Corner Shop <help@shop.example>."),
    Setting("ENCORE_WEBHOOK_URL", "", "Address that is told by webhook, such as https://hooks.shop.example/encore."),
    Setting("ENCORE_WEBHOOK_SECRET", "", "What webhooks are signed with: 16 characters or more, known to both sides."),
    Setting(
        "ENCORE_WEBHOOK_ALLOW",
        "",
        "Private addresses or networks that webhooks may go to all the same, such as 10.0.0.5, 192.168.7.0/24.",
    ),
    Setting(
        "ENCORE_HOOK_SECRET",
        "",
        "What other programs sign with when they tell of bounces, unsubscribes and complaints at /hooks/contact: "
        "16 characters or more; empty: nothing is taken.",
    ),
    Setting("ENCORE_OFFERS_MINUTES", "15", "Minutes between two looks at who is due for an offer; 0: only by command."),
    Setting("ENCORE_OUTBOX_SECONDS", "10", "Seconds between two looks for what is to be sent; 0: only by command."),
    Setting(
        "ENCORE_IMAP_URL",
        "",
        "Mailbox to make tickets of: imaps://user:password@host/FOLDER, or imap://… on this machine alone.",
    ),
    Setting("ENCORE_IMAP_MARK_SEEN", "no", "yes: mark mails as seen once they are taken in; no: only read."),
    Setting("ENCORE_IMAP_MINUTES", "2", "Minutes between two looks into the mailbox; 0: only by command."),
    Setting(
        "ENCORE_MAIL_AUTHSERV",
        "",
        "Your mail server's name in Authentication-Results; only its word on senders counts. Empty: nobody's.",
    ),
    Setting("ENCORE_ATTACHMENT_LIMIT_MB", "10", "Largest file taken from a mail, in megabytes."),
    Setting("ENCORE_UPLOAD_LIMIT_MB", "2048", "Largest file, packed or unpacked, that an import takes, in megabytes."),
    Setting("ENCORE_MEMORY_LIMIT_MB", "1500", "Memory the mart's engine may use while it builds, in megabytes."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force. Empty store fields mean: as the store table says."""

    data_dir: Path
    database_url: str
    mart_url: str
    store_name: str
    store_time_zone: str
    store_currency: str
    store_country: str
    address: str
    port: int
    public_url: str
    session_idle_hours: float
    session_days: float
    secret_key: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    refresh_minutes: float
    smtp_url: str
    mail_from: str
    webhook_url: str
    webhook_secret: str
    webhook_allow: tuple[IPv4Network | IPv6Network, ...]
    hook_secret: str
    offers_minutes: float
    outbox_seconds: float
    imap_url: str
    imap_mark_seen: bool
    imap_minutes: float
    mail_authserv: str
    attachment_limit_mb: int
    upload_limit_mb: int
    memory_limit_mb: int

    @property
    def is_open(self) -> bool:
        """Whether others than the person at this machine can reach the app: then everybody signs in."""
        public = urlsplit(self.public_url).hostname or "localhost"
        return not (is_loopback(self.address) and is_loopback(public))

    @property
    def mart_dir(self) -> Path:
        """The folder that holds the mart's snapshots."""
        return Path(self.mart_url.removeprefix("duckdb:///"))

    @property
    def is_local(self) -> bool:
        """Whether the app listens to this machine alone."""
        return is_loopback(self.address)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine for itself alone; an empty one stands for every network."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Check and complete the settings.

    Raises:
        SettingsError: a value that makes no sense, naming the setting.
    """
    unknown = sorted(name for name in environment if name.startswith("ENCORE_") and name not in _KNOWN)
    if unknown:
        raise SettingsError(f"No setting is called {unknown[0]}. `python -m lib settings` lists them.")
    value = {s.name: environment.get(s.name, "").strip() or s.default for s in SETTINGS}
    data_dir = Path(value["ENCORE_DATA_DIR"])
    if not data_dir.is_absolute():
        data_dir = ROOT / data_dir
    zone = value["ENCORE_STORE_TIME_ZONE"]
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise SettingsError(
                f"ENCORE_STORE_TIME_ZONE={zone!r} is no time zone; write one such as Europe/Berlin."
            ) from error
    currency = value["ENCORE_STORE_CURRENCY"].upper()
    if currency and currency not in currencies():
        raise SettingsError(f"ENCORE_STORE_CURRENCY={currency!r} is no ISO currency; write one such as EUR.")
    database_url = value["ENCORE_DATABASE_URL"] or f"sqlite:///{data_dir / 'order.db'}"
    if database_url.startswith(("postgresql://", "postgres://")):
        database_url = "postgresql+psycopg://" + database_url.split("://", 1)[1]
    if not database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError("ENCORE_DATABASE_URL must start with sqlite:/// or postgresql://.")
    mart_url = value["ENCORE_MART_URL"] or f"duckdb:///{data_dir / 'mart'}"
    if not mart_url.startswith("duckdb:///"):
        raise SettingsError("ENCORE_MART_URL must start with duckdb:///.")
    oidc_issuer = _web_address("ENCORE_OIDC_ISSUER", value)
    if oidc_issuer and not (value["ENCORE_OIDC_CLIENT_ID"] and value["ENCORE_OIDC_CLIENT_SECRET"]):
        raise SettingsError("ENCORE_OIDC_ISSUER needs ENCORE_OIDC_CLIENT_ID and ENCORE_OIDC_CLIENT_SECRET beside it.")
    return Settings(
        data_dir=data_dir,
        database_url=database_url,
        mart_url=mart_url,
        store_name=value["ENCORE_STORE_NAME"],
        store_time_zone=zone,
        store_currency=currency,
        store_country=value["ENCORE_STORE_COUNTRY"].upper(),
        address=value["ENCORE_ADDRESS"],
        port=_whole("ENCORE_PORT", value, most=65_535),
        public_url=_web_address("ENCORE_PUBLIC_URL", value),
        session_idle_hours=_more_than_nothing("ENCORE_SESSION_IDLE_HOURS", value),
        session_days=_more_than_nothing("ENCORE_SESSION_DAYS", value),
        secret_key=_secret("ENCORE_SECRET_KEY", value),
        oidc_issuer=oidc_issuer,
        oidc_client_id=value["ENCORE_OIDC_CLIENT_ID"],
        oidc_client_secret=value["ENCORE_OIDC_CLIENT_SECRET"],
        refresh_minutes=_number("ENCORE_REFRESH_MINUTES", value),
        smtp_url=_server("ENCORE_SMTP_URL", value, ("smtp", "smtp+starttls", "smtps")),
        mail_from=_mail_from(value),
        webhook_url=_server("ENCORE_WEBHOOK_URL", value, ("https", "http")),
        webhook_secret=_secret("ENCORE_WEBHOOK_SECRET", value),
        webhook_allow=_networks("ENCORE_WEBHOOK_ALLOW", value),
        hook_secret=_secret("ENCORE_HOOK_SECRET", value),
        offers_minutes=_number("ENCORE_OFFERS_MINUTES", value),
        outbox_seconds=_number("ENCORE_OUTBOX_SECONDS", value),
        imap_url=_server("ENCORE_IMAP_URL", value, ("imap", "imaps")),
        imap_mark_seen=_yes("ENCORE_IMAP_MARK_SEEN", value),
        imap_minutes=_number("ENCORE_IMAP_MINUTES", value),
        mail_authserv=value["ENCORE_MAIL_AUTHSERV"].lower(),
        attachment_limit_mb=_whole("ENCORE_ATTACHMENT_LIMIT_MB", value),
        upload_limit_mb=_whole("ENCORE_UPLOAD_LIMIT_MB", value),
        memory_limit_mb=_whole("ENCORE_MEMORY_LIMIT_MB", value),
    )


# Read by the tests alone; listed so that it is not taken for a misspelt setting.
_KNOWN = {s.name for s in SETTINGS} | {"ENCORE_TEST_DATA", "ENCORE_TEST_DATABASE_URL"}


def _number(name: str, value: Mapping[str, str]) -> float:
    try:
        number = float(value[name])
    except ValueError as error:
        raise SettingsError(f"{name}={value[name]!r} is not a number.") from error
    if not 0 <= number < math.inf:
        raise SettingsError(f"{name}={value[name]!r} must be a number from 0 on.")
    return number


def _server(name: str, value: Mapping[str, str], schemes: tuple[str, ...]) -> str:
    """The address of a server; what it is written as stays out of the refusal, for it may hold a password."""
    written = value[name]
    try:
        parts = urlsplit(written)
        is_sound = not written or (parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0)
    except ValueError:
        is_sound = False
    if not is_sound:
        raise SettingsError(
            f"{name} must be an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}; "
            "signs such as @ or / in a password are written as %40 or %2F."
        )
    return written


def _mail_from(value: Mapping[str, str]) -> str:
    written = value["ENCORE_MAIL_FROM"]
    _, address = parseaddr(written)
    if written and (address.count("@") != 1 or not address.isascii() or not written.isprintable()):
        raise SettingsError("ENCORE_MAIL_FROM must be an address, such as Corner Shop <help@shop.example>.")
    if value["ENCORE_SMTP_URL"] and not written:
        raise SettingsError("ENCORE_SMTP_URL is set, so ENCORE_MAIL_FROM must say who mails come from.")
    return written


def _secret(name: str, value: Mapping[str, str]) -> str:
    if value[name] and len(value[name]) < 16:
        raise SettingsError(f"{name} is too short: 16 characters or more, such as `openssl rand -hex 32` prints.")
    if name == "ENCORE_WEBHOOK_SECRET" and value["ENCORE_WEBHOOK_URL"] and not value[name]:
        raise SettingsError(f"ENCORE_WEBHOOK_URL is set, so {name} must hold what webhooks are signed with.")
    return value[name]


def _networks(name: str, value: Mapping[str, str]) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value[name].split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(f"{name} must list addresses or networks, such as 10.0.0.5, 192.168.7.0/24.") from error


def _yes(name: str, value: Mapping[str, str]) -> bool:
    written = value[name].lower()
    if written not in {"yes", "no"}:
        raise SettingsError(f"{name}={value[name]!r} must be yes or no.")
    return written == "yes"


def _more_than_nothing(name: str, value: Mapping[str, str]) -> float:
    number = _number(name, value)
    if not number:
        raise SettingsError(f"{name} must be more than 0.")
    return number


def _web_address(name: str, value: Mapping[str, str]) -> str:
    """An address without a slash at its end; empty when none is set."""
    address = value[name].rstrip("/")
    try:
        parts = urlsplit(address)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query + parts.fragment
    except ValueError:
        is_sound = False
    if address and not is_sound:
        raise SettingsError(f"{name}={value[name]!r} is no address; write one such as https://encore.example.com.")
    return address


def _whole(name: str, value: Mapping[str, str], *, most: int | None = None) -> int:
    number = _number(name, value)
    if number != int(number) or (most is not None and number > most):
        upto = "" if most is None else f" up to {most}"
        raise SettingsError(f"{name}={value[name]!r} must be a whole number{upto}.")
    return int(number)


def chosen() -> dict[str, str]:
    """The settings that somebody chose, as written: the environment first, then ``.env``."""
    written = {k: v for k, v in dotenv_values(ROOT / ".env").items() if v is not None and k.startswith("ENCORE_")}
    return {**written, **{k: v for k, v in os.environ.items() if k.startswith("ENCORE_")}}


@cache
def settings() -> Settings:
    """The settings of this process: the environment first, then ``.env``."""
    return read_settings(chosen())
