"""Routes of trusted publishing."""

from django.urls import path

from packhouse.publishers.views import exchange, pages

PROJECT = "manage/project/<name>/settings/publishing/"
ACCOUNT = "manage/account/publishing/"

urlpatterns = [
    path("_/oidc/audience", exchange.audience, name="oidc-audience"),
    path("_/oidc/mint-token", exchange.mint_token, name="oidc-mint-token"),
    path("_/oidc/github/mint-token", exchange.mint_token, name="oidc-mint-token-of-old-clients"),
    path("_/oidc/burn-token", exchange.burn_token, name="oidc-burn-token"),
    path(PROJECT, pages.of_project, name="project-publishing"),
    path(f"{PROJECT}<uuid:publisher_id>/remove/", pages.remove, name="remove-publisher"),
    path(f"{PROJECT}<uuid:publisher_id>/environment/", pages.constrain, name="constrain-publisher"),
    path(ACCOUNT, pages.of_account, name="pending-publishers"),
    path(f"{ACCOUNT}<uuid:pending_id>/remove/", pages.remove_pending, name="remove-pending-publisher"),
]
