"""API tokens that are used beside a trusted publisher."""

from datetime import timedelta
from typing import Any

import pytest
from tests.factories.accounts import make_token, make_user
from tests.factories.projects import make_project
from tests.factories.publishers import make_minted_token, make_publisher
from tests.publishers.test_trust import letters
from tests.uploads.publishing import upload

from packhouse.base import clock
from packhouse.mail.models import Letter
from packhouse.projects.models import Role
from packhouse.publishers import tasks

pytestmark = pytest.mark.django_db
NAME = "api-token-used-in-trusted-publisher-project"


def test_collaborators_learn_of_a_token_once() -> None:
    owner, maintainer = make_user("owner"), make_user("maintainer")
    project = make_project("demo", owner=owner)
    Role.objects.create(user=maintainer, project=project, name=Role.Name.MAINTAINER)
    make_publisher(project)
    token = make_token(maintainer, "old machine")[1]
    assert upload(token=token).status_code == 200
    tasks.tell_of_tokens.func()
    assert letters(NAME) == {"owner@users.example", "maintainer@users.example"}
    assert "old machine" in Letter.objects.filter(name=NAME)[0].text
    assert upload(token=token, version="1.1").status_code == 200
    tasks.tell_of_tokens.func()
    assert Letter.objects.filter(name=NAME).count() == 2


def test_nobody_is_told_of_what_is_right(time_machine: Any) -> None:
    owner = make_user("owner")
    trusting, plain = make_project("demo", owner=owner), make_project("plain", owner=owner)
    publisher = make_publisher(trusting)
    assert upload(token=make_token(owner)[1], name="plain").status_code == 200
    assert upload(token=make_minted_token(publisher)).status_code == 200
    tasks.tell_of_tokens.func()
    make_publisher(plain, kind="google")
    time_machine.move_to(clock.now() + timedelta(hours=2), tick=False)
    tasks.tell_of_tokens.func()
    assert not letters(NAME)
