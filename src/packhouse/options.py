# ruff: noqa: RUF009 - the fields are declared by a function that adds what the reader must know of them
"""Everything an operator can set, declared once as a field of ``Config``; ``config`` reads it.

A field's name is the key in ``packhouse.toml``, the flag's name and, in capitals after ``PACKHOUSE_``, the environment
variable's.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from packhouse.base import values
from packhouse.base.values import BOOLEAN, DURATION, NETWORKS, ORIGIN, PATH, RATE, SIZE, TEXT, Kind

DEFAULT_HOME: Final = "packhouse-data"
MIB: Final = 1024**2
_DERIVED: Final[Any] = None


class ConfigError(Exception):
    """A setting that cannot be used.  Its text names the setting, where its value came from, and what was expected."""

    def __init__(self, name: str, origin: str, problem: str) -> None:
        super().__init__(f"{name} ({origin}): {problem}")
        self.name = name
        self.origin = origin


@dataclass(frozen=True, slots=True)
class Setting:
    """What is declared about one field of ``Config``."""

    group: str
    help: str
    kind: Kind
    secret: bool = False
    derive: Callable[["Config"], Any] | None = None
    derived_text: str = ""


def _setting(
    group: str,
    help: str,  # noqa: A002
    kind: Kind,
    default: Any = MISSING,
    *,
    derive: Callable[["Config"], Any] | None = None,
    derived_text: str = "",
    secret: bool = False,
) -> Any:
    about = Setting(group, help, kind, secret, derive, derived_text)
    if derive:
        default = _DERIVED
    return field(default=default, repr=not secret, metadata={"setting": about})


PLACES, SERVING, POLICY, LIMITS, WATCHING = "Places", "Serving", "Policy", "Limits", "Watching"
ACCOUNTS: Final = "Accounts"
OTHER_ACCOUNTS: Final = "Accounts elsewhere"
TRUSTED_PUBLISHING: Final = "Trusted publishing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything an operator can set, validated.  Sizes are bytes, times are seconds unless the name says otherwise."""

    home: Path = _setting(PLACES, "The folder that holds everything: database, files, keys, outgoing mail.", PATH)
    database: str = _setting(
        PLACES,
        "The database: a SQLite file (`sqlite:///path`) or a PostgreSQL server (`postgresql://user:password@host/name`).",
        values.service("sqlite:///path", "postgresql://user@host/name"),
        derive=lambda config: f"sqlite://{config.home}/packhouse.db",
        derived_text="sqlite:///{home}/packhouse.db",
        secret=True,
    )
    files: str = _setting(
        PLACES,
        "Where the uploaded files are kept: a folder (`file:///path`) or a bucket (`s3://bucket?endpoint=…`).",
        values.service("file:///path", "s3://bucket"),
        derive=lambda config: f"file://{config.home}/files",
        derived_text="file://{home}/files",
        secret=True,
    )
    file_delivery: str = _setting(
        PLACES,
        "Files in a bucket: `proxy` sends them itself, `redirect` sends clients to the bucket with a signed address.",
        values.choice("proxy", "redirect"),
        "proxy",
    )
    cache: str = _setting(
        PLACES,
        "Where rate limits and other short-lived state are kept.",
        values.service("database", "redis://host"),
        "database",
        secret=True,
    )
    tasks: str = _setting(PLACES, "Where background tasks are queued.", values.service("database"), "database")
    mail: str = _setting(
        PLACES,
        "How letters leave: into a folder, where the console shows them (`file:///path`); to a mail server that must "
        "offer STARTTLS (`smtp://user:password@host:587`; `?insecure=1` waives that) or speaks TLS at once "
        "(`smtps://…`); to Amazon SES (`ses://region`, `ses://key:secret@region`; `?topic=ARN` names the SNS topic "
        "that is believed).",
        values.MAIL,
        derive=lambda config: f"file://{config.home}/outbox",
        derived_text="file://{home}/outbox",
        secret=True,
    )
    search: str = _setting(PLACES, "What answers searches.", values.service("database"), "database")
    purge: str = _setting(
        PLACES,
        "The cache in front that is told of changes, so that it may keep pages until then: Varnish "
        "(`varnish://:secret@host:6081`; several hosts separated by commas), configured by what `packhouse vcl` "
        "prints, or Fastly (`fastly://token@service`). `?soft=0` removes pages instead of making them stale.",
        values.PURGE,
        "none://",
        secret=True,
    )
    secret_key: str = _setting(
        PLACES,
        "The key that signs sessions and links. Made on the first start and kept in `{home}/secrets/secret-key`.",
        values.pattern(r"(?s).{32,}", "at least 32 characters"),
        derive=lambda _: secrets.token_hex(32),
        derived_text="made on the first start",
        secret=True,
    )

    site_name: str = _setting(
        SERVING,
        "What this index is called, on its pages and in its letters.",
        values.pattern(r"[^\x00-\x1f\x7f<>\"]{1,60}", "at most 60 characters, on one line"),
        "Packhouse",
    )
    host: str = _setting(
        SERVING, "The address to listen on. Anything but loopback is reachable by others.", TEXT, "127.0.0.1"
    )
    port: int = _setting(SERVING, "The port to listen on.", values.whole_number(1, 65535), 8080)
    public_url: str = _setting(
        SERVING,
        "The address people use. All links are made from it, never from what a request says.",
        ORIGIN,
        derive=lambda config: f"http://{_reachable(config.host)}:{config.port}",
        derived_text="http://{host}:{port}",
    )
    mail_from: str = _setting(
        SERVING,
        "The address that letters come from. By default at the host of `public_url`.",
        values.pattern(r"[^@\s<>]+@[^@\s<>]+", "an e-mail address"),
        derive=lambda config: f"packhouse@{_mail_domain(config.public_url)}",
        derived_text="packhouse@{public_host}",
    )
    workers: int = _setting(SERVING, "Server processes.", values.whole_number(1, 256), 2)
    threads: int = _setting(
        SERVING, "Threads for web pages and uploads in each process.", values.whole_number(1, 256), 8
    )
    trusted_proxies: tuple[str, ...] = _setting(
        SERVING,
        "Proxies in front, by network. Only theirs is the word on a client's address, in the header `proxy_header`.",
        NETWORKS,
        (),
    )
    proxy_header: str = _setting(
        SERVING,
        "The header in which the proxies in front write the client's address. The other one is not believed: a proxy"
        " passes it on as the client sent it.",
        values.choice("x-forwarded-for", "forwarded"),
        "x-forwarded-for",
    )
    index_max_age: int = _setting(
        SERVING,
        "How long clients may keep a simple page without asking again.",
        DURATION,
        derive=lambda config: 0 if config.purge == "none://" else 600,
        derived_text="0, or 600 when purge is set",
    )
    drain_notice: int = _setting(
        SERVING, "On SIGTERM: how long to answer 503 at `/_ready/` before refusing new connections.", DURATION, 1
    )
    drain_seconds: int = _setting(SERVING, "On SIGTERM: how long running requests may take to finish.", DURATION, 60)
    debug: bool = _setting(SERVING, "Show errors in the browser. On a loopback address only.", BOOLEAN, False)

    token_prefix: str = _setting(
        POLICY,
        "What API tokens begin with, for secret scanners to know them.",
        values.pattern(r"[a-z][a-z0-9]{1,19}", "2 to 20 lower-case letters and digits"),
        "packhouse",
    )
    release_open_days: int = _setting(
        POLICY,
        "Days after a release's first file in which files may be added; 0 for no end.",
        values.whole_number(0, 36500),
        14,
    )
    allow_local_versions: bool = _setting(POLICY, "Accept versions with a local part (`1.0+local`).", BOOLEAN, False)
    allow_private_classifiers: bool = _setting(
        POLICY,
        "Accept classifiers that begin with `Private ::`, which no public index takes.",
        BOOLEAN,
        False,
    )
    upload_creates_projects: bool = _setting(
        POLICY, "Let the first upload of a new name create its project.", BOOLEAN, True
    )
    record_mismatch: str = _setting(
        POLICY, "Wheels whose RECORD differs from their content.", values.choice("reject", "warn"), "reject"
    )
    require_two_factor: str = _setting(
        POLICY,
        "Who must have a second factor: whoever publishes, everybody who signs in, or nobody.",
        values.choice("publishers", "everybody", "nobody"),
        "publishers",
    )
    vulnerability_keys: str = _setting(
        POLICY,
        "Whose signed reports of vulnerabilities are taken: where the public keys of that reporter are, a JSON document"
        " in a file or at an address. By default nobody's.",
        values.service("none://", "file:///path", "https://host/path", "http://host/path"),
        "none://",
    )
    attestation_root: str = _setting(
        POLICY,
        "The file with the trusted root by which attestations are verified (`trusted_root.json`), for a Sigstore of"
        " your own. By default that of the public one, as it came with this version of Packhouse.",
        values.JSON_FILE,
        "",
    )
    attestation_updates: bool = _setting(
        POLICY,
        "Fetch the trusted root of the public Sigstore once a day from where Sigstore publishes it, instead of waiting"
        " for the next version of Packhouse. Not where `attestation_root` names one.",
        BOOLEAN,
        False,
    )
    mail_retention_days: int = _setting(
        POLICY, "Days for which letters and their delivery are remembered.", values.whole_number(1, 3650), 90
    )

    image_proxy: bool = _setting(
        POLICY,
        "Show the pictures of descriptions, fetched by this index from where they are; otherwise they are links.",
        BOOLEAN,
        False,
    )
    image_networks: tuple[str, ...] = _setting(
        POLICY,
        "Networks inside of which pictures may be fetched although they are not public, on any port.",
        NETWORKS,
        (),
    )
    image_cache_size: int = _setting(
        LIMITS, "The room for fetched pictures, in `{home}/cache/images`.", SIZE, 512 * MIB
    )

    new_projects_per_user: int = _setting(
        LIMITS,
        "Projects that a user may start within an hour; 0 for no end.",
        values.whole_number(0, 1_000_000),
        20,
    )
    new_projects_per_address: int = _setting(
        LIMITS,
        "Projects that may be started from one network address within an hour; 0 for no end.",
        values.whole_number(0, 1_000_000),
        40,
    )
    audit_retention_days: int = _setting(
        POLICY,
        "Days for which the security history of accounts, projects and organizations is kept; 0 for ever.",
        values.whole_number(0, 36500),
        730,
    )
    registration: str = _setting(
        ACCOUNTS,
        "Who may register: everybody, those with an invitation, or nobody.",
        values.choice("open", "invitation", "closed"),
        "open",
    )
    organizations: str = _setting(
        ACCOUNTS,
        "Who starts organizations: every user with a verified address, users by a request that administrators answer"
        " (`packhouse organization requests`), or the operator alone (`packhouse organization create`).",
        values.choice("users", "request", "off"),
        "users",
    )
    captcha: str = _setting(
        ACCOUNTS,
        "Who asks those who register, and were not invited, whether they are people: hCaptcha, reCAPTCHA (v2) or"
        " Turnstile. `?endpoint=` is another address to verify answers at.",
        values.CAPTCHA,
        "none://",
    )
    captcha_secret: str = _setting(ACCOUNTS, "The secret key that goes with `captcha`.", TEXT, "", secret=True)
    breach_check: str = _setting(
        ACCOUNTS,
        "Who is asked whether a password is known from a breach: a service with the range API of Have I Been Pwned."
        " It is told the first five digits of a hash. The most common passwords are always refused.",
        values.service("none://", "https://host", "http://host"),
        "none://",
    )
    allow_disposable_email: bool = _setting(
        ACCOUNTS,
        "Accept addresses at domains of throw-away mail, of which a list comes with this version. The console"
        " prohibits others.",
        BOOLEAN,
        False,
    )
    mail_domain_check: str = _setting(
        ACCOUNTS,
        "Who is asked whether the domain of a new address takes mail: the name servers of this machine (`dns://`) or"
        " another one (`dns://10.0.0.1`, `dns://10.0.0.1:53`). Where none answers, the address is accepted.",
        values.NAME_SERVER,
        "none://",
    )
    domain_status: str = _setting(
        ACCOUNTS,
        "Who is asked, once a month, whether the domain of a verified address is still registered: a service with"
        " Fastly's domain status API, in full (`https://api.fastly.com/domain-management/v1/tools/status`).",
        values.service("none://", "https://host", "http://host"),
        "none://",
    )
    domain_status_key: str = _setting(
        ACCOUNTS, "The key for `domain_status`, sent as `Fastly-Key`.", TEXT, "", secret=True
    )
    session_lifetime: int = _setting(ACCOUNTS, "How long a session lasts without being used.", DURATION, 12 * 3600)
    account_restore_days: int = _setting(
        ACCOUNTS, "Days in which a deleted account can be restored.", values.whole_number(1, 365), 14
    )
    terms_url: str = _setting(ACCOUNTS, "The terms of service, which who registers agrees to.", ORIGIN, "")
    terms_revision: str = _setting(ACCOUNTS, "The terms' revision. When it changes, everybody is told once.", TEXT, "1")
    sign_in_limit_user: str = _setting(ACCOUNTS, "Failed sign-ins of one user name.", RATE, "10 per 5 minutes")
    sign_in_limit_address: str = _setting(ACCOUNTS, "Failed sign-ins from one address.", RATE, "10 per 5 minutes")
    sign_in_limit_total: str = _setting(ACCOUNTS, "All failed sign-ins.", RATE, "1000 per 5 minutes")
    second_factor_limit_user: str = _setting(
        ACCOUNTS, "Failed second factors of one user.", RATE, "5 per 5 minutes; 20 per hour; 50 per day"
    )
    second_factor_limit_address: str = _setting(
        ACCOUNTS, "Failed second factors from one address.", RATE, "10 per 5 minutes; 50 per hour"
    )
    email_add_limit: str = _setting(
        ACCOUNTS, "E-mail addresses added, by registration or later, from one address.", RATE, "2 per day"
    )
    email_verify_limit: str = _setting(ACCOUNTS, "Letters to verify an address, to one user.", RATE, "3 per 6 hours")
    email_change_limit: str = _setting(
        ACCOUNTS, "Corrections of an address that was never verified.", RATE, "5 per 5 minutes; 20 per hour"
    )
    password_reset_limit: str = _setting(ACCOUNTS, "Letters to reset a password, for one user.", RATE, "5 per day")

    sso_issuer: str = _setting(
        OTHER_ACCOUNTS,
        "The issuer of an OpenID Connect provider for single sign-on, exactly as it calls itself.",
        values.pattern(r"https?://[^\s?#]+", "an http or https address"),
        "",
    )
    sso_name: str = _setting(OTHER_ACCOUNTS, "What the provider is called on the sign-in page.", TEXT, "Single sign-on")
    sso_client_id: str = _setting(OTHER_ACCOUNTS, "The name under which the provider knows this index.", TEXT, "")
    sso_client_secret: str = _setting(
        OTHER_ACCOUNTS, "The secret that goes with `sso_client_id`.", TEXT, "", secret=True
    )
    github_client_id: str = _setting(
        OTHER_ACCOUNTS, "The OAuth application with which people show which GitHub account is theirs.", TEXT, ""
    )
    github_client_secret: str = _setting(
        OTHER_ACCOUNTS, "The secret that goes with `github_client_id`.", TEXT, "", secret=True
    )
    gitlab_url: str = _setting(OTHER_ACCOUNTS, "The GitLab that is meant.", ORIGIN, "https://gitlab.com")
    gitlab_client_id: str = _setting(
        OTHER_ACCOUNTS, "The OAuth application with which people show which GitLab account is theirs.", TEXT, ""
    )
    gitlab_client_secret: str = _setting(
        OTHER_ACCOUNTS, "The secret that goes with `gitlab_client_id`.", TEXT, "", secret=True
    )

    oidc_audience: str = _setting(
        TRUSTED_PUBLISHING,
        "For whom the identity tokens of jobs must be made. Clients ask for it; where it is the same for two indexes,"
        " a token for one is good at the other.",
        values.pattern(r"[\w.:/-]{1,200}", "letters, digits and the signs .:/-_"),
        derive=lambda config: urlsplit(config.public_url).netloc,
        derived_text="{public_host}",
    )
    oidc_issuers: tuple[str, ...] = _setting(
        TRUSTED_PUBLISHING,
        "Issuers of one's own beside the public ones: self-managed GitLab and GitHub Enterprise servers, each exactly"
        " as its tokens name it.",
        values.ISSUERS,
        (),
    )
    github_api: str = _setting(
        TRUSTED_PUBLISHING,
        "Who is asked for the number of a GitHub account when a publisher is added: GitHub's API"
        " (`https://api.github.com`). By default nobody; then people enter the number themselves.",
        values.service("none://", "https://host", "http://host"),
        "none://",
    )
    github_api_token: str = _setting(
        TRUSTED_PUBLISHING, "The token for `github_api`, without which it answers less often.", TEXT, "", secret=True
    )
    publisher_limit: str = _setting(
        TRUSTED_PUBLISHING, "Trusted publishers added by one user, and from one address.", RATE, "100 per day"
    )
    github_events: tuple[str, ...] = _setting(
        TRUSTED_PUBLISHING,
        "What may have started a job of GitHub that publishes. `pull_request_target` and `workflow_run` are missing,"
        " because they run with rights of the repository on what strangers may have sent.",
        values.WORDS,
        (
            "push",
            "release",
            "workflow_dispatch",
            "repository_dispatch",
            "schedule",
            "create",
            "deployment",
            "deployment_status",
            "merge_group",
            "pull_request",
            "workflow_call",
        ),
    )

    file_size_limit: int = _setting(LIMITS, "The largest file, unless a project is allowed more.", SIZE, 100 * MIB)
    project_size_limit: int = _setting(LIMITS, "The size of all files of a project together.", SIZE, 10 * 1024 * MIB)
    max_header_size: int = _setting(LIMITS, "The head of a request.", values.sizes(8192, MIB), 32768)
    max_body_size: int = _setting(
        LIMITS,
        "The body of a request, and so the largest file that any project can be allowed.",
        SIZE,
        derive=lambda config: config.file_size_limit + 16 * MIB,
        derived_text="file_size_limit + 16MiB",
    )
    header_timeout: int = _setting(LIMITS, "How long a client may take to send the head of a request.", DURATION, 10)
    idle_timeout: int = _setting(
        LIMITS, "How long a client may pause while it sends a body or takes an answer.", DURATION, 30
    )
    min_body_rate: int = _setting(LIMITS, "Bytes a second below which a sending client is cut off.", SIZE, 1024)
    upload_parts: int = _setting(
        LIMITS, "Parts of an upload form: one for each value of each field.", values.whole_number(10, 100_000), 5000
    )
    text_field_limit: int = _setting(LIMITS, "One text field of an upload form.", SIZE, MIB)
    document_cache_size: int = _setting(LIMITS, "Memory of each process for hot documents.", SIZE, 64 * MIB)

    log_format: str = _setting(
        WATCHING,
        "`auto` is `human` on a terminal and `json` elsewhere.",
        values.choice("auto", "human", "json"),
        "auto",
    )
    log_level: str = _setting(
        WATCHING, "The least important message to log.", values.choice("debug", "info", "warning", "error"), "info"
    )
    access_log: bool = _setting(WATCHING, "Log a line for each request.", BOOLEAN, True)
    metrics_port: int = _setting(
        WATCHING, "Serve Prometheus metrics on this port of `host`; 0 for none.", values.whole_number(0, 65535), 0
    )
    metrics_token: str = _setting(
        WATCHING,
        "Serve metrics at `/metrics` to whoever sends this bearer token.",
        values.pattern(r"\S{16,}", "at least 16 characters without spaces"),
        "",
        secret=True,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            derive = about(item).derive
            if derive and getattr(self, item.name) is _DERIVED:
                object.__setattr__(self, item.name, derive(self))


def about(item: "Field[Any]") -> Setting:
    """What is declared about the field *item* of ``Config``."""
    declared: Setting = item.metadata["setting"]
    return declared


@cache
def declared() -> dict[str, Setting]:
    """All settings by name, in the order of their declaration."""
    return {item.name: about(item) for item in fields(Config)}


def default_text(name: str) -> str:
    """The default of the setting *name* as an operator would write it, or, in words, how it is made."""
    setting = declared()[name]
    if name == "home":
        return DEFAULT_HOME
    if setting.derive:
        return setting.derived_text
    default = next(item.default for item in fields(Config) if item.name == name)
    return setting.kind.show(default)


def without_secrets(setting: Setting, text: str) -> str:
    """*text*, a value of *setting*, as it may be shown."""
    if not setting.secret or not text:
        return text
    if text == "database":
        return text
    return _hidden(text) if re.match(r"[a-z0-9]+://", text) else "(hidden)"


def _hidden(value: str) -> str:
    """*value* without what an address may carry in secret: user information and query."""
    scheme, _, rest = value.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _mail_domain(public_url: str) -> str:
    host = urlsplit(public_url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"


def _reachable(host: str) -> str:
    """*host* as it can stand in an address: IPv6 in brackets, ``localhost`` for "all interfaces"."""
    if host in {"0.0.0.0", "::", "[::]"}:  # noqa: S104
        return "localhost"
    return f"[{host}]" if ":" in host else host
