"""Mutated models, each put through models.load: refused with a stage, and the process lives.

Three attackers: one changes the model file, one also makes the manifest's digests anew, and one makes
them anew for a text so like the old one that only scores could tell. LightGBM itself dies of most such
texts; a crash here would end the whole test run.
"""

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.scoring import Scorer, parse_model, walk_paths
from models import ReleaseRejected, load
from models.golden import read_golden
from tests.models.conftest import CONTRACT, NAMES, Draft, read_policy, write
from tests.support.campaign import WHOLE

Mutation = Callable[[str, random.Random], str]

STAGES_OF_A_BAD_MODEL = {"model", "golden"}


def _verdict(files: dict[str, bytes], root: Path, digest: str | None = None) -> str:
    """The stage that refuses these files, or "accepted"."""
    write(files, root / "first")
    try:
        load("first", root, digest=digest, contract=CONTRACT, read_policy=read_policy)
    except ReleaseRejected as refusal:
        return refusal.stage
    return "accepted"


def _blocks(text: str) -> tuple[str, list[str], str]:
    """Header, tree blocks, tail."""
    start, end = text.index("Tree=0\n"), text.index("end of trees")
    return text[:start], re.split(r"(?<=\n\n\n)(?=Tree=)", text[start:end]), text[end:]


def _joined(head: str, blocks: list[str], tail: str) -> str:
    """A text whose tree sizes and numbers fit its blocks again."""
    numbered = [re.sub(r"^Tree=\d+", f"Tree={index}", block) for index, block in enumerate(blocks)]
    sizes = " ".join(str(len(block)) for block in numbered)
    return re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", head) + "".join(numbered) + tail


def _in_a_tree(key: str, change: Callable[[list[str], random.Random], list[str]]) -> Mutation:
    """Change the numbers of one key in a random tree that has some; sizes are made to fit."""

    def mutate(text: str, chance: random.Random) -> str:
        head, blocks, tail = _blocks(text)
        able = [index for index, block in enumerate(blocks) if re.search(rf"^{key}=\S", block, re.M)]
        index = chance.choice(able)
        blocks[index] = re.sub(
            rf"^{key}=(.*)$",
            lambda found: f"{key}=" + " ".join(change(found[1].split(" "), chance)),
            blocks[index],
            count=1,
            flags=re.M,
        )
        return _joined(head, blocks, tail)

    return mutate


def _put(make: Callable[[str, random.Random], str]) -> Callable[[list[str], random.Random], list[str]]:
    """Replace one number at a random place."""

    def change(numbers: list[str], chance: random.Random) -> list[str]:
        place = chance.randrange(len(numbers))
        return [make(number, chance) if at == place else number for at, number in enumerate(numbers)]

    return change


def _swapped(numbers: list[str], chance: random.Random) -> list[str]:
    first, second = chance.sample(range(len(numbers)), 2)
    numbers[first], numbers[second] = numbers[second], numbers[first]
    return numbers


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) - 3)]


def _duplicate_line(text: str, chance: random.Random) -> str:
    """A line of a tree twice, with other numbers: LightGBM takes the second, a reader the first."""
    head, blocks, tail = _blocks(text)
    index = chance.randrange(len(blocks))
    lines = blocks[index].split("\n")
    place = chance.randrange(1, len(lines) - 3)
    key, _, numbers = lines[place].partition("=")
    lines.insert(place + 1, f"{key}={' '.join(reversed(numbers.split(' ')))}")
    blocks[index] = "\n".join(lines)
    return _joined(head, blocks, tail)


def _drop_line(text: str, chance: random.Random) -> str:
    head, blocks, tail = _blocks(text)
    index = chance.randrange(len(blocks))
    lines = blocks[index].split("\n")
    del lines[chance.randrange(1, len(lines) - 3)]
    blocks[index] = "\n".join(lines)
    return _joined(head, blocks, tail)


def _drop_tree(text: str, chance: random.Random) -> str:
    head, blocks, tail = _blocks(text)
    del blocks[chance.randrange(len(blocks))]
    return _joined(head, blocks, tail)


def _repeat_tree(text: str, chance: random.Random) -> str:
    head, blocks, tail = _blocks(text)
    blocks.append(chance.choice(blocks))
    return _joined(head, blocks, tail)


def _reordered_features(text: str, chance: random.Random) -> str:
    names = list(NAMES)
    while tuple(names) == NAMES:
        chance.shuffle(names)
    return text.replace("feature_names=" + " ".join(NAMES), "feature_names=" + " ".join(names))


def _cycle(text: str, chance: random.Random) -> str:
    """A node whose child is itself, its ancestor or the root."""

    def change(numbers: list[str], chance: random.Random) -> list[str]:
        nodes = [at for at, number in enumerate(numbers) if int(number) > 0] or [0]
        at = chance.choice(nodes)
        numbers[at] = str(chance.randrange(0, at + 1))
        return numbers

    return _in_a_tree(chance.choice(["left_child", "right_child"]), change)(text, chance)


def _wrong_sizes(text: str, chance: random.Random) -> str:
    sizes = re.findall(r"\d+", re.search(r"tree_sizes=(.*)", text)[1])  # type: ignore[index]
    at = chance.randrange(len(sizes))
    sizes[at] = str(int(sizes[at]) + chance.choice([-1, 1, -50, 50, 10**6, 10**18, -(10**4)]))
    return re.sub(r"tree_sizes=.*", "tree_sizes=" + " ".join(sizes), text)


def _header(old: str, new: str) -> Mutation:
    return lambda text, chance: text.replace(old, new, 1)


def _scaled(number: str, chance: random.Random) -> str:
    return format(float(number) * chance.choice([-1.0, 0.5, 1.01, 2.0, 1000.0]), ".17g")


def _odd_number(number: str, chance: random.Random) -> str:
    spellings = [
        "nan",
        "-nan",
        "-inf",
        "1e999",
        "X",
        "",
        "0x10",
        "1_0",
        "+1",
        "1.0",
        " 1",
        "1,5",
        "--1",
        "01",
    ]
    return chance.choice(spellings)


def _other_missing(numbers: list[str], chance: random.Random) -> list[str]:
    """The other side for missing values at the root.

    At the root alone: deeper down a missing value may have left the way already, and then nothing changes.
    """
    decision = int(numbers[0])
    if decision & 1 or decision < 4:  # categories, and nodes that know no missing value, have no such side
        return [str(decision ^ 16), *numbers[1:]]
    return [str(decision ^ 2), *numbers[1:]]


def _one_of(*values: str) -> Callable[[list[str], random.Random], list[str]]:
    """Put one of these at a random place."""
    return _put(lambda number, chance: chance.choice(values))


def _moved(*steps: int) -> Callable[[list[str], random.Random], list[str]]:
    """Add one of these to an integer at a random place."""
    return _put(lambda number, chance: str(int(number) + chance.choice(steps)))


FAMILIES: dict[str, Mutation] = {
    "truncated": _cut,
    "a line twice": _duplicate_line,
    "a line gone": _drop_line,
    "a tree gone": _drop_tree,
    "a tree twice": _repeat_tree,
    "features reordered": _reordered_features,
    "children in a ring": _cycle,
    "sizes that do not fit": _wrong_sizes,
    "a leaf changed": _in_a_tree("leaf_value", _put(_scaled)),
    "leaves exchanged": _in_a_tree("leaf_value", _swapped),
    "a leaf count changed": _in_a_tree("leaf_count", _moved(-1, 1, 500)),
    "leaf counts exchanged": _in_a_tree("leaf_count", lambda numbers, chance: numbers[1:] + numbers[:1]),
    "a node count changed": _in_a_tree("internal_count", _moved(-1, 1, 10**9)),
    "a threshold far away": _in_a_tree("threshold", _one_of("-1e+300", "1e+300", "inf", "-1000")),
    "a feature out of range": _in_a_tree("split_feature", _one_of("8", "-1", "2147483648", "99")),
    "a child out of range": _in_a_tree("left_child", _one_of("7", "-9", "2147483647", "-2147483648")),
    "children exchanged": _in_a_tree("right_child", _swapped),
    "a decision of another kind": _in_a_tree("decision_type", _put(lambda n, chance: str(int(n) ^ 1))),
    "missing values elsewhere": _in_a_tree("decision_type", _other_missing),
    "a category set changed": _in_a_tree("cat_threshold", _put(lambda n, chance: str(int(n) ^ 0xFFFFFFFF))),
    "category borders moved": _in_a_tree("cat_boundaries", _moved(-1, 1, 9)),
    "leaves miscounted": _in_a_tree("num_leaves", _one_of("0", "-1", "7", "9", "2147483647", "1000000")),
    "a number in other spelling": _in_a_tree("leaf_value", _put(_odd_number)),
    "an integer in other spelling": _in_a_tree("left_child", _put(_odd_number)),
    "linear trees": _in_a_tree("is_linear", _one_of("1")),
    "several classes": _header("num_class=1", "num_class=3"),
    "averaged output": _header("\nfeature_names", "\naverage_output\nfeature_names"),
    "another objective": _header("binary sigmoid:1", "regression"),
    "another sigmoid": _header("binary sigmoid:1", "binary sigmoid:2"),
}
A_FAMILY = 350 if WHOLE else 16  # times 29: more than 10,000 mutants by `make campaigns`


def test_a_changed_model_file_never_passes_its_digest(trained: Draft, tmp_path: Path) -> None:
    """400 flipped bits, cuts and insertions, the manifest as it was: all refused at the digest."""
    chance = random.Random(1)
    files = trained.named("first", 1)
    model = files["model.txt"]
    for _ in range(400):
        place = chance.randrange(len(model))
        changed = {
            "flip": model[:place] + bytes([model[place] ^ (1 << chance.randrange(8))]) + model[place + 1 :],
            "cut": model[:place],
            "insert": model[:place] + bytes([chance.randrange(256)]) + model[place:],
        }[chance.choice(["flip", "cut", "insert"])]
        assert _verdict({**files, "model.txt": changed}, tmp_path) == "digest"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mutant_with_digests_made_anew_is_still_refused(family: str, trained: Draft, tmp_path: Path) -> None:
    """Sixteen mutants of each of 29 families, 350 in a campaign, re-hashed: parser or golden rows refuse them all."""
    text = trained.files["model.txt"].decode()
    for seed in range(A_FAMILY):
        changed = FAMILIES[family](text, random.Random(seed))
        if changed == text:
            continue
        verdict = _verdict(trained.with_file("model.txt", changed.encode()), tmp_path)
        assert verdict in STAGES_OF_A_BAD_MODEL, f"seed {seed}"


def test_random_bytes_with_digests_made_anew_do_no_harm(trained: Draft, tmp_path: Path) -> None:
    """300 changes of a byte, re-hashed: most are refused, none passes for the promoted release.

    What passes is text that no score depends on, such as a gain, or a threshold moved so little that no
    golden row falls between old and new. That is another release with another digest, and the champion's
    line refuses it.
    """
    chance = random.Random(5)
    files = trained.named("first", 1)
    model, promoted = files["model.txt"], hashlib.sha256(files["manifest.json"]).hexdigest()
    verdicts: Counter[str] = Counter()
    for _ in range(300):
        place = chance.randrange(model.index(b"end of trees"))
        other = chance.choice([byte for byte in b"0123456789-. =e" if byte != model[place]])
        changed = model[:place] + bytes([other]) + model[place + 1 :]
        mutant = trained.with_file("model.txt", changed)
        verdict = _verdict(mutant, tmp_path)
        verdicts[verdict] += 1
        if verdict == "accepted":
            scorer = Scorer(changed.decode(), NAMES)
            assert [scorer.raw(row) for row in trained.rows[:50]] == [scorer.walk(row) for row in trained.rows[:50]]
        assert _verdict(mutant, tmp_path, promoted) == "manifest"
    assert set(verdicts) <= STAGES_OF_A_BAD_MODEL | {"accepted"}
    assert verdicts["accepted"] < 75


def test_golden_rows_of_another_model_are_refused(trained: Draft, tmp_path: Path) -> None:
    """The last bits of one raw score, one contribution, too few rows, or rows in another form."""
    golden = trained.files["golden.jsonl"]
    lines = golden.splitlines(keepends=True)
    raw = re.search(rb'"raw":"(-?0x1\.[0-9a-f]{12})([0-9a-f])', golden)
    share = re.search(rb'"contributions":\["(-?0x[01]\.[0-9a-f]{4})([0-9a-f])', golden)
    assert raw is not None
    assert share is not None
    changed = {
        "last bit": golden[: raw.start(2)] + (b"1" if raw[2] != b"1" else b"2") + golden[raw.end(2) :],
        "contribution": golden[: share.start(2)] + (b"1" if share[2] != b"1" else b"8") + golden[share.end(2) :],
        "too few": b"".join(lines[:19]),
        "none": b"",
        "a line cut": golden[:-10],
        "a key twice": lines[0].replace(b'"raw":', b'"raw":"0x1p0","raw":') + b"".join(lines[1:]),
        "a value short": re.sub(rb'"row":\["[^"]*",', b'"row":[', golden, count=1),
        "infinite": re.sub(rb'"row":\["[^"]*"', b'"row":["inf"', golden, count=1),
        "not a number": re.sub(rb'"raw":"[^"]*"', b'"raw":"nan"', golden, count=1),
        "decimal": re.sub(rb'"raw":"[^"]*"', b'"raw":0.5', golden, count=1),
        "nested": b"[" * 100_000 + b"\n" + golden,
        "other bytes": b"\xff\n" + golden,
        "spaces": golden.replace(b'"row":', b'"row": ', 1),
    }
    for name, data in changed.items():
        assert data != golden
        assert _verdict(trained.with_file("golden.jsonl", data), tmp_path) == "golden", name


def test_golden_rows_reach_every_leaf(trained: Draft) -> None:
    """The rows chosen for a release go through every leaf, so that no leaf can change unseen."""
    ensemble = parse_model(trained.files["model.txt"].decode())
    golden = read_golden(trained.files["golden.jsonl"], len(NAMES))
    reached = {(tree, path[-1]) for row in golden for tree, path in enumerate(walk_paths(ensemble, row.row))}
    assert len(reached) == sum(len(tree.leaf_value) for tree in ensemble.trees)
    assert len(golden) >= 60
