"""A full default budget on a heap of a chip's word count: the index stays small and nothing runs out of memory."""

from tools.rig.micropython import ROOT, run_micropython

WORD_BYTES = 8  # of the machine that runs this; a chip has 4


def test_a_full_journal_fits_a_chip_sized_heap(tmp_path):
    script = ROOT / "tests/micropython/journal_ram.py"
    done = run_micropython(script, str(tmp_path / "flash.img"), heap="192wK", as_it_is=True)
    assert done.returncode == 0, done.stdout + done.stderr
    words = done.stdout.split()
    used, segments = int(words[1]), int(words[3])
    assert segments > 130
    assert used / WORD_BYTES < 14 * segments, done.stdout  # words per segment of index, all else included
