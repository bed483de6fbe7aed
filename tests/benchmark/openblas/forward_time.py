"""Prints the times of forwards of a TorchScript file in Python, in milliseconds: what full speed is on this machine.

Usage: forward_time.py MODEL.pt REPETITIONS SHAPE
"""

import sys
import time

import torch


def main() -> None:
    module = torch.jit.freeze(torch.jit.load(sys.argv[1]).eval())
    inputs = torch.randn([int(size) for size in sys.argv[3].split(",")])
    times = []
    with torch.inference_mode():
        for _ in range(5 + int(sys.argv[2])):
            start = time.perf_counter()
            module(inputs)
            times.append((time.perf_counter() - start) * 1e3)
    print(*times[5:])


if __name__ == "__main__":
    main()
