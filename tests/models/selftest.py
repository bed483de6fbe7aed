"""Whether compare.py tells right from wrong: a command that echoes the truth passes, bent ones do not.

    python tests/models/selftest.py OUT
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def compare(folder, names, **environment):
    done = subprocess.run([sys.executable, HERE / "compare.py", folder, "--pregrad", f"{sys.executable} {HERE / 'echo.py'}",
                           "--table", os.devnull, *names], env=os.environ | environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def main():
    folder = Path(sys.argv[1])
    failures = 0
    for title, wanted, word, names, environment in (
            ("truth itself", 0, "right", ["wide_and_deep", "siamese", "unet", "policy"], {}),
            ("gradients off by 1e-3", 1, "differs", ["wide_and_deep"], {"ECHO_BEND": "1.001"}),
            ("gradients off by 1e-6", 0, "right", ["wide_and_deep"], {"ECHO_BEND": "1.000001"}),
            ("a missing layer", 1, "differs", ["siamese"], {"ECHO_FORGET": "1"}),
            ("a refusal", 1, "the echo refuses", ["unet"], {"ECHO_REFUSE": "1"})):
        code, text = compare(folder, names, **environment)
        is_right = code == wanted and word in text
        failures += not is_right
        print(f"{'passed' if is_right else 'FAILED'}: {title}")
        if not is_right:
            print(text)
    print(f"{5 - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
