"""The synchronous step of theory section 3, one PyTorch operation after another.

usage: loop.py DIR SECONDS

DIR holds the arrays of a chain of fully connected populations, all of it
learning, as .npy files. The loop first makes the steps that are to be compared
and saves the weights, then steps for the given time and prints microseconds per
step, best of many bursts and of the numbers of threads.
"""

import json
import sys
import time

import numpy as np
import torch

folder, seconds = sys.argv[1], float(sys.argv[2])
with open(f"{folder}/net.json") as f:
    net = json.load(f)
dt, beta, gamma, eta, eta_bias = (net[k] for k in ("dt", "beta", "gamma", "eta", "eta_bias"))
tau_m, tau_r = net["tau_m"], net["tau_r"]
layers = net["layers"]


def load(name):
    return torch.from_numpy(np.load(f"{folder}/{name}.npy"))


class Loop:
    def __init__(self):
        self.w = [load(f"w{k}").clone() for k in range(layers)]
        self.b = [torch.zeros(len(w), dtype=torch.float64) for w in self.w]
        zero = lambda: [torch.zeros(len(w), dtype=torch.float64) for w in self.w]
        self.u, self.v, self.r, self.slope, self.back = zero(), zero(), zero(), zero(), zero()
        self.inputs, self.targets = list(load("input")), list(load("target"))
        self.step = 0

    def run(self, steps):
        w, b, u, v, r, slope, back = self.w, self.b, self.u, self.v, self.r, self.slope, self.back
        last = layers - 1
        for _ in range(steps):
            at = self.step % len(self.inputs)
            self.step += 1
            source = [self.inputs[at]] + r[:-1]
            e, y = [None] * layers, [None] * layers
            for k in range(layers):
                x = slope[k] * (beta * (self.targets[at] - r[k]) if k == last else back[k])
                vd = (x - v[k]) / tau_r
                e[k] = v[k] + tau_m * vd
                v[k] = v[k] + dt * vd
                a = torch.mv(w[k], source[k]) + b[k]
                ud = (a + gamma * e[k] - u[k]) / tau_m
                y[k] = u[k] + tau_r * ud
                u[k] = u[k] + dt * ud
            for k in range(layers):
                if k > 0:  # with the weights as they are before the update
                    back[k - 1] = torch.mv(w[k].t(), e[k])
                w[k].addr_(e[k], source[k], alpha=dt * eta)
                b[k].add_(e[k], alpha=dt * eta_bias)
                r[k] = torch.tanh(y[k])
                slope[k] = 1 - r[k] * r[k]


with torch.no_grad():
    loop = Loop()
    loop.run(net["compare"])
    for k, w in enumerate(loop.w):
        np.save(f"{folder}/after{k}.npy", w.numpy())

    best = None
    for threads in sorted({1, net["cores"]}):
        torch.set_num_threads(threads)
        start = time.perf_counter()
        loop.run(10)
        burst = max(1, round(net["window"] * 10 / (time.perf_counter() - start)))
        until = time.perf_counter() + seconds / 2
        while True:
            start = time.perf_counter()
            loop.run(burst)
            now = time.perf_counter()
            each = (now - start) / burst * 1e6
            if best is None or each < best[0]:
                best = (each, threads)
            if now > until:
                break
print(json.dumps({"us": best[0], "threads": best[1], "torch": torch.__version__}))
