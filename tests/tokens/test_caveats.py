"""What each caveat allows, and that nothing badly typed is ever understood."""

import json
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.tokens.caveats import (
    GRANTS,
    AddressRange,
    CaveatRefused,
    Context,
    Expiration,
    OIDCPublisher,
    Permissions,
    ProjectID,
    ProjectName,
    ProjectPattern,
    RequestUser,
    check_all,
    is_pattern,
    parse,
    serialize,
)

USER = UUID("11111111-1111-4111-8111-111111111111")
OTHER = UUID("22222222-2222-4222-8222-222222222222")


@dataclass(frozen=True)
class Project:
    normalized_name: str = "sample"
    uid: UUID = OTHER


CONTEXT = Context(now=100.5, user_uid=USER, project=Project(), grant="upload", address="10.1.2.3")

HOLDING = [
    "[0,101,100]",
    '[1,["sample"]]',
    '[1,["other","sample"]]',
    f'[2,["{OTHER}"]]',
    f'[3,"{USER}"]',
    '{"version":1,"permissions":"user"}',
    '{"version":1,"permissions":{"projects":["sample"]}}',
    '{"nbf":100,"exp":101}',
    f'{{"project_ids":["{OTHER}"]}}',
    '[100,["sam*"]]',
    '[100,["other","*m*le"]]',
    '[100,["sample"]]',
    '[101,["upload"]]',
    '[101,["read","upload"]]',
    '[102,["10.0.0.0/8"]]',
    '[102,["::1/128","10.1.2.3/32"]]',
]

NOT_HOLDING = {
    "[0,100,0]": "token is expired",
    "[0,200,101]": "token is not yet valid",
    '[1,["other"]]': "project-scoped token is not valid for project: 'sample'",
    "[1,[]]": "project-scoped token is not valid for project: 'sample'",
    f'[2,["{USER}"]]': "project-scoped token is not valid for project: 'sample'",
    f'[3,"{OTHER}"]': "user-scoped token is not valid for this user",
    f'[4,"{USER}",null]': "publisher-scoped token used without its trusted publisher",
    f'[4,"{USER}"]': "publisher-scoped token used without its trusted publisher",
    '{"nbf":0,"exp":100}': "token is expired",
    '[100,["sam"]]': "project-scoped token is not valid for project: 'sample'",
    '[100,["*samplex"]]': "project-scoped token is not valid for project: 'sample'",
    '[100,["sampl*le"]]': "project-scoped token is not valid for project: 'sample'",
    "[100,[]]": "project-scoped token is not valid for project: 'sample'",
    '[101,["yank"]]': "token may not be used to upload",
    "[101,[]]": "token may not be used to upload",
    '[102,["10.2.0.0/16"]]': "token may not be used from this address",
    '[102,["::/0"]]': "token may not be used from this address",
    "[102,[]]": "token may not be used from this address",
}

NOT_UNDERSTOOD = [
    "",
    "null",
    "[]",
    "{}",
    '"user"',
    "[0]",
    "[0,101]",
    "[0,101,100,0]",
    "[false,101,100]",
    "[0.0,101,100]",
    "[0,101.0,100]",
    "[0,true,false]",
    '[0,"101","100"]',
    "[0,NaN,0]",
    '[true,["sample"]]',
    '[1,"sample"]',
    '[1,["sample"],null]',
    '[1,[["sample"]]]',
    '[1,{"sample":1}]',
    "[1,null]",
    "[2,[7]]",
    "[3]",
    "[3,null]",
    "[3,1]",
    "[4]",
    "[4,null]",
    '[4,"x",1]',
    '[4,"x",null,null]',
    '[5,"anything"]',
    '[-1,"anything"]',
    '["1",["sample"]]',
    "[" * 10_000,
    "[0," + "9" * 5000 + ",0]",
    '{"version":true,"permissions":"user"}',
    '{"version":1.0,"permissions":"user"}',
    '{"version":2,"permissions":"user"}',
    '{"version":1,"permissions":"user","more":1}',
    '{"version":1,"version":1,"permissions":"user"}',
    '{"version":1,"permissions":{"projects":["sample"],"more":1}}',
    '{"version":1,"permissions":{"projects":"sample"}}',
    '{"nbf":true,"exp":101}',
    '{"nbf":100}',
    '{"project_ids":"x"}',
    '[100,"sam*"]',
    '[100,["*"]]',
    '[100,["Sam*"]]',
    '[100,["-sam"]]',
    '[100,["sam_ple"]]',
    '[100,["sam?"]]',
    '[100,["sam*\\n"]]',
    '[100,["sam*"],null]',
    '[101,"upload"]',
    '[101,["delete"]]',
    '[101,["upload",1]]',
    '[102,["10.1.2.3/8"]]',
    '[102,["10.1.2.3"]]',
    '[102,["10.0.0.0/255.0.0.0"]]',
    '[102,["anywhere"]]',
    "[102,[167772160]]",
    "[103,[]]",
]


@pytest.mark.parametrize("text", HOLDING)
def test_a_caveat_that_holds_passes(text: str) -> None:
    check_all([text], CONTEXT)


@pytest.mark.parametrize(("text", "reason"), NOT_HOLDING.items())
def test_a_caveat_that_does_not_hold_says_why(text: str, reason: str) -> None:
    with pytest.raises(CaveatRefused, match=f"^{reason}$"):
        check_all([text], CONTEXT)


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_a_caveat_of_unknown_shape_denies(text: str) -> None:
    with pytest.raises(CaveatRefused):
        parse(text)


@pytest.mark.parametrize("text", ['[1,["sample"]]', f'[2,["{OTHER}"]]'])
def test_a_project_caveat_denies_where_there_is_no_project(text: str) -> None:
    with pytest.raises(CaveatRefused, match="outside of a project"):
        check_all([text], Context(now=100.5, user_uid=USER))


texts = st.text(max_size=30)
known = st.one_of(
    st.builds(Expiration, st.integers(), st.integers()),
    st.builds(ProjectName, st.lists(texts).map(tuple)),
    st.builds(ProjectID, st.lists(texts).map(tuple)),
    st.builds(RequestUser, texts),
    st.builds(OIDCPublisher, texts),
    st.builds(ProjectPattern, st.lists(st.sampled_from(["acme-*", "*", "*a*"]).filter(lambda p: p != "*")).map(tuple)),
    st.builds(Permissions, st.lists(st.sampled_from(GRANTS)).map(tuple)),
    st.builds(AddressRange, st.lists(st.ip_addresses().map(lambda a: f"{a}/{a.max_prefixlen}")).map(tuple)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)


@given(known)
def test_what_is_written_reads_the_same(caveat) -> None:
    assert parse(serialize(caveat)) == caveat


@given(st.binary() | st.text() | json_values.map(json.dumps))
def test_reading_raises_nothing_but_a_refusal(text) -> None:
    with suppress(CaveatRefused):
        parse(text)


@given(st.integers(min_value=0, max_value=4) | st.integers(), st.lists(json_values, max_size=4))
def test_every_caveat_that_is_understood_has_exactly_one_compact_spelling(tag, fields) -> None:
    text = json.dumps([tag, *fields], separators=(",", ":"))
    try:
        caveat = parse(text)
    except CaveatRefused:
        return
    assert [type(item) for item in caveat.fields()[:2]] == [type(item) for item in [tag, *fields][:2]]
    assert caveat.fields()[:2] == [tag, *fields][:2]


near = st.one_of(
    st.builds(Expiration, st.integers(99, 102), st.integers(99, 102)),
    st.builds(ProjectName, st.lists(st.sampled_from(["sample", "other"]), max_size=2).map(tuple)),
    st.builds(ProjectID, st.lists(st.sampled_from([str(OTHER), str(USER)]), max_size=2).map(tuple)),
    st.builds(RequestUser, st.sampled_from([str(OTHER), str(USER)])),
    st.builds(ProjectPattern, st.lists(st.sampled_from(["s*", "*e", "o*", "sample"]), max_size=2).map(tuple)),
    st.builds(Permissions, st.lists(st.sampled_from(GRANTS), max_size=2).map(tuple)),
    st.builds(AddressRange, st.lists(st.sampled_from(["10.0.0.0/8", "::/0"]), max_size=2).map(tuple)),
).map(serialize) | st.sampled_from(NOT_UNDERSTOOD[:20])


def holds(texts: list[str], context: Context = CONTEXT) -> bool:
    try:
        check_all(texts, context)
    except CaveatRefused:
        return False
    return True


@given(st.lists(near, max_size=3), st.lists(near, max_size=3))
def test_appended_caveats_never_widen_what_a_token_may_do(stored: list[str], appended: list[str]) -> None:
    assert holds(stored + appended) == (holds(stored) and holds(appended))


@given(st.text(alphabet="ab*", min_size=1, max_size=8), st.text(alphabet="ab-", min_size=1, max_size=10))
def test_a_pattern_matches_what_the_shell_would_match(pattern: str, name: str) -> None:
    if is_pattern(pattern):
        context = Context(now=0, user_uid=USER, project=Project(name))
        assert holds([serialize(ProjectPattern((pattern,)))], context) == fnmatchcase(name, pattern)
