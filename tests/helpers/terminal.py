"""Runs a program in a terminal of its own.

    terminal.py PROGRAM [ARGUMENT...]

What comes in on stdin are the keys; what goes out on stdout is what the terminal shows. Once the program has ended, its
exit code (negative for a signal) and whether it has left the terminal's settings as they were go out on stderr, as in
"0 restored" or "1 changed".
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
before = termios.tcgetattr(slave)


def become_foreground():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, preexec_fn=become_foreground)
keys = [0]
while True:
    over = child.poll() is not None
    # Once the program has ended, what it wrote is there already.
    ready, _, _ = select.select([master] + keys, [], [], 0 if over else 0.02)
    if master in ready:
        os.write(1, os.read(master, 65536))
    elif over:
        break
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(master, typed)
        else:
            keys = []
after = termios.tcgetattr(slave)
print(child.returncode, "restored" if after == before else "changed", file=sys.stderr)
