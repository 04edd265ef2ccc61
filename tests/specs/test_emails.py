"""Addresses in metadata: the first of a list, and whether it is one."""

import pytest

from packhouse.specs import emails


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("ann@example.com", "ann@example.com"),
        ("Ann <ann@example.com>, Bob <bob@example.com>", "ann@example.com"),
        ('"Doe, Ann" <ann@example.com>', "ann@example.com"),
        ("(a, comment) ann@example.com (more)", "ann@example.com"),
        ("ann@example.com,", "ann@example.com"),
        ("Doe, Ann <ann@example.com>", "Doe"),
        ("Ann <>", None),
        ("", None),
        (" , ", None),
    ],
)
def test_the_first_address_of_a_list_is_found(value, first):
    assert emails.first_address(value) == first


@pytest.mark.parametrize("address", ["a@b.example", "o'neil+x@sub.example.com", "ü@bücher.example", "a.b@x-y.example"])
def test_an_address_with_a_dotted_domain_is_valid(address):
    assert emails.is_valid_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("", "ann", "@b.example", "a@localhost", "a@b..example", "a..b@c.example", ".a@b.example", "a@-b.example"),
        *("a b@c.example", "a@b.example\n", "a@b_c.example", "a@@b.example", "a" * 250 + "@b.example", "a\r@b.example"),
    ],
)
def test_anything_else_is_none(address):
    assert not emails.is_valid_address(address)
