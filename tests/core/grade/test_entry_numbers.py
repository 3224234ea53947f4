"""Entries as numbers: from the link into the words of the vocabulary, and into the state that survives a boot."""

import pytest
from crs_core import context
from crs_core.errors import RemoteError
from crs_core.grade import entry_numbers, vocabulary

OLD_MS = 1 << 40


def put(entries: list, now_ms: int) -> bytes:
    out = bytearray()
    entry_numbers.put(out, entries, now_ms)
    return bytes(out)


@pytest.mark.parametrize("number", [number for number in context.KEYS if number != context.SITE])
def test_every_key_of_the_link_has_words_in_the_vocabulary_and_comes_back(number: int) -> None:
    name, low, high = context.KEYS[number]
    for value in (low, high):
        ((key, word),) = entry_numbers.values_of({number: value}).items()
        if name not in ("episode_closed", "death"):
            vocabulary.check_key(key)
        data = put([[key, word, 500, 1]], 2000)
        assert entry_numbers.get(b"x" + data, 1, 2000) == ([[key, word, 500, 1]], len(data) + 1)


def test_what_is_withdrawn_is_none_and_a_flag_is_a_truth() -> None:
    words = entry_numbers.values_of({4: None, 7: 0, 8: 1, 12: 1})
    assert words == {"vasopressors": None, "steroid": False, "anticytokine": True, "ice": 1}
    assert words["anticytokine"] is True and words["ice"] is not True


def test_entries_are_written_by_number_and_what_no_wearable_has_is_left_out() -> None:
    data = put(
        [["age_months", 60, 0, 0], ["oxygen", "cpap", 1, 1], ["blood_pressure", "normal", 2, 0]], OLD_MS
    )
    assert data[0] == 2 and (data[1], data[9]) == (3, 5)
    back, _ = entry_numbers.get(data, 0, OLD_MS)
    assert [entry[0] for entry in back] == ["blood_pressure", "oxygen"]
    assert back[0][2] == OLD_MS - 0xFFFFFFFF, "older than the field holds is the oldest that it says"
    assert entry_numbers.get(put([["ice", 9, 500, 0]], 100), 0, 100)[0] == [["ice", 9, 100, 0]], (
        "from the future is now"
    )
    with pytest.raises(RemoteError, match="vasopressors|key 4"):
        put([["vasopressors", ["dopamine"], 0, 0]], 0)


def test_entries_that_cannot_be_are_refused() -> None:
    good = put([["seizure", "brief", 0, 1]], 10)
    assert entry_numbers.get(good, 0, 10) == ([["seizure", "brief", 0, 1]], 9)
    # no entry, one too many, a key and a value without meaning, another mark, cut short
    for at, value in ((0, 0), (0, 2), (1, 63), (2, 3), (4, 2)):
        with pytest.raises(RemoteError):
            entry_numbers.get(good[:at] + bytes([value]) + good[at + 1 :], 0, 10)
    for cut in (b"", b"\0", good[:-1]):
        with pytest.raises(RemoteError):
            entry_numbers.get(cut, 0, 10)
    for numbers, said in (({context.VASOPRESSORS: 4}, "no meaning"), ({99: 1}, "unknown")):
        with pytest.raises(RemoteError, match=said):
            entry_numbers.values_of(numbers)
