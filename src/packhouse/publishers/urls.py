"""Routes of trusted publishing."""

from django.urls import path

from packhouse.publishers.views import exchange

urlpatterns = [
    path("_/oidc/audience", exchange.audience, name="oidc-audience"),
    path("_/oidc/mint-token", exchange.mint_token, name="oidc-mint-token"),
    path("_/oidc/github/mint-token", exchange.mint_token, name="oidc-mint-token-of-old-clients"),
    path("_/oidc/burn-token", exchange.burn_token, name="oidc-burn-token"),
]
