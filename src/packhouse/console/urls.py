"""Routes of the console."""

from django.urls import path

from packhouse.console import letters

urlpatterns = [
    path("console/", letters.start, name="console"),
    path("console/mail/", letters.letters, name="console-letters"),
    path("console/mail/<int:letter_id>/", letters.letter, name="console-letter"),
    path("console/mail/<int:letter_id>/html/", letters.letter_html, name="console-letter-html"),
    path("console/mail/<int:letter_id>/send-again/", letters.send_again, name="console-letter-send-again"),
]
