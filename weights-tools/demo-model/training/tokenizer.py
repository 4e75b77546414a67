# SPDX-License-Identifier: Apache-2.0
"""A small CLIP tokenizer: the byte tokens, the first merges of CLIP's BPE list
and those later merges that the prompt words use."""
import gzip
import json
import os
import re

LABELS = ["Blazer", "Blouse", "Body", "Dress", "Hat", "Hoodie", "Longsleeve", "Other", "Outwear",
          "Pants", "Polo", "Shirt", "Shoes", "Shorts", "Skip", "Skirt", "T-Shirt", "Top",
          "Undershirt", "Not sure"]
WORDS = ("a photo of a picture image the clothes clothing garment shoe sneakers jeans jacket coat "
         "sweater red green blue white black grey yellow pink brown").split()
SPLIT = re.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+|_+")


def byte_symbols():
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in keep]
    return dict(zip(keep + rest, [chr(b) for b in keep] + [chr(256 + i) for i in range(len(rest))]))


class Tokenizer:
    def __init__(self, merges):
        self.symbols = byte_symbols()
        self.merges = merges
        self.rank = {m: i for i, m in enumerate(merges)}
        base = list(self.symbols.values())
        tokens = base + [b + "</w>" for b in base] + ["".join(m) for m in merges]
        tokens += ["<|startoftext|>", "<|endoftext|>"]
        self.vocab = {t: i for i, t in enumerate(tokens)}
        assert len(self.vocab) == len(tokens)

    def bpe(self, word, used=None):
        parts = [self.symbols[b] for b in word.encode()]
        parts[-1] += "</w>"
        while True:
            pairs = [(self.rank[p], p) for p in zip(parts, parts[1:]) if p in self.rank]
            if not pairs:
                return parts
            best = min(pairs)[1]
            if used is not None:
                used.add(best)
            out, i = [], 0
            while i < len(parts):
                if tuple(parts[i:i + 2]) == best:
                    out.append("".join(best))
                    i += 2
                else:
                    out.append(parts[i])
                    i += 1
            parts = out

    def ids(self, text, length=77):
        bos, eos = self.vocab["<|startoftext|>"], self.vocab["<|endoftext|>"]
        ids = [self.vocab[t] for w in SPLIT.findall(" ".join(text.lower().split())) for t in self.bpe(w)]
        ids = [bos] + ids[:length - 2] + [eos]
        return ids + [eos] * (length - len(ids))

    def save(self, folder):
        os.makedirs(folder, exist_ok=True)

        def write(name, text):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)

        def added(t):
            return {"__type": "AddedToken", "content": t, "lstrip": False, "normalized": True,
                    "rstrip": False, "single_word": False}

        write("vocab.json", json.dumps(self.vocab, ensure_ascii=False, separators=(",", ":")))
        write("merges.txt", "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in self.merges))
        special = {k: {n: v for n, v in added(t).items() if n != "__type"}
                   for k, t in (("bos_token", "<|startoftext|>"), ("eos_token", "<|endoftext|>"),
                                ("unk_token", "<|endoftext|>"))}
        special["pad_token"] = "<|endoftext|>"
        write("special_tokens_map.json", json.dumps(special, indent=2) + "\n")
        write("tokenizer_config.json", json.dumps({
            "add_prefix_space": False, "bos_token": added("<|startoftext|>"), "do_lower_case": True,
            "eos_token": added("<|endoftext|>"), "errors": "replace", "model_max_length": 77,
            "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer",
            "unk_token": added("<|endoftext|>")}, indent=2) + "\n")


def small(bpe_file, first=2000):
    """Cut the CLIP list (bpe_simple_vocab_16e6.txt.gz) down to a small tokenizer."""
    lines = gzip.open(bpe_file).read().decode().split("\n")[1:49152 - 256 - 2 + 1]
    merges = [tuple(line.split()) for line in lines]
    full, used = Tokenizer(merges), set()
    for text in LABELS + WORDS:
        for w in SPLIT.findall(text.lower()):
            full.bpe(w, used)
    return Tokenizer([m for i, m in enumerate(merges) if i < first or m in used])
