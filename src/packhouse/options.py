# ruff: noqa: RUF009 - the fields are declared by a function that adds what the reader must know of them
"""Everything an operator can set, declared once as a field of ``Config``; ``config`` reads it.

A field's name is the key in ``packhouse.toml``, the flag's name and, in capitals after ``PACKHOUSE_``, the environment
variable's.
"""

import secrets
from dataclasses import dataclass, fields
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from packhouse.base import values
from packhouse.base.declaring import DERIVED, Setting, about, setting
from packhouse.base.values import BOOLEAN, DURATION, NETWORKS, ORIGIN, PATH, RATE, SIZE, TEXT

DEFAULT_HOME: Final = "packhouse-data"
MIB: Final = 1024**2


class ConfigError(Exception):
    """A setting that cannot be used.  Its text names the setting, where its value came from, and what was expected."""

    def __init__(self, name: str, origin: str, problem: str) -> None:
        super().__init__(f"{name} ({origin}): {problem}")
        self.name = name
        self.origin = origin


PLACES, SERVING, POLICY, LIMITS, WATCHING = "Places", "Serving", "Policy", "Limits", "Watching"
ACCOUNTS: Final = "Accounts"
OTHER_ACCOUNTS: Final = "Accounts elsewhere"
TRUSTED_PUBLISHING: Final = "Trusted publishing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything an operator can set, validated.  Sizes are bytes, times are seconds unless the name says otherwise."""

    home: Path = setting(PLACES, "The folder that holds everything: database, files, keys, outgoing mail.", PATH)
    database: str = setting(
        PLACES,
        "The database: a SQLite file (`sqlite:///path`) or a PostgreSQL server (`postgresql://user:password@host/name`).",
        values.service("sqlite:///path", "postgresql://user@host/name"),
        derive=lambda config: f"sqlite://{config.home}/packhouse.db",
        derived_text="sqlite:///{home}/packhouse.db",
        secret=True,
    )
    files: str = setting(
        PLACES,
        "Where the uploaded files are kept: a folder (`file:///path`) or a bucket (`s3://bucket?endpoint=…`).",
        values.service("file:///path", "s3://bucket"),
        derive=lambda config: f"file://{config.home}/files",
        derived_text="file://{home}/files",
        secret=True,
    )
    file_delivery: str = setting(
        PLACES,
        "Files in a bucket: `proxy` sends them itself, `redirect` sends clients to the bucket with a signed address.",
        values.choice("proxy", "redirect"),
        "proxy",
    )
    cache: str = setting(
        PLACES,
        "Where rate limits and other short-lived state are kept.",
        values.service("database", "redis://host"),
        "database",
        secret=True,
    )
    tasks: str = setting(PLACES, "Where background tasks are queued.", values.service("database"), "database")
    mail: str = setting(
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
    search: str = setting(PLACES, "What answers searches.", values.service("database"), "database")
    purge: str = setting(
        PLACES,
        "The cache in front that is told of changes, so that it may keep pages until then: Varnish "
        "(`varnish://:secret@host:6081`; several hosts separated by commas), configured by what `packhouse vcl` "
        "prints, or Fastly (`fastly://token@service`). `?soft=0` removes pages instead of making them stale.",
        values.PURGE,
        "none://",
        secret=True,
    )
    secret_key: str = setting(
        PLACES,
        "The key that signs sessions and links. Made on the first start and kept in `{home}/secrets/secret-key`.",
        values.pattern(r"(?s).{32,}", "at least 32 characters"),
        derive=lambda _: secrets.token_hex(32),
        derived_text="made on the first start",
        secret=True,
    )

    site_name: str = setting(
        SERVING,
        "What this index is called, on its pages and in its letters.",
        values.pattern(r"[^\x00-\x1f\x7f<>\"]{1,60}", "at most 60 characters, on one line"),
        "Packhouse",
    )
    host: str = setting(
        SERVING, "The address to listen on. Anything but loopback is reachable by others.", TEXT, "127.0.0.1"
    )
    port: int = setting(SERVING, "The port to listen on.", values.whole_number(1, 65535), 8080)
    public_url: str = setting(
        SERVING,
        "The address people use. All links are made from it, never from what a request says.",
        ORIGIN,
        derive=lambda config: f"http://{_reachable(config.host)}:{config.port}",
        derived_text="http://{host}:{port}",
    )
    mail_from: str = setting(
        SERVING,
        "The address that letters come from. By default at the host of `public_url`.",
        values.pattern(r"[^@\s<>]+@[^@\s<>]+", "an e-mail address"),
        derive=lambda config: f"packhouse@{_mail_domain(config.public_url)}",
        derived_text="packhouse@{public_host}",
    )
    workers: int = setting(SERVING, "Server processes.", values.whole_number(1, 256), 2)
    threads: int = setting(
        SERVING, "Threads for web pages and uploads in each process.", values.whole_number(1, 256), 8
    )
    trusted_proxies: tuple[str, ...] = setting(
        SERVING,
        "Proxies in front, by network. Only theirs is the word on a client's address, in the header `proxy_header`.",
        NETWORKS,
        (),
    )
    proxy_header: str = setting(
        SERVING,
        "The header in which the proxies in front write the client's address. The other one is not believed: a proxy"
        " passes it on as the client sent it.",
        values.choice("x-forwarded-for", "forwarded"),
        "x-forwarded-for",
    )
    index_max_age: int = setting(
        SERVING,
        "How long clients may keep a simple page without asking again.",
        DURATION,
        derive=lambda config: 0 if config.purge == "none://" else 600,
        derived_text="0, or 600 when purge is set",
    )
    drain_notice: int = setting(
        SERVING, "On SIGTERM: how long to answer 503 at `/_ready/` before refusing new connections.", DURATION, 1
    )
    drain_seconds: int = setting(SERVING, "On SIGTERM: how long running requests may take to finish.", DURATION, 60)
    debug: bool = setting(SERVING, "Show errors in the browser. On a loopback address only.", BOOLEAN, False)

    token_prefix: str = setting(
        POLICY,
        "What API tokens begin with, for secret scanners to know them.",
        values.pattern(r"[a-z][a-z0-9]{1,19}", "2 to 20 lower-case letters and digits"),
        "packhouse",
    )
    release_open_days: int = setting(
        POLICY,
        "Days after a release's first file in which files may be added; 0 for no end.",
        values.whole_number(0, 36500),
        14,
    )
    deleted_file_days: int = setting(
        POLICY,
        "Days for which a deleted file can still be fetched by its address, before it leaves the store. One that is"
        " deleted in quarantine does so at once.",
        values.whole_number(0, 36500),
        1,
    )
    allow_local_versions: bool = setting(POLICY, "Accept versions with a local part (`1.0+local`).", BOOLEAN, False)
    allow_private_classifiers: bool = setting(
        POLICY,
        "Accept classifiers that begin with `Private ::`, which no public index takes.",
        BOOLEAN,
        False,
    )
    upload_creates_projects: bool = setting(
        POLICY, "Let the first upload of a new name create its project.", BOOLEAN, True
    )
    record_mismatch: str = setting(
        POLICY, "Wheels whose RECORD differs from their content.", values.choice("reject", "warn"), "reject"
    )
    require_two_factor: str = setting(
        POLICY,
        "Who must have a second factor: whoever publishes, everybody who signs in, or nobody.",
        values.choice("publishers", "everybody", "nobody"),
        "publishers",
    )
    vulnerability_keys: str = setting(
        POLICY,
        "Whose signed reports of vulnerabilities are taken: where the public keys of that reporter are, a JSON document"
        " in a file or at an address. By default nobody's.",
        values.service("none://", "file:///path", "https://host/path", "http://host/path"),
        "none://",
    )
    attestation_root: str = setting(
        POLICY,
        "The file with the trusted root by which attestations are verified (`trusted_root.json`), for a Sigstore of"
        " your own. By default that of the public one, as it came with this version of Packhouse.",
        values.JSON_FILE,
        "",
    )
    attestation_updates: bool = setting(
        POLICY,
        "Fetch the trusted root of the public Sigstore once a day from where Sigstore publishes it, instead of waiting"
        " for the next version of Packhouse. Not where `attestation_root` names one.",
        BOOLEAN,
        False,
    )
    mail_retention_days: int = setting(
        POLICY, "Days for which letters and their delivery are remembered.", values.whole_number(1, 3650), 90
    )

    image_proxy: bool = setting(
        POLICY,
        "Show the pictures of descriptions, fetched by this index from where they are; otherwise they are links.",
        BOOLEAN,
        False,
    )
    image_networks: tuple[str, ...] = setting(
        POLICY,
        "Networks inside of which pictures may be fetched although they are not public, on any port.",
        NETWORKS,
        (),
    )
    image_cache_size: int = setting(LIMITS, "The room for fetched pictures, in `{home}/cache/images`.", SIZE, 512 * MIB)

    new_projects_per_user: int = setting(
        LIMITS,
        "Projects that a user may start within an hour; 0 for no end.",
        values.whole_number(0, 1_000_000),
        20,
    )
    new_projects_per_address: int = setting(
        LIMITS,
        "Projects that may be started from one network address within an hour; 0 for no end.",
        values.whole_number(0, 1_000_000),
        40,
    )
    audit_retention_days: int = setting(
        POLICY,
        "Days for which the security history of accounts, projects and organizations is kept; 0 for ever.",
        values.whole_number(0, 36500),
        730,
    )
    registration: str = setting(
        ACCOUNTS,
        "Who may register: everybody, those with an invitation, or nobody.",
        values.choice("open", "invitation", "closed"),
        "open",
    )
    organizations: str = setting(
        ACCOUNTS,
        "Who starts organizations: every user with a verified address, users by a request that administrators answer"
        " (`packhouse organization requests`), or the operator alone (`packhouse organization create`).",
        values.choice("users", "request", "off"),
        "users",
    )
    captcha: str = setting(
        ACCOUNTS,
        "Who asks those who register, and were not invited, whether they are people: hCaptcha, reCAPTCHA (v2) or"
        " Turnstile. `?endpoint=` is another address to verify answers at.",
        values.CAPTCHA,
        "none://",
    )
    captcha_secret: str = setting(ACCOUNTS, "The secret key that goes with `captcha`.", TEXT, "", secret=True)
    breach_check: str = setting(
        ACCOUNTS,
        "Who is asked whether a password is known from a breach: a service with the range API of Have I Been Pwned."
        " It is told the first five digits of a hash. The most common passwords are always refused.",
        values.service("none://", "https://host", "http://host"),
        "none://",
    )
    allow_disposable_email: bool = setting(
        ACCOUNTS,
        "Accept addresses at domains of throw-away mail, of which a list comes with this version. The console"
        " prohibits others.",
        BOOLEAN,
        False,
    )
    mail_domain_check: str = setting(
        ACCOUNTS,
        "Who is asked whether the domain of a new address takes mail: the name servers of this machine (`dns://`) or"
        " another one (`dns://10.0.0.1`, `dns://10.0.0.1:53`). Where none answers, the address is accepted.",
        values.NAME_SERVER,
        "none://",
    )
    domain_status: str = setting(
        ACCOUNTS,
        "Who is asked, once a month, whether the domain of a verified address is still registered: a service with"
        " Fastly's domain status API, in full (`https://api.fastly.com/domain-management/v1/tools/status`).",
        values.service("none://", "https://host", "http://host"),
        "none://",
    )
    domain_status_key: str = setting(
        ACCOUNTS, "The key for `domain_status`, sent as `Fastly-Key`.", TEXT, "", secret=True
    )
    session_lifetime: int = setting(ACCOUNTS, "How long a session lasts without being used.", DURATION, 12 * 3600)
    account_restore_days: int = setting(
        ACCOUNTS, "Days in which a deleted account can be restored.", values.whole_number(1, 365), 14
    )
    terms_url: str = setting(ACCOUNTS, "The terms of service, which who registers agrees to.", ORIGIN, "")
    terms_revision: str = setting(ACCOUNTS, "The terms' revision. When it changes, everybody is told once.", TEXT, "1")
    sign_in_limit_user: str = setting(ACCOUNTS, "Failed sign-ins of one user name.", RATE, "10 per 5 minutes")
    sign_in_limit_address: str = setting(ACCOUNTS, "Failed sign-ins from one address.", RATE, "10 per 5 minutes")
    sign_in_limit_total: str = setting(ACCOUNTS, "All failed sign-ins.", RATE, "1000 per 5 minutes")
    second_factor_limit_user: str = setting(
        ACCOUNTS, "Failed second factors of one user.", RATE, "5 per 5 minutes; 20 per hour; 50 per day"
    )
    second_factor_limit_address: str = setting(
        ACCOUNTS, "Failed second factors from one address.", RATE, "10 per 5 minutes; 50 per hour"
    )
    email_add_limit: str = setting(
        ACCOUNTS, "E-mail addresses added, by registration or later, from one address.", RATE, "2 per day"
    )
    email_verify_limit: str = setting(ACCOUNTS, "Letters to verify an address, to one user.", RATE, "3 per 6 hours")
    email_change_limit: str = setting(
        ACCOUNTS, "Corrections of an address that was never verified.", RATE, "5 per 5 minutes; 20 per hour"
    )
    password_reset_limit: str = setting(ACCOUNTS, "Letters to reset a password, for one user.", RATE, "5 per day")

    sso_issuer: str = setting(
        OTHER_ACCOUNTS,
        "The issuer of an OpenID Connect provider for single sign-on, exactly as it calls itself.",
        values.pattern(r"https?://[^\s?#]+", "an http or https address"),
        "",
    )
    sso_name: str = setting(OTHER_ACCOUNTS, "What the provider is called on the sign-in page.", TEXT, "Single sign-on")
    sso_client_id: str = setting(OTHER_ACCOUNTS, "The name under which the provider knows this index.", TEXT, "")
    sso_client_secret: str = setting(
        OTHER_ACCOUNTS, "The secret that goes with `sso_client_id`.", TEXT, "", secret=True
    )
    github_client_id: str = setting(
        OTHER_ACCOUNTS, "The OAuth application with which people show which GitHub account is theirs.", TEXT, ""
    )
    github_client_secret: str = setting(
        OTHER_ACCOUNTS, "The secret that goes with `github_client_id`.", TEXT, "", secret=True
    )
    gitlab_url: str = setting(OTHER_ACCOUNTS, "The GitLab that is meant.", ORIGIN, "https://gitlab.com")
    gitlab_client_id: str = setting(
        OTHER_ACCOUNTS, "The OAuth application with which people show which GitLab account is theirs.", TEXT, ""
    )
    gitlab_client_secret: str = setting(
        OTHER_ACCOUNTS, "The secret that goes with `gitlab_client_id`.", TEXT, "", secret=True
    )

    oidc_audience: str = setting(
        TRUSTED_PUBLISHING,
        "For whom the identity tokens of jobs must be made. Clients ask for it; where it is the same for two indexes,"
        " a token for one is good at the other.",
        values.pattern(r"[\w.:/-]{1,200}", "letters, digits and the signs .:/-_"),
        derive=lambda config: urlsplit(config.public_url).netloc,
        derived_text="{public_host}",
    )
    oidc_issuers: tuple[str, ...] = setting(
        TRUSTED_PUBLISHING,
        "Issuers of one's own beside the public ones: self-managed GitLab and GitHub Enterprise servers, each exactly"
        " as its tokens name it.",
        values.ISSUERS,
        (),
    )
    github_api: str = setting(
        TRUSTED_PUBLISHING,
        "Who is asked for the number of a GitHub account when a publisher is added: GitHub's API"
        " (`https://api.github.com`). By default nobody; then people enter the number themselves.",
        values.service("none://", "https://host", "http://host"),
        "none://",
    )
    github_api_token: str = setting(
        TRUSTED_PUBLISHING, "The token for `github_api`, without which it answers less often.", TEXT, "", secret=True
    )
    publisher_limit: str = setting(
        TRUSTED_PUBLISHING, "Trusted publishers added by one user, and from one address.", RATE, "100 per day"
    )
    github_events: tuple[str, ...] = setting(
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

    file_size_limit: int = setting(LIMITS, "The largest file, unless a project is allowed more.", SIZE, 100 * MIB)
    project_size_limit: int = setting(LIMITS, "The size of all files of a project together.", SIZE, 10 * 1024 * MIB)
    max_header_size: int = setting(LIMITS, "The head of a request.", values.sizes(8192, MIB), 32768)
    max_body_size: int = setting(
        LIMITS,
        "The body of a request, and so the largest file that any project can be allowed.",
        SIZE,
        derive=lambda config: config.file_size_limit + 16 * MIB,
        derived_text="file_size_limit + 16MiB",
    )
    header_timeout: int = setting(LIMITS, "How long a client may take to send the head of a request.", DURATION, 10)
    idle_timeout: int = setting(
        LIMITS, "How long a client may pause while it sends a body or takes an answer.", DURATION, 30
    )
    min_body_rate: int = setting(LIMITS, "Bytes a second below which a sending client is cut off.", SIZE, 1024)
    upload_parts: int = setting(
        LIMITS, "Parts of an upload form: one for each value of each field.", values.whole_number(10, 100_000), 5000
    )
    text_field_limit: int = setting(LIMITS, "One text field of an upload form.", SIZE, MIB)
    document_cache_size: int = setting(LIMITS, "Memory of each process for hot documents.", SIZE, 64 * MIB)

    log_format: str = setting(
        WATCHING,
        "`auto` is `human` on a terminal and `json` elsewhere.",
        values.choice("auto", "human", "json"),
        "auto",
    )
    log_level: str = setting(
        WATCHING, "The least important message to log.", values.choice("debug", "info", "warning", "error"), "info"
    )
    access_log: bool = setting(WATCHING, "Log a line for each request.", BOOLEAN, True)
    metrics_port: int = setting(
        WATCHING, "Serve Prometheus metrics on this port of `host`; 0 for none.", values.whole_number(0, 65535), 0
    )
    metrics_token: str = setting(
        WATCHING,
        "Serve metrics at `/metrics` to whoever sends this bearer token.",
        values.pattern(r"\S{16,}", "at least 16 characters without spaces"),
        "",
        secret=True,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            derive = about(item).derive
            if derive and getattr(self, item.name) is DERIVED:
                object.__setattr__(self, item.name, derive(self))


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
