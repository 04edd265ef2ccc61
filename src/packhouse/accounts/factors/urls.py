"""Routes of second factors: setting them up, and the step of signing in."""

from django.urls import path

from packhouse.accounts.factors import sign_in, views

urlpatterns = [
    path("manage/account/two-factor/", views.overview, name="two-factor-settings"),
    path("manage/account/two-factor/app/", views.set_up_app, name="two-factor-app"),
    path("manage/account/two-factor/app/code.svg", views.app_code, name="two-factor-app-code"),
    path("manage/account/two-factor/keys/add/", views.add_key, name="two-factor-add-key"),
    path("manage/account/two-factor/keys/options/<slug:kind>/", views.key_options, name="two-factor-key-options"),
    path("manage/account/two-factor/keys/<int:number>/", views.rename_key, name="two-factor-rename-key"),
    path("manage/account/two-factor/<int:number>/remove/", views.remove, name="two-factor-remove"),
    path("manage/account/two-factor/recovery-codes/", views.recovery_codes, name="recovery-codes"),
    path("account/two-factor/", sign_in.second_factor, name="second-factor"),
    path("account/two-factor/options/", sign_in.second_factor_options, name="second-factor-options"),
    path("account/passkey/", sign_in.passkey, name="passkey-sign-in"),
    path("account/passkey/options/", sign_in.passkey_options, name="passkey-options"),
]
