"""Write a flash image that a real journal filled: `micropython journal_image.py IMAGE`. Prints the head sequence."""

import sys

from tools.rig.on_micropython import journal_life as jl
from tools.rig.on_micropython import journal_steps as js

life = jl.Life(jl.NorFlash(jl.BLOCK, jl.BLOCKS, bytearray(jl.empty_image())), jl.Ledger())
life.boot()
js.create(life)
for step in (js.first, js.fill, js.batch, js.rotate, js.crowd, js.change_settings, js.state, js.ack):
    step(life)
life.j.flush()
print(life.j.head_seq)
life.off()
with open(sys.argv[1], "wb") as file:
    file.write(life.flash.data)
