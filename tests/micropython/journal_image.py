"""Write a flash image that a real journal filled: `micropython journal_image.py IMAGE`. Prints the head sequence."""

import sys

from tools.rig.on_micropython import journal_life as jl

life = jl.Life(jl.NorFlash(jl.BLOCK, jl.BLOCKS, bytearray(jl.empty_image())), jl.Ledger())
life.boot()
jl._create(life)
for step in (jl._first, jl._fill, jl._batch, jl._rotate, jl._crowd, jl._settings, jl._state, jl._ack):
    step(life)
life.j.flush()
print(life.j.head_seq)
life.off()
with open(sys.argv[1], "wb") as file:
    file.write(life.flash.data)
