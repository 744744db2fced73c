"""Campaign time of the demo: the file `clock` of the installation, which all its programs read."""
import os
import time

DAY = 86400000
HALF_PAST_8 = 30 * 60000         # 08:30 in Shanghai is 00:30 UTC
NINE = 60 * 60000


def when(ms):
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(ms / 1000 + 8 * 3600))


class Clock:
    """Runs `rate` times as fast as the machine's, halts while something recovers, passes over nights."""

    def __init__(self, home, start, rate):
        self.home, self.rate = home, rate
        self.t0, self.b0, self.halted = start, self.boot(), 0

    @staticmethod
    def boot():
        return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1e6)

    def now(self):
        return self.t0 if self.halted else self.t0 + (self.boot() - self.b0) * self.rate // 1000

    def write(self):
        tmp = self.home / "clock.tmp"
        tmp.write_text(f"{self.t0} {self.b0} {self.rate * 1000} {self.halted}\n")
        os.chmod(tmp, 0o644)
        tmp.replace(self.home / "clock")

    def halt(self):
        self.t0, self.b0, self.halted = self.now(), self.boot(), 1
        self.write()

    def go(self, rate=None):
        self.t0, self.b0, self.halted = self.now(), self.boot(), 0
        self.rate = rate or self.rate
        self.write()

    def next_morning(self):
        self.t0, self.b0 = (self.now() // DAY + 1) * DAY + HALF_PAST_8 - 60000, self.boot()
        self.write()

    def morning_at_rate_1(self):
        """For people who look around: nine o'clock, and a minute is a minute."""
        self.t0, self.b0, self.halted, self.rate = self.now() // DAY * DAY + NINE, self.boot(), 0, 1
        self.write()
