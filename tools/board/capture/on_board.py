"""The script that runs on the board: the application's own probe code, with a chain that prints the samples it gets.

Lines: `B simulated` at the start, `S ms red ir red ir ...` a burst and the board's time after it, `G lost` a hole
before the next burst (0: the light changed), `F text` the sensor's fault, `E` the end.
"""

# SECONDS is replaced. LED currents are searched as in monitoring, from the currents and channels of the settings.
SCRIPT = """
import time
import boards
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x
from crs_device.sensors.optical import Optical
from crs_device.settings.settings_file import SettingsFile
class Printer:
    def push(self, red, infrared, n):
        words = ['S', str(now)]
        for i in range(n):
            words.append(str(red[i]))
            words.append(str(infrared[i]))
        print(' '.join(words))
    def gap(self, span_ms=0):
        print('G', span_ms // 40)
board = boards.detect()
print('B', int(board.simulated))
settings = SettingsFile().load() or {}
chip = Max3010x(Bus(board.i2c), settings.get('ppg_channels') == 'ir_red')
start = settings.get('led_red_ua', 7000) // 200, settings.get('led_ir_ua', 7000) // 200
now = board.clock.ms()
probe = Optical(chip, Printer(), None, start[0], start[1])
end = now + SECONDS * 1000 + 400
said = ''
while now < end:
    now = board.clock.ms()
    probe.poll(now)
    if probe.fault != said:
        said = probe.fault
        if said:
            print('F', said)
    time.sleep_ms(max(1, 200 // board.clock.speed))
print('E')
"""
