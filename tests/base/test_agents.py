"""Who asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.base.agents import Agent, parse

PIP = (
    'pip/25.1 {"ci":true,"cpu":"x86_64","distro":{"name":"Debian GNU/Linux","version":"12"},'
    '"implementation":{"name":"CPython","version":"3.12.4"},"installer":{"name":"pip","version":"25.1"},'
    '"python":"3.12.4","system":{"name":"Linux","release":"6.1"}}'
)
UV = 'uv/0.7.2 {"installer":{"name":"uv","version":"0.7.2"},"python":"3.13.1","implementation":{"name":"CPython"}}'
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0"
SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.1 Safari/605.1"


@pytest.mark.parametrize(
    ("header", "agent"),
    [
        (PIP, Agent("installer", "pip", "25.1", "3.12.4", "CPython", "Linux", ci=True)),
        (UV, Agent("installer", "uv", "0.7.2", "3.13.1", "CPython")),
        ("twine/6.1.0 CPython/3.12.1", Agent("publisher", "twine", "6.1.0", "3.12.1", "CPython")),
        (
            "poetry/2.1.1 CPython/3.11.2 Linux/6.1.0",
            Agent("installer", "poetry", "2.1.1", "3.11.2", "CPython", "Linux"),
        ),
        (
            "bandersnatch/6.5.0 (CPython 3.12.1, Linux 6.1)",
            Agent("mirror", "bandersnatch", "6.5.0", "", "", "Linux"),
        ),
        ("Python-urllib/3.11 setuptools/65.5", Agent("installer", "setuptools", "65.5")),
        (FIREFOX, Agent("browser", "Firefox", "140")),
        (EDGE, Agent("browser", "Edge", "130")),
        (SAFARI, Agent("browser", "Safari", "18")),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/140.0 Safari/537.36", Agent("browser", "Chrome", "140")),
        ("Mozilla/5.0 (compatible; Examplebot/2.1)", Agent("robot", "examplebot", "2.1")),
        ("curl/8.5.0", Agent("other", "curl", "8.5.0")),
        ("pip/9 {broken", Agent("installer", "pip", "9")),
        ('pip/9 {"installer": 3, "python": ["x"], "ci": "yes"}', Agent("installer", "pip", "9")),
        ("", Agent("other")),
    ],
)
def test_a_user_agent_is_known(header: str, agent: Agent) -> None:
    assert parse(header) == agent


@given(st.text(max_size=200) | st.text(max_size=100).map(lambda text: "pip/1 {" + text))
def test_no_user_agent_breaks_the_log(header: str) -> None:
    assert parse(header).label.isprintable()
    assert " " not in parse(header).version
