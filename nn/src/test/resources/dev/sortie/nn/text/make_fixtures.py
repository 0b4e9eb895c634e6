"""Writes the tokenizer fixtures next to this script with PyPI's tokenizers (0.23.3).

Each NAME.json is a small tokenizer.json; NAME.golden.json has, for each text, the ids with special
tokens left as text ("ids"), with them parsed ("parsed"), with the post-processor ("added"), and the
text that "parsed" decodes to, without and with special tokens ("decoded", "kept").
Run: python make_fixtures.py
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
MODERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?LETTER+|DIGITS"
    r"| ?[^\s\p{L}MARK\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = {
    "llama3": MODERN.replace("LETTER", r"\p{L}").replace("MARK", "").replace("DIGITS", r"\p{N}{1,3}"),
    "qwen2": MODERN.replace("LETTER", r"\p{L}").replace("MARK", "").replace("DIGITS", r"\p{N}"),
    "qwen35": MODERN.replace("LETTER", r"[\p{L}\p{M}]").replace("MARK", r"\p{M}").replace("DIGITS", r"\p{N}"),
}
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

TEXTS = [
    "", " ", "a", "Hello, world!", "Once upon a time", "  leading and trailing  ",
    "It's we're I'll they'd she's IT'S WE'LL i'M", "don't 'tis 'quoted' ''s '\u017f x'\u017fy",
    "2024-11-25 12345678 3.14159 x1y22z333", "\u0661\u0662\u0663 \u00bd \u2167 \u2460 10\u00b2",
    "tabs\tand\t\tmore", "line\nline\n\nline\r\nline\r\r\n", "\n", "\n\n  \n a", " \n x", "a \n\n b  \n",
    "trailing newline\n", "trailing spaces   ", "   \t\n   mixed \t space",
    "na\u00efve caf\u00e9 \u2014 \u201cquotes\u201d \u2026 \ufb01", "e\u0301 combining a\u0308o\u0302",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3001\u6df7\u3056\u3063\u305f English",
    "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\ud55c\uad6d\uc5b4 \ubb38\uc7a5",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", "\u05e9\u05dc\u05d5\u05dd",
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u092a\u093e\u0920",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea emoji \U0001f600\U0001f600",
    "\U00010400\U00010428 \U0001d7d8\U0001d7d9 \U00020000", "a\u00a0b\u2003c\u3000d\u2028e\u0085f",
    "zero\u200bwidth \ufeffbom", "\x00\x01\x7f control", "def f(x):\n    return x**2 # ok\n",
    "{\"key\": [1, 2.5e-3, null]}", "https://example.org/a?b=c&d=%20", "#!@$%^&*()_+-=[]{}|;:,.<>/?~`",
    "<|endoftext|>", "<|im_start|>user\nhi<|im_end|>\n", "a <|im_end|> b<|endoftext|><|endoftext|>",
    "<|im_start|", "<s>x</s><unk>", "<0x41><0xE2>", "\u2581under\u2581 score \u2581\u2581", "ma\u00df  stra\u00dfe",
    "  [pad]  [word] sword[word] [word]s [soft]  x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "the the the  the   the    the thethethethethethethethethethethethethethethe",
]

SYLLABLES = "ba be bi do du fa ge hi ka li mo na pe ra si the ti to up wa and er ing".split()


def training_text():
    rng = random.Random(20)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) for _ in range(220)]
    lines = []
    for _ in range(110):
        line = [rng.choice(words) for _ in range(rng.randint(4, 14))]
        if rng.random() < 0.4:
            line.insert(rng.randrange(len(line)), str(rng.randint(0, 99999)))
        if rng.random() < 0.2:
            line.insert(rng.randrange(len(line)), rng.choice(["don't", "it's", "caf\u00e9", "\u65e5\u672c", "we'll"]))
        lines.append(" ".join(line).capitalize() + rng.choice([".", "!", "?", "...", ",\n"]))
    return "\n".join(lines) + "\n"


def byte_level(name, text):
    tok = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    level = pre_tokenizers.ByteLevel(add_prefix_space=name == "gpt2prefix", use_regex=name not in PATTERNS)
    if name in PATTERNS:
        regex = Regex(PATTERNS[name])
        tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(regex, "isolated"), level])
    elif name == "smollm":
        tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level])
    else:
        tok.pre_tokenizer = level
    if name in ("qwen2", "qwen35"):
        tok.normalizer = normalizers.NFC()
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIALS, min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator([text], trainer)
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    if name == "llama3":
        tok.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])])
    if name == "gpt2":
        tok.add_tokens([AddedToken("[pad]", lstrip=True, rstrip=True), AddedToken("[word]", single_word=True),
                        AddedToken("[soft]", rstrip=True, normalized=False), AddedToken("\u00e9\u00e8")])
    return tok


def sentence_piece(name, text):
    specials = ["<unk>", "<s>", "</s>"]
    tok = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=specials, min_frequency=2, show_progress=False,
        limit_alphabet=60)
    tok.train_from_iterator([text], trainer)
    data = json.loads(tok.to_str())
    vocab = {t: i for i, t in enumerate(specials + [f"<0x{b:02X}>" for b in range(256)])}
    if name == "nofallback":
        data["model"]["byte_fallback"] = False
        vocab = {t: i for i, t in enumerate(specials)}
    for token in data["model"]["vocab"]:
        vocab.setdefault(token, len(vocab))
    data["model"]["vocab"] = vocab
    tok = Tokenizer.from_str(json.dumps(data))
    if name == "sentencepiece":
        tok.pre_tokenizer = None
        tok.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
        tok.decoder = decoders.Sequence([
            decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    else:
        tok.decoder = decoders.Metaspace(prepend_scheme="first")
    if name == "metaspace":
        tok.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tok


def golden(tok):
    cases = []
    for text in TEXTS:
        tok.encode_special_tokens = True
        ids = tok.encode(text, add_special_tokens=False).ids
        tok.encode_special_tokens = False
        parsed = tok.encode(text, add_special_tokens=False).ids
        cases.append({
            "text": text, "ids": ids, "parsed": parsed, "added": tok.encode(text).ids,
            "decoded": tok.decode(parsed), "kept": tok.decode(parsed, skip_special_tokens=False)})
    return cases


def save(name, tok):
    (HERE / f"{name}.json").write_text(json.dumps(json.loads(tok.to_str()), separators=(",", ":")))
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in golden(tok))
    (HERE / f"{name}.golden.json").write_text(f"[\n{lines}\n]\n")


def main():
    text = training_text()
    (HERE / "training.txt").write_text(text, encoding="utf-8")
    for name in ["gpt2", "gpt2prefix", "smollm", "llama3", "qwen2", "qwen35"]:
        save(name, byte_level(name, text))
    for name in ["sentencepiece", "metaspace", "nofallback"]:
        save(name, sentence_piece(name, text))


if __name__ == "__main__":
    main()
