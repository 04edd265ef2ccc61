"""Routes of API tokens in account settings."""

from django.urls import path

from packhouse.tokens import views

urlpatterns = [
    path("manage/account/token/", views.tokens, name="tokens"),
    path("manage/account/token/create/", views.create, name="create-token"),
    path("manage/account/token/<uuid:token_id>/delete/", views.delete, name="delete-token"),
]
