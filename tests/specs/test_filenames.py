"""File names of wheels and sdists: what is read from them, and which are refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from packhouse.specs import filenames, tags, versions
from packhouse.specs.errors import Refused


def refusal_code(check, *arguments, **named):
    with pytest.raises(Refused) as refusal:
        check(*arguments, **named)
    assert refusal.value.code in filenames.REASONS
    return refusal.value.code


def test_a_wheel_filename_is_taken_apart():
    wheel = filenames.parse_wheel_filename("zope_interface-1.0.0-1b-cp311.cp312-abi3-manylinux_2_17_x86_64.win32.whl")

    assert wheel.name == "zope-interface"
    assert wheel.version == Version("1")
    assert wheel.build == (1, "b")
    assert wheel.python_tags == ("cp311", "cp312")
    assert wheel.platform_tags == ("manylinux_2_17_x86_64", "win32")
    assert len(wheel.tags) == 4
    assert wheel.dist_info == "zope_interface-1.0.0.dist-info"


def test_an_sdist_filename_is_taken_apart():
    sdist = filenames.parse_sdist_filename("zope_interface-1.0.post1.tar.gz")

    assert (sdist.name, sdist.version) == ("zope-interface", Version("1.0.post1"))
    assert sdist.top_directory == "zope_interface-1.0.post1"


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("sample\n-1.0-py3-none-any.whl", "filename-control-character"),
        ("sample-1.0-py3-none-any.whl\x7f", "filename-control-character"),
        ("../sample-1.0-py3-none-any.whl", "filename-path-separator"),
        ("..\\sample-1.0-py3-none-any.whl", "filename-path-separator"),
        ("sämple-1.0-py3-none-any.whl", "filename-invalid"),
        ("sample-1.0\u202e-py3-none-any.whl", "filename-invalid"),
        ("s" * 250 + "-1.0-py3-none-any.whl", "filename-invalid"),
        ("", "filename-invalid"),
        ("sample-1.0-py3-none-any.WHL", "filename-extension"),
        ("sample-1.0.egg", "filename-extension"),
        ("sample-1.0-py3-none.whl", "wheel-filename"),
        ("sample-1.0-1-2-py3-none-any.whl", "wheel-filename"),
        ("sam__ple-1.0-py3-none-any.whl", "wheel-filename"),
        ("-1.0-py3-none-any.whl", "wheel-filename"),
        ("sample-one-py3-none-any.whl", "wheel-filename"),
        ("sample-1.0-b1-py3-none-any.whl", "wheel-filename"),
        ("sample-1.0--py3-none-any.whl", "wheel-filename"),
        ("sample-1.0-py3..py2-none-any.whl", "wheel-filename"),
        ("sample-1.0-py3-none-.whl", "wheel-filename"),
        ("sample-1.0-py3-none-any .whl", "wheel-filename"),
        (f"sample-1.0-{'.'.join('a' * 40)}-{'.'.join('b' * 40)}-any.whl", "wheel-filename"),
        ("sample-1.0-py3-none-linux_x86_64.whl", "wheel-platform-tag"),
        ("sample-1.0-py3-none-any.linux_x86_64.whl", "wheel-platform-tag"),
        ("Sample-1.0-py3-none-any.whl", "wheel-filename-name"),
        ("other-1.0-py3-none-any.whl", "wheel-filename-name"),
        ("sample-1.1-py3-none-any.whl", "wheel-filename-version"),
    ],
)
def test_a_wheel_of_a_wrong_name_is_refused(filename, code):
    assert refusal_code(filenames.check_wheel, filename, name="Sample", version=Version("1.0")) == code


@pytest.mark.parametrize("filename", ["sample-1.0-py3-none-any.whl", "sample-1.0.0-7-py2.py3-none-any.whl"])
def test_a_wheel_of_the_normalised_name_and_an_equal_version_is_taken(filename):
    assert filenames.check_wheel(filename, name="Sample", version=Version("1.0")).filename == filename


def test_an_index_may_take_further_platforms():
    filename = "sample-1.0-py3-none-linux_x86_64.whl"

    wheel = filenames.check_wheel(
        filename, name="sample", version=Version("1.0"), also_allowed_platforms={"linux_x86_64"}
    )

    assert wheel.platform_tags == ("linux_x86_64",)


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("zope.interface-1.0.tar.gz", "sdist-filename"),
        ("zope-interface-1.0.tar.gz", "sdist-filename"),
        ("Zope_Interface-1.0.tar.gz", "sdist-filename"),
        ("zope_interface-1.0.0.tar.gz", "sdist-filename"),
        ("zope_interface-1.0.zip", "sdist-filename"),
        ("zope_interface.tar.gz", "sdist-filename"),
        ("zope_interface-.tar.gz", "sdist-filename"),
        ("zope_interface-1.0.tgz", "filename-extension"),
    ],
)
def test_an_sdist_of_a_wrong_name_is_refused(filename, code):
    assert refusal_code(filenames.check_sdist, filename, name="zope.interface", version=Version("1.0")) == code


def test_an_sdist_of_the_normalised_name_and_version_is_taken():
    sdist = filenames.check_sdist("zope_interface-1.0rc1.tar.gz", name="Zope.Interface", version=Version("1.0-RC1"))

    assert sdist.name == "zope-interface"


@given(st.text("ab1.-_+!CZ é\n/\\\x00", max_size=40), st.sampled_from([".whl", ".tar.gz", "-py3-none-any.whl"]))
def test_any_text_is_either_parsed_or_refused(stem, ending):
    for parse in (filenames.parse_wheel_filename, filenames.parse_sdist_filename):
        with suppress(Refused):
            parsed = parse(stem + ending)
            assert parsed.filename.isascii()
            assert parsed.filename.isprintable()


@given(
    st.from_regex(r"[a-z0-9](_?[a-z0-9]){0,8}", fullmatch=True),
    st.sampled_from(["1.0", "1!2.3rc1", "1.0+local.1", "2024.1.post3.dev4"]),
    st.sampled_from(["", "-1", "-20240101git"]),
    st.lists(st.sampled_from(["py3", "cp313", "pp310"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["any", "win_amd64", "macosx_11_0_arm64"]), min_size=1, max_size=3),
)
def test_wheel_names_are_read_as_packaging_reads_them(name, version, build, pythons, platforms):
    filename = f"{name}-{version}{build}-{'.'.join(pythons)}-none-{'.'.join(platforms)}.whl"

    wheel = filenames.check_wheel(filename, name=name, version=Version(version))

    assert (wheel.name, wheel.version, wheel.build, wheel.tags) == parse_wheel_filename(filename)


@given(st.text("ab1.-_+!C", max_size=30))
def test_no_wheel_name_is_taken_that_packaging_refuses(stem):
    filename = f"{stem}-py3-none-any.whl"
    try:
        filenames.parse_wheel_filename(filename)
    except Refused:
        return
    try:
        parse_wheel_filename(filename)
    except InvalidWheelFilename:
        pytest.fail(filename)


PLATFORMS_TAKEN = """
any win32 win_amd64 win_arm64 win_ia64 linux_armv6l linux_armv7l manylinux1_i686 manylinux2010_x86_64
manylinux2014_s390x manylinux_2_17_ppc64 manylinux_2_39_riscv64 musllinux_1_2_riscv64 macosx_10_9_universal2
macosx_10_6_intel macosx_11_0_arm64 macosx_26_0_x86_64 ios_13_0_arm64_iphoneos ios_13_0_x86_64_iphonesimulator
android_21_arm64_v8a pyemscripten_2025_0_wasm32
"""
PLATFORMS_REFUSED = """
linux_x86_64 linux_armv8l win_arm manylinux1_aarch64 manylinux2014_riscv64 manylinux_2_17_sparc manylinux_x86_64
musllinux_1_2_ppc64 macosx_11_1_arm64 macosx_16_0_arm64 macosx_9_0_ppc macosx_10_9_sparc ios_13_0_arm64
android_21_mips emscripten_3_1_58_wasm32 wasi_0_0_0_wasm32 any_ ANY win32x manylinux_02_17_x86_64
"""


@pytest.mark.parametrize("tag", PLATFORMS_TAKEN.split())
def test_a_platform_that_tells_where_the_wheel_runs_is_taken(tag):
    assert tags.is_allowed_platform(tag)


@pytest.mark.parametrize("tag", PLATFORMS_REFUSED.split())
def test_any_other_platform_is_refused(tag):
    assert not tags.is_allowed_platform(tag)


def test_files_are_ordered_by_version_then_name():
    listed = ["a-1.0rc1.tar.gz", "a-1.0-py3-none-any.whl", "a-1.0.tar.gz", "a-1.10.tar.gz"]
    keys = [
        filenames.file_sort_key(versions.sort_key_of(version), filename)
        for version, filename in zip(["1.0rc1", "1.0", "1.0", "1.10"], listed, strict=True)
    ]

    assert keys == sorted(keys)
