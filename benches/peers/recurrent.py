"""A recurrent layer in physiosynth, PyTorch and Keras: training step, forward pass, peak memory, distance from the machine's limit.

The work: 16 features, one bidirectional layer, a linear head of one output at each time step, the mean of its squares, Adam. Each side
is a process of its own that waits on its standard input; this one lets them work in turns, so that a busy machine slows all of them
alike, and prints one table of medians.

    python3 benches/peers/recurrent.py --rounds 9 --cells lstm --sizes 64x256x64,1x1000x64

See README.md in this folder for how it is measured.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

FEATURES = 16
CELLS = ["lstm", "gru", "simple"]
SIZES = ["64x256x64", "64x256x128", "32x1024x64", "128x128x64", "1x1000x64"]
PASSES = ["step", "forward"]
GATES = {"lstm": 4, "gru": 3, "simple": 1}
# Rows of the matrices whose product tells the machine's rate; a GPU needs large ones.
MATRIX = {"cpu": 1024, "wgpu": 4096, "cuda": 4096}
# A turn repeats what is shorter than this, up to so many times, and counts the median.
TURN_MS, TURN_REPEATS = 60, 8
# Thread pools look for work a moment longer before they sleep; the next side starts when they have.
SETTLE_S = 0.1
# The machine is quiet while other programs have no more than this share of one core.
DISTURBED = 0.1
# Full-size steps over which the peak of memory is taken.
MEMORY_STEPS = 3
ROOT = Path(__file__).resolve().parents[2]


def operations(cell, batch, time_steps, units):
    """Floating-point operations of the products in a training step and in a forward pass; a multiplication and an addition are two.

    Per row, step and direction, with F features, U units and G gates:
      forward   2·G·U·(F + U)   the input's and the hidden state's share of the gates' sums
      back      2·G·U·U         what the hidden state before gets (the input of the first layer needs no gradient)
              + 2·G·U·(F + U)   gradients of both weights
      head      2·U forward, 4·U back
    Activations and element-wise products are left out: a few per unit and step where the products have hundreds.
    """
    rows = 2 * batch * time_steps
    forward = 2 * GATES[cell] * units * (FEATURES + units)
    back = forward + 2 * GATES[cell] * units * units
    return {"step": rows * (forward + back + 6 * units), "forward": rows * (forward + 2 * units)}


# ------------------------------------------------------------------------------------------------------ the Python sides


def serve(versions, commands):
    """Answers each line of standard input with the milliseconds that the command took."""
    print("ready " + versions, flush=True)
    for line in sys.stdin:
        name, *arguments = line.split()
        print(commands[name](*map(int, arguments)), flush=True)


def timed(work, synchronise=lambda: None):
    synchronise()
    started = time.perf_counter()
    work()
    synchronise()
    return (time.perf_counter() - started) * 1e3


def torch_side(device, threads, cell, batch, time_steps, units):
    """PyTorch, as its documentation trains a net."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    device = device if torch.cuda.is_available() else "cpu"
    layers = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple": torch.nn.RNN}
    layer = layers[cell](FEATURES, units, batch_first=True, bidirectional=True).to(device)
    head = torch.nn.Linear(2 * units, 1).to(device)
    both = torch.nn.ModuleList([layer, head])
    adam = torch.optim.Adam(both.parameters(), lr=1e-3)

    def step(x):
        both.train()
        adam.zero_grad()
        head(layer(x)[0]).square().mean().backward()
        adam.step()

    def forward(x):
        both.eval()
        with torch.no_grad():
            return head(layer(x)[0])

    def matmul(size):
        a, b = torch.rand(size, size, device=device), torch.rand(size, size, device=device)
        return timed(lambda: a @ b, synchronise)

    synchronise = torch.cuda.synchronize if device == "cuda" else lambda: None
    x, short = torch.rand(batch, time_steps, FEATURES, device=device) * 2 - 1, torch.rand(1, 2, FEATURES, device=device)
    step(short)
    forward(short)
    name = f"PyTorch {torch.__version__} on the CPU"
    if device == "cuda":
        name = f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()} on {torch.cuda.get_device_name()}"
    commands = {"step": lambda: timed(lambda: step(x), synchronise), "forward": lambda: timed(lambda: forward(x), synchronise)}
    serve(name, commands | {"matmul": matmul})


def keras_side(_device, threads, cell, batch, time_steps, units):
    """Keras on TensorFlow: a compiled model, `train_on_batch` and `predict_on_batch`."""
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", KERAS_BACKEND="tensorflow")
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    import keras

    keras.utils.set_random_seed(1)
    layers = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple": keras.layers.SimpleRNN}
    recurrent = keras.layers.Bidirectional(layers[cell](units, return_sequences=True))
    model = keras.Sequential([keras.Input((None, FEATURES)), recurrent, keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    rng = np.random.default_rng(1)

    def data(*shape):
        return tf.constant(rng.uniform(-1, 1, (*shape, FEATURES)), tf.float32), tf.zeros((*shape, 1))

    # Two shapes, so that what is compiled takes every shape and the first step at full size compiles nothing.
    for short in [(1, 2), (2, 3)]:
        model.train_on_batch(*data(*short))
        model.predict_on_batch(data(*short)[0])
    x, y = data(batch, time_steps)
    commands = {"step": lambda: timed(lambda: model.train_on_batch(x, y)), "forward": lambda: timed(lambda: model.predict_on_batch(x))}
    serve(f"Keras {keras.__version__} on TensorFlow {tf.__version__}", commands)


# ------------------------------------------------------------------------------------------------------------- both sides


class Side:
    """One contender: a process that works only while it is asked to."""

    def __init__(self, name, command, threads):
        variables = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
        environment = dict(os.environ) | dict.fromkeys(variables, str(threads))
        self.name = name
        self.times = {}
        self.process = subprocess.Popen(
            [str(word) for word in command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.versions = self.line().removeprefix("ready").strip()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with exit code {self.process.wait()}")
        return line.strip()

    def ask(self, command):
        """Milliseconds that `command` took."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return float(self.line())

    def turn(self, command):
        """Milliseconds: one repetition for the caches, then the median of those that count."""
        repeats = min(TURN_REPEATS, max(1, round(TURN_MS / max(self.ask(command), 1e-3))))
        return median(self.ask(command) for _ in range(repeats))

    def median(self, command):
        return median(self.times[command])

    def resident_kib(self, key):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))

    def peak_memory(self):
        """MiB by which the first full-size steps raise the process' peak over its level before; None where Linux does not tell."""
        try:
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
            before = self.resident_kib("VmRSS")
            for _ in range(MEMORY_STEPS):
                self.ask("step")
            return (self.resident_kib("VmHWM") - before) / 1024
        except OSError:
            return None

    def processor_s(self):
        """Seconds of processor time so far; 0 where Linux does not tell."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def build_worker():
    """Builds physiosynth's side and gives its path. The binary's package is named too, so that burn is found as its build left it."""
    command = "cargo bench --no-run -p physiosynth-pipeline -p physiosynth-recurrent --bench worker --message-format=json"
    done = subprocess.run(command.split(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"`{command}` failed; see above")
    messages = map(json.loads, done.stdout.splitlines())
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "worker")


def contenders(arguments, cell, size):
    """Starts every side for one cell and size."""
    shape, python = [cell, *size], [sys.executable, __file__]
    sides = [Side("physiosynth", [arguments.worker, arguments.device, *shape], arguments.threads)]
    words = ["cpu" if arguments.device == "cpu" else "cuda", arguments.threads, *shape]
    sides.append(Side("PyTorch", [*python, "--side", "torch", *words], arguments.threads))
    if arguments.keras:
        sides.append(Side("Keras", [*python, "--side", "keras", *words], arguments.threads))
    return sides


class Watch:
    """What the other programs, and the sides whose turn it is not, took of the processor since the watch began; in cores."""

    def __init__(self, side, others):
        self.side, self.others = side, others
        self.start = self.now()

    def now(self):
        waiting, own = sum(other.processor_s() for other in self.others), self.side.processor_s()
        return {"clock": time.perf_counter(), "waiting": waiting, "foreign": used_s() - own - waiting}

    def cores(self):
        now = self.now()
        clock = now.pop("clock") - self.start["clock"]
        return {key: max(0.0, now[key] - self.start[key]) / clock for key in now}


def used_s():
    """Seconds of processor time that the whole machine used or was denied by its host; 0 where Linux does not tell."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waits, interrupts, soft, stolen = map(int, fields)
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def undisturbed(side, others, command, until):
    """Milliseconds of `command`, and what others took of the processor meanwhile. Begun when the machine is quiet, and taken
    again where it was disturbed, until the clock shows `until`."""
    while True:
        watch = Watch(side, others)
        time.sleep(SETTLE_S)
        if watch.cores()["foreign"] > DISTURBED and time.perf_counter() < until:
            continue
        watch = Watch(side, others)
        milliseconds = side.turn(command)
        cores = watch.cores()
        if cores["foreign"] <= DISTURBED or time.perf_counter() > until:
            return milliseconds, cores


def measure(arguments, cell, size):
    """Every side's times and memory for one cell and size, as a row of the table."""
    sides = contenders(arguments, cell, size)
    on_cpu, matrix = arguments.device == "cpu", MATRIX[arguments.device]
    memory = {side.name: side.peak_memory() if on_cpu else None for side in sides}
    disturbed, waiting, until = 0, 0.0, time.perf_counter() + arguments.patience
    for count in range(arguments.rounds + 1):
        for side in sides:
            others = [other for other in sides if other is not side]
            for command in PASSES + ([f"matmul {matrix}"] if side.name != "Keras" else []):
                milliseconds, cores = undisturbed(side, others, command, until)
                # The first round only warms up.
                if count > 0:
                    side.times.setdefault(command.split()[0], []).append(milliseconds)
                    disturbed += cores["foreign"] > DISTURBED
                    waiting = max(waiting, cores["waiting"])
    row = {"cell": cell, "batch": size[0], "time": size[1], "units": size[2]}
    row["operations"], row["matrix"] = operations(cell, *size), matrix
    row["times_ms"] = {side.name: side.times for side in sides}
    row["medians_ms"] = {side.name: {command: side.median(command) for command in side.times} for side in sides}
    row["peak_memory_mib"] = memory
    row["disturbed"], row["cores_used_by_waiting_sides"] = disturbed, waiting
    row["versions"] = {side.name: side.versions for side in sides}
    for side in sides:
        side.end()
    return row


def brief(row):
    """The row's medians in one line, side by side."""
    times = {command: " ".join(f"{times[command]:.2f}" for times in row["medians_ms"].values()) for command in PASSES}
    text = ", ".join(f"{command} {ms} ms" for command, ms in times.items())
    return f"{row['cell']} {row['batch']}×{row['time']}×{row['units']}: {text}; {row['disturbed']} disturbed"


def limit_ms(row, command, rate):
    """The time that the operations of a pass take at `rate`, operations per millisecond."""
    return row["operations"][command] / rate


def rate_of(rows, side):
    """Operations per millisecond in matrix products: the median over all rounds of all rows."""
    matrix = rows[0]["matrix"]
    return 2 * matrix**3 / median(t for row in rows for t in row["times_ms"][side]["matmul"])


def print_table(rows, names):
    """Ratios of medians (ours over theirs: below 1 is faster), with the times and memory beside."""
    rate = max(rate_of(rows, side) for side in ("physiosynth", "PyTorch"))
    others = names[1:]
    head = f"{'cell':<7}{'batch×time×units':>17} {'pass':<8}" + "".join(f"{name + ' ms':>15}" for name in names)
    head += "".join(f"{'/ ' + name:>11}" for name in others) + f"{'× limit':>9}" + f"{'PyTorch ×':>11}"
    print("\n" + head + "".join(f"{name + ' MiB':>17}" for name in names))
    for row in rows:
        for command in PASSES:
            times = [row["medians_ms"][name][command] for name in names]
            limit = limit_ms(row, command, rate)
            size = "×".join(str(row[key]) for key in ("batch", "time", "units"))
            line = f"{row['cell']:<7}{size:>17} {command:<8}" + "".join(f"{t:>15.2f}" for t in times)
            line += "".join(f"{times[0] / t:>11.3f}" for t in times[1:]) + f"{times[0] / limit:>9.1f}{times[1] / limit:>11.1f}"
            memory = [row["peak_memory_mib"][name] for name in names] if command == "step" else []
            print(line + "".join(f"{'–' if m is None else format(m, '.1f'):>17}" for m in memory))
    print("\nms: medians; / PyTorch, / Keras: physiosynth's time over theirs, below 1 is faster")
    print("× limit: physiosynth's time (then PyTorch's) over that of the pass' products at the faster of the matrix-product rates:")
    for side in ("physiosynth", "PyTorch"):
        print(f"  {side:<12} {rate_of(rows, side) / 1e6:>8.1f} GFLOP/s for {rows[0]['matrix']} rows and columns, float32")
    print("MiB: peak of a training step over the process' memory before its first one")
    disturbed, waiting = (max(row[key] for row in rows) for key in ("disturbed", "cores_used_by_waiting_sides"))
    taken = sum(map(len, (times for side in rows[0]["times_ms"].values() for times in side.values())))
    print(f"at most {disturbed} of the {taken} times of a cell and size were taken while other programs had over {DISTURBED:.0%} of a core")
    print(f"sides that waited used at most {waiting:.0%} of a core")
    if 2 * disturbed > taken:
        print("THE MACHINE WAS BUSY: the ratios flatter whoever needs its threads to meet least often")


def describe(arguments, rows):
    """Machine and versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    versions = "; ".join(version for version in rows[0]["versions"].values() if version)
    print(f"{cores} cores, {model}, {platform.system()} {platform.release()}; Python {platform.python_version()}; {versions}")
    print(f"physiosynth on {arguments.device}; {arguments.threads} threads; medians of {arguments.rounds} rounds, taken in turns")


def size_of(text):
    batch, time_steps, units = map(int, text.split("x"))
    return batch, time_steps, units


def main():
    listed = lambda text: text.split(",")  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="turns of each side that count")
    parser.add_argument("--cells", type=listed, default=CELLS, help="lstm,gru,simple")
    parser.add_argument("--sizes", type=listed, default=SIZES, help="BATCHxTIMExUNITS,…")
    parser.add_argument("--threads", type=int, default=2, help="threads of each side")
    parser.add_argument("--device", default="cpu", choices=["cpu", "wgpu", "cuda"], help="with a GPU PyTorch takes CUDA; no Keras")
    parser.add_argument("--patience", type=float, default=90, metavar="S", help="seconds per row that go to disturbed times")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every time of every round")
    parser.add_argument("--no-keras", dest="keras", action="store_false", help="leave Keras out")
    parser.add_argument("--worker", help="physiosynth's side, already built [default: build it]")
    parser.add_argument("--side", nargs=7, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        name, device, threads, cell, *size = arguments.side
        return {"torch": torch_side, "keras": keras_side}[name](device, int(threads), cell, *map(int, size))
    arguments.keras &= arguments.device == "cpu"
    arguments.worker = arguments.worker or build_worker()
    settings = {"rounds": arguments.rounds, "threads": arguments.threads, "device": arguments.device, "features": FEATURES}
    rows = []
    for cell in arguments.cells:
        for size in map(size_of, arguments.sizes):
            rows.append(measure(arguments, cell, size))
            # What a run that is stopped has found so far.
            print(brief(rows[-1]), file=sys.stderr, flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(settings | {"rows": rows}, indent=1) + "\n")
    describe(arguments, rows)
    print_table(rows, list(rows[0]["medians_ms"]))


if __name__ == "__main__":
    main()
