"""Runs an interactive bash in a terminal of its own, and types into it.

argv: the folder to run in, and pairs of a text to wait for and what to type then. Prints what the
screen showed. Ends with 1 where a text does not come.
"""

import os, pty, select, signal, sys, time

PATIENCE = 30


def is_stopped(shell):
    """Whether every process of the terminal is stopped but the shell and our guardian of a command.

    The shell says "Stopped" as soon as the one process is that it waits for. A reader that has not
    run since would still get the next key, before it stops.
    """
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as cmdline:
                state, _, _, session = stat.read().rsplit(")", 1)[1].split()[:4]
                words = cmdline.read().split("\0")
        except OSError:
            continue
        is_ours = int(session) == shell and int(name) != shell and "__exec" not in words
        if is_ours and state not in "TtZXD":
            return False
    return True


folder, steps = sys.argv[1], sys.argv[2:]
shell, terminal = pty.fork()
if shell == 0:
    os.chdir(folder)
    os.environ["PS1"] = "PROMPT> "
    os.environ["TERM"] = "dumb"
    # A shell would have its commands ignore what it was started to ignore.
    for number in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT:
        signal.signal(number, signal.SIG_DFL)
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
    while text == "Stopped" and not is_stopped(shell) and time.monotonic() < end:
        select.select([], [], [], 0.005)
    os.write(terminal, keys.encode())
# Whatever runs in the terminal ends with it.
os.close(terminal)
os.kill(shell, signal.SIGKILL)
os.waitpid(shell, 0)
sys.stdout.write(screen)
sys.exit(code)
