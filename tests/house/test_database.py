"""The tests' database is the configured one, and the one that the run was asked for."""

import pytest
from django.conf import settings
from django.db import connection

from packhouse.accounts.models import User


@pytest.mark.django_db
def test_django_writes_where_the_configuration_says(pytestconfig):
    User.objects.create(username="ada")
    assert connection.vendor == pytestconfig.getoption("--database")
    assert str(connection.settings_dict["NAME"]) in settings.PACKHOUSE.database
