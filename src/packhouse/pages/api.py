"""The REST API: the routers of the rooms under ``/api/v1/``, described at ``/api/v1/openapi.json``."""

from ninja import NinjaAPI

from packhouse.pages import project_api
from packhouse.tokens.api import router as tokens

api = NinjaAPI(
    title="Packhouse",
    version="1",
    description="Manage what you publish. Installers read the simple and the JSON API instead.",
    docs_url=None,  # the viewer would come from elsewhere
    urls_namespace="api-v1",
)
api.add_router("/account", project_api.account_router)
api.add_router("/projects", project_api.router)
api.add_router("/tokens", tokens)
