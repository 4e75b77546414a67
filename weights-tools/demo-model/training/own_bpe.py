# SPDX-License-Identifier: Apache-2.0
"""Replaces the tokenizer of a trained model by one whose merges are learned from our own prompt words.

    python3 own_bpe.py MODEL_FOLDER

The new merges reproduce the segmentation that the text encoder was trained with, so every prompt keeps its
embeddings: rows of the token table move with their token strings. Golden token ids are rewritten likewise.
"""
import json
import os
import sys
from collections import Counter

import torch

from tokenizer import LABELS, SPLIT, WORDS, Tokenizer
from weights import load, save


def learn(segments):
    """Byte-pair merges that build each segment (a tuple of symbols) into one token, most frequent pair first."""
    words, merges = [list(s) for s in segments], []
    while True:
        pairs = Counter(p for w in words for p in zip(w, w[1:]))
        if not pairs:
            return merges
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        for w in words:
            i = 0
            while i < len(w) - 1:
                if (w[i], w[i + 1]) == best:
                    w[i:i + 2] = ["".join(best)]
                i += 1


def main(folder):
    tok = os.path.join(folder, "tokenizer")
    old_merges = [tuple(x.split()) for x in open(os.path.join(tok, "merges.txt"), encoding="utf-8").read().split("\n")[1:] if x]
    old = Tokenizer(old_merges)
    texts = LABELS + WORDS + ["clothes"]
    words = sorted({w for t in texts for w in SPLIT.findall(t.lower())})
    cut = {w: old.bpe(w) for w in words}
    segments = sorted({tuple(list(s[:-4])[:-1] + [s[:-4][-1] + "</w>"]) if s.endswith("</w>") else tuple(s) for c in cut.values() for s in c})
    new = Tokenizer(learn(segments))
    for w in words:
        assert new.bpe(w) == cut[w], (w, new.bpe(w), cut[w])
    path = os.path.join(folder, "text_encoder", "model.safetensors")
    w = load(path)
    key = "text_model.embeddings.token_embedding.weight"
    e = w[key]
    table = torch.zeros(len(new.vocab), e.shape[1], dtype=e.dtype)
    for t, i in new.vocab.items():
        if t in old.vocab:
            table[i] = e[old.vocab[t]]
    w[key] = table
    save(w, path)
    cfg = os.path.join(folder, "text_encoder", "config.json")
    c = json.load(open(cfg))
    c.update(vocab_size=len(new.vocab), bos_token_id=new.vocab["<|startoftext|>"], eos_token_id=new.vocab["<|endoftext|>"])
    json.dump(c, open(cfg, "w"), indent=2)
    new.save(tok)
    back = {i: t for t, i in old.vocab.items()}
    golden = os.path.join(folder, "golden")
    for f in os.listdir(golden) if os.path.isdir(golden) else []:
        if f.endswith(".safetensors"):
            g = load(os.path.join(golden, f))
            ids = [k for k in g if "ids" in k and g[k].dtype == torch.int64]
            for k in ids:
                g[k] = torch.tensor([new.vocab[back[i]] for i in g[k].flatten().tolist()]).reshape(g[k].shape)
            if ids:
                save(g, os.path.join(golden, f))
                print("rewrote", f, ids)
    print(len(old.vocab), "->", len(new.vocab), "tokens;", len(new.merges), "merges")


if __name__ == "__main__":
    main(sys.argv[1])
