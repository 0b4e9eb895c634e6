"""Writes rouge.jsonl: ROUGE-L F-measures of PyPI's rouge-score 0.1.2 (no stemming) for pairs of texts.

    pip install rouge-score==0.1.2
    python make_fixtures.py
"""

import json
import pathlib
import random

from rouge_score import rouge_scorer

WORDS = "the cat sat on a mat and the dog saw the cat run off with 2 of its 10 toys".split()
PAIRS = [
    ("the cat sat on the mat", "the cat was on the mat"),
    ("", "a reference"),
    ("an answer", ""),
    ("The Cat, sat!", "the cat sat"),
    ("it's 3.14 metres", "it is 3 14 metres"),
    ("naïve café", "naive cafe"),
    ("a b c d e", "e d c b a"),
    ("under_score kept", "under score kept"),
    ("\n new\tlines  ", "new lines"),
]


def main():
    rng = random.Random(1)
    pairs = list(PAIRS)
    for _ in range(30):
        pairs.append(tuple(" ".join(rng.choices(WORDS, k=rng.randint(1, 25))) for _ in range(2)))
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    lines = []
    for answer, reference in pairs:
        score = scorer.score(reference, answer)["rougeL"].fmeasure
        lines.append(json.dumps({"answer": answer, "reference": reference, "rouge_l": score}))
    pathlib.Path(__file__).with_name("rouge.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
