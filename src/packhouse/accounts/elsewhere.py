"""Accounts elsewhere: single sign-on with an OpenID Connect provider, and GitHub or GitLab accounts that are one's own.

django-allauth speaks the protocols (authorization code with state and PKCE); what follows from an answer is ours:
``identified``.  Nothing is stored of the tokens that the services give.
"""

import hashlib
from typing import Any, Final, NoReturn

import jwt
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.gitlab.provider import GitLabProvider
from allauth.socialaccount.providers.gitlab.views import GitLabOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import Http404, HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string

GITHUB, GITLAB, SSO = "github", "gitlab", "sso"
NAMES: Final = {GITHUB: "GitHub", GITLAB: "GitLab"}
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY: Final = 60
"""Seconds by which clocks may differ."""
IDENTIFIED: Final = "packhouse.accounts.views.elsewhere.identified"


def is_set_up(service: str) -> bool:
    """Whether the configuration names the service's application."""
    return bool(getattr(settings.PACKHOUSE, f"{service}_client_id"))


def name_of(service: str) -> str:
    return NAMES.get(service) or settings.PACKHOUSE.sso_name


def provider_id(service: str) -> str:
    """Under what identities of the service are kept.  A subject means something together with its issuer alone."""
    if service != SSO:
        return service
    return f"sso-{hashlib.sha256(settings.PACKHOUSE.sso_issuer.encode()).hexdigest()[:16]}"


def service_of(provider: str) -> str:
    """The service of a stored identity."""
    return SSO if provider.startswith("sso-") else provider


class _AtOurAddress:
    """The address that the service sends people back to: the public one, whatever the request says."""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        route = f"{service_of(app.provider_id or app.provider)}-callback"
        return f"{settings.PACKHOUSE.public_url}{reverse(route)}"


class SingleSignOnAdapter(_AtOurAddress, OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Verifies every ID token (OpenID Connect Core 3.1.3.7), also one that came over a connection of our own."""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        try:
            claims = self._decode_id_token(app, kwargs["response"]["id_token"])
            userinfo = self._fetch_user_info(token.token)
            if userinfo["sub"] != claims["sub"]:  # OpenID Connect Core 5.3.2
                raise OAuth2Error("the user info is somebody else's")
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise OAuth2Error(f"{type(error).__name__}: {error}") from error
        return self.get_provider().sociallogin_from_response(request, {"userinfo": userinfo, "id_token": claims})

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            keys = jwt.PyJWKSet.from_dict(session.get(self.openid_config["jwks_uri"]).json()).keys
        named = jwt.get_unverified_header(id_token).get("kid")
        fitting = [key for key in keys if key.public_key_use in {None, "sig"} and named in {None, key.key_id}]
        if len(fitting) != 1:
            raise OAuth2Error("the ID token does not say which key has signed it")
        claims: dict[str, Any] = jwt.decode(
            id_token,
            fitting[0],
            algorithms=ALGORITHMS,
            audience=app.client_id,
            issuer=settings.PACKHOUSE.sso_issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        return claims


class GitHubAdapter(_AtOurAddress, GitHubOAuth2Adapter):  # type: ignore[misc]
    """GitHub."""


class GitLabAdapter(_AtOurAddress, GitLabOAuth2Adapter):  # type: ignore[misc]
    """GitLab, that of the setting ``gitlab_url``."""


class SingleSignOn(OpenIDConnectProvider):  # type: ignore[misc]
    oauth2_adapter_class = SingleSignOnAdapter
    pkce_enabled_default = True


class GitHub(GitHubProvider):  # type: ignore[misc]
    oauth2_adapter_class = GitHubAdapter
    pkce_enabled_default = True

    def get_default_scope(self) -> list[str]:
        return []


class GitLab(GitLabProvider):  # type: ignore[misc]
    oauth2_adapter_class = GitLabAdapter
    pkce_enabled_default = True


PROVIDERS: Final[dict[str, Any]] = {SSO: SingleSignOn, GITHUB: GitHub, GITLAB: GitLab}


def adapter_of(request: HttpRequest, service: str) -> Any:
    """What speaks to *service*.  Raises ``Http404`` where it is not set up."""
    if not is_set_up(service):
        raise Http404
    chosen = PROVIDERS[service].oauth2_adapter_class
    return chosen(request, provider_id(SSO)) if service == SSO else chosen(request)


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Services from the configuration, and our way of going on with an answer."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        config = settings.PACKHOUSE
        apps: dict[str, dict[str, Any]] = {
            SSO: {"settings": {"server_url": config.sso_issuer.rstrip("/")}, "name": config.sso_name},
            GITHUB: {"name": NAMES[GITHUB]},
            GITLAB: {"settings": {"gitlab_url": config.gitlab_url}, "name": NAMES[GITLAB]},
        }
        return [
            SocialApp(
                provider="openid_connect" if service == SSO else service,
                provider_id=provider_id(service),
                client_id=getattr(config, f"{service}_client_id"),
                secret=getattr(config, f"{service}_client_secret"),
                **more,
            )
            for service, more in apps.items()
            if is_set_up(service) and provider in {None, provider_id(service)}
        ]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        app = next(iter(self.list_apps(request, provider)), None)
        if app is None:
            raise Http404
        return PROVIDERS[service_of(provider)](request, app=app)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """An answer has been verified: from here on everything is ours."""
        raise ImmediateHttpResponse(import_string(IDENTIFIED)(request, sociallogin))

    def on_authentication_error(self, request: HttpRequest, provider: Any, **_more: Any) -> NoReturn:
        context = {"service": provider.name, "back": reverse("sign-in")}
        raise ImmediateHttpResponse(render(request, "accounts/elsewhere_failed.html", context, status=403))
