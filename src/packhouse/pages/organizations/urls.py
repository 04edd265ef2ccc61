"""Routes of the pages on which people look after their organizations."""

from django.urls import path

from packhouse.pages.organizations import own, people, projects, settings, teams

HERE = "manage/organization/<str:organization>"
urlpatterns = [
    path("account/verify-organization-role/", own.invitation, name="organization-invitation"),
    path("manage/organizations/", own.own_organizations, name="organizations"),
    path("manage/organizations/new/", own.new_organization, name="organization-new"),
    path("manage/organizations/invitations/<int:number>/accept/", own.accept, name="organization-accept"),
    path("manage/organizations/invitations/<int:number>/decline/", own.decline, name="organization-decline"),
    path(f"{HERE}/settings/", settings.settings, name="organization-settings"),
    path(f"{HERE}/delete/", settings.delete, name="organization-delete"),
    path(f"{HERE}/history/", settings.history, name="organization-history"),
    path(f"{HERE}/projects/", projects.projects, name="organization-projects"),
    path(f"{HERE}/people/", people.people, name="organization-people"),
    path(f"{HERE}/people/<int:number>/role/", people.change_role, name="organization-role"),
    path(f"{HERE}/people/<int:number>/remove/", people.remove, name="organization-remove"),
    path(f"{HERE}/invitations/<int:number>/resend/", people.resend, name="organization-resend"),
    path(f"{HERE}/invitations/<int:number>/revoke/", people.revoke, name="organization-revoke"),
    path(f"{HERE}/teams/", teams.teams, name="organization-teams"),
    path(f"{HERE}/team/<str:team>/", teams.team, name="organization-team"),
    path(f"{HERE}/team/<str:team>/rename/", teams.rename, name="organization-team-rename"),
    path(f"{HERE}/team/<str:team>/delete/", teams.delete, name="organization-team-delete"),
    path(f"{HERE}/team/<str:team>/members/<int:number>/remove/", teams.remove, name="organization-team-remove"),
]
