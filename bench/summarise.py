# SPDX-License-Identifier: Apache-2.0
"""Turns the tables of `tweedie eval` into the tables of bench/results.

    python bench/summarise.py out/results.csv [more/results.csv ...]

The seconds come from the file times.csv beside each table. Means over pictures and seeds; differences to the
first solver of the table are paired by picture and seed, with a 95 % interval of Student's t.
"""
import collections
import csv
import math
import os
import sys

T95 = {4: 3.182, 8: 2.365, 16: 2.131, 24: 2.069}  # two-sided, n - 1 degrees of freedom


BASES = ("measurement", "pinv", "autoencoder")


def read(files):
    """The rows by task, solver and picture; tables of earlier versions call the solver's column variant, and have
    the seconds in the same table, one noise and one seed."""
    rows = {}
    for name in files:
        beside = os.path.join(os.path.dirname(name), "times.csv")
        seconds = {}
        if os.path.exists(beside):
            with open(beside) as f:
                seconds = {key(r): r["seconds"] for r in csv.DictReader(f)}
        with open(name) as f:
            headed = f.readline().startswith("picture,")
            f.seek(0)
            for r in csv.DictReader(f, fieldnames=None if headed else OLD_HEADER):
                r.setdefault("seconds", seconds.get(key(r)))
                rows[key(r)] = r
    return rows


def key(r):
    """The task with its noise, the solver, and the picture with its seed."""
    task = r["task"] + (" " + r["noise"] if r.get("noise") else "")
    return task, r.get("solver") or r["variant"], (r["picture"], r.get("seed"))


OLD_HEADER = ("picture task variant psnr ssim residual decoded_psnr decoded_ssim decoded_residual seconds "
              "nfe unet_forwards unet_vjps decodes decode_vjps encodes").split()


def mean(rows, key):
    return sum(float(r[key]) for r in rows) / len(rows)


def main():
    rows = read(sys.argv[1:])
    groups = collections.defaultdict(dict)
    for (task, variant, picture), r in rows.items():
        groups[task, variant][picture] = r
    tasks = list(dict.fromkeys(t for t, _ in groups))
    solvers = [s for s in dict.fromkeys(s for _, s in groups) if s not in BASES]
    print("| task | solver | n | PSNR | SSIM | residual / noise | before pixel consistency: PSNR, SSIM, residual | seconds | "
          "nfe, unet forwards, unet vjps, decodes, decode vjps |")
    print("|---|---|---|---|---|---|---|---|---|")
    for task in tasks:
        for variant in [*BASES, *solvers]:
            g = list(groups.get((task, variant), {}).values())
            if not g:
                continue
            line = f"| `{task}` | {variant} | {len(g)} | {mean(g, 'psnr'):.2f} | {mean(g, 'ssim'):.3f} |"
            if g[0]["residual"]:
                counts = ", ".join(f"{mean(g, k):.0f}" for k in ("nfe", "unet_forwards", "unet_vjps", "decodes", "decode_vjps"))
                line += (f" {mean(g, 'residual'):.2f} (worst {max(float(r['residual']) for r in g):.2f}) | {mean(g, 'decoded_psnr'):.2f}, "
                         f"{mean(g, 'decoded_ssim'):.3f}, {mean(g, 'decoded_residual'):.1f} | "
                         f"{mean(g, 'seconds') if g[0]['seconds'] else math.nan:.1f} | {counts} |")
            else:
                line += " | | | |"
            print(line)
    print("\n| task | difference | PSNR, dB | SSIM |\n|---|---|---|---|")
    for task in tasks:
        for a, b in [(s, "pinv" if s == solvers[0] else solvers[0]) for s in solvers]:
            x, y = groups.get((task, a), {}), groups.get((task, b), {})
            both = sorted(set(x) & set(y))
            if both:
                print(f"| `{task}` | {a} - {b} | {interval(x, y, both, 'psnr', 2)} | {interval(x, y, both, 'ssim', 4)} |")


def interval(x, y, pictures, key, digits):
    d = [float(x[p][key]) - float(y[p][key]) for p in pictures]
    m = sum(d) / len(d)
    s = math.sqrt(sum((v - m) ** 2 for v in d) / (len(d) - 1))
    return f"{m:+.{digits}f} ± {T95[len(d)] * s / math.sqrt(len(d)):.{digits}f}"


if __name__ == "__main__":
    main()
