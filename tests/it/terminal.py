"""Runs an interactive bash in a terminal of its own, and types into it.

argv: the folder to run in, and pairs of a text to wait for and what to type then. Prints what the
screen showed. Ends with 1 where a text does not come.
"""

import os, pty, select, signal, sys, time

PATIENCE = 30
folder, steps = sys.argv[1], sys.argv[2:]
shell, terminal = pty.fork()
if shell == 0:
    os.chdir(folder)
    os.environ["PS1"] = "PROMPT> "
    os.environ["TERM"] = "dumb"
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
screen, seen, code = "", 0, 0
for text, keys in zip(steps[::2], steps[1::2]):
    end = time.monotonic() + PATIENCE
    while screen.find(text, seen) < 0 and code == 0:
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        try:
            more = os.read(terminal, 4096).decode(errors="replace") if ready else ""
        except OSError:
            more = ""
        code = 0 if more else 1
        screen += more.replace("\r", "")
    if code:
        screen += f"\n!!! no {text!r} came"
        break
    seen = screen.find(text, seen) + len(text)
    os.write(terminal, keys.encode())
# Whatever runs in the terminal ends with it.
os.close(terminal)
os.kill(shell, signal.SIGKILL)
os.waitpid(shell, 0)
sys.stdout.write(screen)
sys.exit(code)
