"""Routes of the console."""

from django.urls import path

from packhouse.console import addresses, email_domains, invitations, letters, tasks

urlpatterns = [
    path("console/", letters.start, name="console"),
    path("console/addresses/", addresses.addresses, name="console-addresses"),
    path("console/addresses/<int:number>/allow/", addresses.allow, name="console-address-allow"),
    path("console/mail/", letters.letters, name="console-letters"),
    path("console/mail/<int:letter_id>/", letters.letter, name="console-letter"),
    path("console/mail/<int:letter_id>/html/", letters.letter_html, name="console-letter-html"),
    path("console/mail/<int:letter_id>/send-again/", letters.send_again, name="console-letter-send-again"),
    path("console/email-domains/", email_domains.email_domains, name="console-email-domains"),
    path("console/email-domains/<int:number>/allow/", email_domains.allow, name="console-email-domain-allow"),
    path("console/tasks/", tasks.tasks, name="console-tasks"),
    path("console/tasks/<int:number>/retry/", tasks.retry, name="console-task-retry"),
    path("console/tasks/<int:number>/discard/", tasks.discard, name="console-task-discard"),
    path("console/invitations/", invitations.invitations, name="console-invitations"),
    path("console/invitations/<int:number>/resend/", invitations.resend, name="console-invitation-resend"),
    path("console/invitations/<int:number>/withdraw/", invitations.withdraw, name="console-invitation-withdraw"),
]
