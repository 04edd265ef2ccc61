"""Routes of signing in and of the settings of an account."""

from django.urls import URLPattern, path

from packhouse.accounts.views import addresses, elsewhere, registration, settings, sign_in


def associations(service: str) -> list[URLPattern]:
    """The way to *service* and back."""
    prefix, about = f"manage/account/associations/{service}", {"service": service}
    return [
        path(f"{prefix}/connect", elsewhere.connect, about, f"{service}-connect"),
        path(f"{prefix}/callback", elsewhere.callback, about, f"{service}-callback"),
    ]


urlpatterns = [
    path("account/login/", sign_in.sign_in, name="sign-in"),
    path("account/logout/", sign_in.sign_out, name="sign-out"),
    path("account/confirm-login/", sign_in.confirm_login, name="confirm-login"),
    path("account/reauthenticate/", sign_in.prove, name="reauthenticate"),
    path("account/sso/", elsewhere.sign_on, name="sso"),
    path("account/sso/callback/", elsewhere.sign_on_callback, name="sso-callback"),
    path("account/register/", registration.register, name="register"),
    path("account/request-password-reset/", registration.forgotten, name="forgotten"),
    path("account/reset-password/", registration.reset_password, name="reset-password"),
    path("account/restore/", registration.restore_account, name="restore-account"),
    path("account/view-terms-of-service/", registration.terms, name="terms-of-service"),
    path("account/verify-email/", addresses.verify, name="verify-email"),
    path("manage/unverified-account/", addresses.unverified, name="unverified-account"),
    path("manage/account/", settings.profile, name="account"),
    path("manage/account/emails/", addresses.addresses, name="addresses"),
    path("manage/account/emails/<int:number>/remove/", addresses.remove, name="address-remove"),
    path("manage/account/emails/<int:number>/primary/", addresses.make_primary, name="address-primary"),
    path("manage/account/emails/<int:number>/resend/", addresses.resend, name="address-resend"),
    path("manage/account/password/", settings.password, name="password"),
    path("manage/account/associations/", elsewhere.associations, name="associations"),
    path("manage/account/associations/<int:number>/disconnect/", elsewhere.disconnect, name="disconnect"),
    *associations("github"),
    *associations("gitlab"),
    path("manage/account/sessions/", settings.sessions, name="sessions"),
    path("manage/account/sessions/revoke-others/", settings.revoke_others, name="sessions-revoke-others"),
    path("manage/account/sessions/<int:number>/revoke/", settings.revoke_session, name="session-revoke"),
]
