"""Routes of the public site."""

from django.urls import path

from packhouse.pages import account_deletion, own_projects, project_access, public, security_history, style
from packhouse.pages.organizations import urls as organizations
from packhouse.pages.setup import views as setup

urlpatterns = [
    *public.urlpatterns,
    path("manage/account/delete/", account_deletion.delete_account, name="account-delete"),
    path("manage/account/history/", security_history.security_history, name="security-history"),
    *organizations.urlpatterns,
    *project_access.urlpatterns,
    path("manage/projects/", own_projects.own_projects, name="own-projects"),
    path("setup/", setup.about_the_index, name="setup"),
    path("setup/clients/", setup.clients, name="setup-clients"),
    path("setup/<str:token>", setup.administrator, name="setup-administrator"),
    path("_style/", style.style, name="style"),
    path("_style/confirm/", style.confirm, name="style-confirm"),
    path("_style/error/<int:status>/", style.error, name="style-error"),
]
