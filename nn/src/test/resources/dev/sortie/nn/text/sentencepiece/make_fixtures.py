"""Writes the SentencePiece models next to this script and the ids of texts, with PyPI's sentencepiece (0.2.3).

Each NAME.model is small; NAME.golden.json has, for each text, the ids that SentencePiece gives it.
Run: python make_fixtures.py
"""

import json
import os
import pathlib
import random

import sentencepiece

# The models keep the paths they were made with, so these are relative.
os.chdir(pathlib.Path(__file__).parent)
HERE = pathlib.Path()
TRAINING = pathlib.Path("../training.txt")

# A few rules in place of the quarter of a megabyte that nmt_nfkc takes.
RULES = {
    "\u00c4": "A\u0308", "\ufb01": "fi", "\uff21": "A", "\u2460": "1", "\u3000": " ", "\t": " ", "\n": " ",
    "\u200b": "", "a\u0301": "\u00e1", "a\u0301\u0323": "\u1ea1\u0301", "\u2026": "...", "\U0001f600": ":)",
    "\u00a0\u00a0": "__", "\ufffd": " ",
}
SYMBOLS = ["<mask>", "\u2581\u2581", "::", "::::", "x y", "\ufb01n", "aaa"]
MODELS = {
    # As Llama 2: nothing is changed, bytes for what is missing.
    "bpe": dict(model_type="bpe", byte_fallback=True, rules={}, remove_extra_whitespaces=False),
    # As Gemma: symbols, and no space before the text.
    "bpe_symbols": dict(
        model_type="bpe", byte_fallback=True, rules={}, remove_extra_whitespaces=False,
        add_dummy_prefix=False, user_defined_symbols=SYMBOLS,
    ),
    "bpe_rules": dict(model_type="bpe", rules=RULES, user_defined_symbols=SYMBOLS),
    "unigram": dict(model_type="unigram", rules={}, remove_extra_whitespaces=False, byte_fallback=True),
    "unigram_symbols": dict(
        model_type="unigram", rules={}, remove_extra_whitespaces=False, user_defined_symbols=SYMBOLS
    ),
    "unigram_rules": dict(model_type="unigram", rules=RULES, user_defined_symbols=SYMBOLS, byte_fallback=True),
}
PARTS = [
    " ", "  ", "     ", "\t", "\n", "\u3000", "\u00a0\u00a0\u00a0", "\u2581", "\u2581\u2581\u2581", "\u200b", "\u2026",
    "a\u0301\u0323", "a\u0301", "\u00c4rger", "\ufb01n", "\ufb01x", "\uff21\uff22", "\u2460\u2461", "\U0001f600", "\u65e5\u672c",
    "\u0000", "\ufffd", "<s>", "</s>", "<unk>", "<mask>", "<0x41>", ":::::", "::", "x y", "aaaa", "aaaaaaa", "1234567",
    "don't", "wand", "sithe", "bada", "doduka", "the", "toto", "kikiki", ".", "!?",
]


def texts():
    rng = random.Random(4)
    words = TRAINING.read_text(encoding="utf-8").split()
    out = ["", " ", "   ", "a", "\u200b", " \u200b ", "\u2581", "<mask>", " <mask>", "aaa", "ab" * 60]
    while len(out) < 140:
        out.append("".join(
            rng.choice(PARTS) if rng.random() < 0.6 else rng.choice(words) + rng.choice(["", " "])
            for _ in range(rng.randint(1, 14))
        ))
    return out


def main():
    rules = HERE / "rules.tsv"
    for name, options in MODELS.items():
        options = dict(options)
        pairs = options.pop("rules")
        lines = ["%s\t%s\n" % tuple(" ".join("%04X" % ord(c) for c in s) for s in p) for p in pairs.items()]
        rules.write_text("".join(lines))
        if pairs:
            options["normalization_rule_tsv"] = str(rules)
        else:
            options["normalization_rule_name"] = "identity"
        sentencepiece.SentencePieceTrainer.train(
            input=str(TRAINING), model_prefix=str(HERE / name), vocab_size=560 if options.get("byte_fallback") else 330,
            minloglevel=2, num_threads=1, hard_vocab_limit=False, **options,
        )
        (HERE / (name + ".vocab")).unlink()
        processor = sentencepiece.SentencePieceProcessor(model_file=str(HERE / (name + ".model")))
        golden = [{"text": text, "ids": processor.encode(text)} for text in texts()]
        path = HERE / (name + ".golden.json")
        path.write_text("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in golden) + "]\n")
    rules.unlink()


main()
