import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidVersion
from shared.versions import FIRST, Strategy, Version, next_version

NUMBERS = st.integers(0, 999_999_998)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS)


@given(VERSIONS)
def test_a_version_is_read_back_as_written(version: Version) -> None:
    assert Version.parse(str(version)) == version


def test_versions_compare_by_number() -> None:
    assert sorted(map(Version.parse, ["1.10", "2.0", "1.9"])) == [
        Version(1, 9),
        Version(1, 10),
        Version(2, 0),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.", ".1", "1.0.0", "v1.0", "-1.0", "1.0 ", " 1.0", "1,0", "١.٠", "1.0\n", "9" * 10 + ".0"],
)
def test_anything_but_two_numbers_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidVersion) as caught:
        Version.parse(text, "explicitVersion")
    assert caught.value.code == "INVALID_VERSION"
    assert caught.value.details["field"] == "explicitVersion"


@pytest.mark.parametrize(
    ("word", "strategy"),
    [
        (None, Strategy.MINOR_BUMP),
        ("patch", Strategy.MINOR_BUMP),
        ("minor", Strategy.MINOR_BUMP),
        ("minor_bump", Strategy.MINOR_BUMP),
        ("major", Strategy.MAJOR_BUMP),
        ("major_bump", Strategy.MAJOR_BUMP),
        ("explicit", Strategy.EXPLICIT),
    ],
)
def test_all_words_for_a_strategy_are_understood(word: str | None, strategy: Strategy) -> None:
    assert Strategy.parse(word) is strategy


@pytest.mark.parametrize("word", ["huge", "MINOR", " minor"])
def test_an_unknown_strategy_is_refused(word: str) -> None:
    with pytest.raises(InvalidVersion, match="versionStrategy"):
        Strategy.parse(word)


@pytest.mark.parametrize("strategy", [Strategy.MINOR_BUMP, Strategy.MAJOR_BUMP])
def test_the_first_version_is_one_zero_whatever_the_strategy(strategy: Strategy) -> None:
    assert next_version(strategy, None, []) == FIRST == Version(1, 0)


def test_the_first_version_may_be_explicit() -> None:
    assert next_version(Strategy.EXPLICIT, "7.3", []) == Version(7, 3)


def test_bumps_start_from_the_highest_version_not_the_last() -> None:
    existing = [Version(1, 9), Version(1, 10), Version(1, 2)]
    assert next_version(Strategy.MINOR_BUMP, None, existing) == Version(1, 11)
    assert next_version(Strategy.MAJOR_BUMP, None, existing) == Version(2, 0)


def test_an_explicit_version_may_be_lower_than_the_latest_but_not_taken() -> None:
    existing = [Version(1, 0), Version(3, 0)]
    assert next_version(Strategy.EXPLICIT, "2.5", existing) == Version(2, 5)
    with pytest.raises(InvalidVersion, match="exists already"):
        next_version(Strategy.EXPLICIT, "03.0", existing)


def test_an_explicit_version_must_be_given() -> None:
    with pytest.raises(InvalidVersion) as caught:
        next_version(Strategy.EXPLICIT, None, [])
    assert caught.value.details["field"] == "explicitVersion"


@given(st.lists(VERSIONS, min_size=1), st.sampled_from([Strategy.MINOR_BUMP, Strategy.MAJOR_BUMP]))
def test_a_bump_is_always_higher_than_everything_before(existing: list[Version], strategy: Strategy) -> None:
    assert next_version(strategy, None, existing) > max(existing)
