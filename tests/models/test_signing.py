"""Signatures: two people under a trust root, one payload and one type; going back takes two people as well."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import models
from engine.release import Certificate, Release, Validation
from models import Envelope, ReleaseRejected, RollbackStatement, Signature, TrustedKey, TrustRoot
from models.approval import HIGHEST_NAME, STATEMENT_NAME
from models.certificate import CLAIM
from models.signing import ENVELOPE_NAME, MANIFEST_TYPE, ROLLBACK_TYPE, TRUST_TYPE, key_id_of, pae
from tests.models.conftest import CONTRACT, Draft, read_policy, write
from training.signing import sign

TODAY = date(2026, 11, 25)
NAMES = ("ada", "ben", "cy", "dee")


def key(name: str) -> Ed25519PrivateKey:
    """A person's key, the same on every run."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public(name: str) -> str:
    """Its public half in base64."""
    return base64.b64encode(key(name).public_key().public_bytes_raw()).decode()


def trusted(name: str, *roles: str, person: str = "", start: str = "2026-01-01", end: str = "2027-12-31") -> TrustedKey:
    """A key in the trust root; Ada's unless another person is named."""
    return TrustedKey.model_validate(
        {"public": public(name), "person": person or name, "roles": roles, "valid_from": start, "valid_to": end}
    )


BOTH = trusted("cy", "trainer", "approver")
TRUST = TrustRoot(version=1, keys=(trusted("ada", "trainer"), trusted("ben", "approver"), BOTH))


def signed_draft(trained: Draft, name: str, sequence: int, **record: object) -> dict[str, bytes]:
    """The files of a release that says it is signed, trained by Ada and validated by Vera."""
    validation = {
        "validated_by": "vera", "trained_by": "ada", "validated_on": "2026-11-20", "review_on": "2027-05-20",
        "model_sha256": hashlib.sha256(trained.files["model.txt"]).hexdigest(), "examined": "the whole of it",
        "conclusion": "fit for use within the limits", "limits": ("a test",),
    }  # fmt: skip
    facts = trained.facts.model_copy(
        update={
            "name": name, "sequence": sequence, "signed": True, "certificate": Certificate(claim=CLAIM, proofs=()),
            "validation": Validation.model_validate(validation | record),
        }
    )  # fmt: skip
    return models.draft(facts, trained.files)


def publish(root: Path, files: Mapping[str, bytes]) -> str:
    """Published, not signed yet."""
    return models.publish(files, root, contract=CONTRACT, read_policy=read_policy)


def add(root: Path, name: str, *people: str, trust: TrustRoot = TRUST, day: date = TODAY) -> None:
    """Each of these people signs."""
    for person in people:
        _, envelope = models.waiting_envelope(name, root)
        models.add_signature(name, root, sign(key(person), envelope, MANIFEST_TYPE), trust, day)


def load(root: Path, name: str = "first", trust: TrustRoot | None = TRUST) -> Release:
    """The release under the test's contract."""
    return models.load(name, root, contract=CONTRACT, read_policy=read_policy, trust=trust)


def refused(root: Path, name: str = "first", trust: TrustRoot | None = TRUST) -> tuple[str, str]:
    """The stage that refuses it, and why."""
    with pytest.raises(ReleaseRejected) as refusal:
        load(root, name, trust)
    return refusal.value.stage, refusal.value.reason


@pytest.fixture
def root(trained: Draft, tmp_path: Path) -> Path:
    """A root with one published release that says it is signed."""
    publish(tmp_path, signed_draft(trained, "first", 1))
    return tmp_path


def test_pae_is_that_of_the_dsse_specification() -> None:
    """The protocol's own example."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_release_loads_once_a_trainer_and_an_approver_have_signed(root: Path) -> None:
    """Not with no signature, not with one; with both it says who they are."""
    assert refused(root) == ("signature", "the release says it is signed, and nobody has signed it yet")
    add(root, "first", "ada")
    assert refused(root) == ("signature", "no approver in the trust root has signed")
    add(root, "first", "ben")
    assert {(signer.person, signer.role) for signer in load(root).signers} == {("ada", "trainer"), ("ben", "approver")}


def test_one_person_never_counts_twice(root: Path, trained: Draft) -> None:
    """Somebody with both roles cannot sign alone, and neither can two keys of one person."""
    publish(root, signed_draft(trained, "second", 2, trained_by="cy"))
    add(root, "second", "cy")
    assert refused(root, "second") == ("signature", "trainer and approver are one person: two must sign")
    both_adas = TrustRoot(version=1, keys=(trusted("ada", "trainer"), trusted("dee", "approver", person="Ada")))
    add(root, "first", "ada", "dee", trust=both_adas)
    assert refused(root, trust=both_adas)[1].startswith("trainer and approver are one person")


def test_signatures_stand_for_these_bytes_this_type_and_these_keys(root: Path, trained: Draft) -> None:
    """Over another manifest, over another type, by a stranger, or bent by one bit: none of them opens the release."""
    add(root, "first", "ada", "ben")
    place = root / "first" / ENVELOPE_NAME
    good = Envelope.parse(place.read_bytes())
    publish(root, signed_draft(trained, "second", 2))
    (root / "second" / ENVELOPE_NAME).write_bytes(place.read_bytes())
    assert refused(root, "second") == ("signature", "the signatures are over another manifest")

    typed = Envelope.around(ROLLBACK_TYPE, good.content(MANIFEST_TYPE))
    wrong = good.model_copy(update={"signatures": (sign(key("ben"), typed, ROLLBACK_TYPE), good.signatures[0])})
    first = good.signatures[0]
    bent = bytearray(base64.b64decode(first.sig))
    bent[5] ^= 1
    turned = good.with_signature(Signature(keyid=first.keyid, sig=base64.b64encode(bytes(bent)).decode()))
    stranger = good.model_copy(update={"signatures": (sign(key("dee"), good, MANIFEST_TYPE),)})
    for envelope in (wrong, turned, stranger):
        place.write_bytes(envelope.to_bytes())
        assert refused(root)[0] == "signature"
    place.write_bytes(good.to_bytes())
    assert load(root).signers


@pytest.mark.parametrize("change", [b"", b"{}", b"[]", b"\xff", b"[" * 50_000, None])
def test_an_envelope_has_one_byte_form(change: bytes | None, root: Path) -> None:
    """Anything but what was written is refused at its stage, spaces too."""
    add(root, "first", "ada", "ben")
    place = root / "first" / ENVELOPE_NAME
    place.write_bytes(place.read_bytes() + b"\n" if change is None else change)
    assert refused(root)[0] == "signature"


def test_keys_count_on_their_days_alone(root: Path) -> None:
    """A key that ended before the release was made, or begins after it, cannot have signed it."""
    add(root, "first", "ada", "ben")
    for start, end in (("2026-01-01", "2026-11-19"), ("2026-11-21", "2027-12-31")):
        late = TrustRoot(version=2, keys=(trusted("ada", "trainer"), trusted("ben", "approver", start=start, end=end)))
        stage, reason = refused(root, trust=late)
        assert (stage, reason) == ("signature", f"the key of ben is valid {start} to {end}")


def test_adding_is_refused_to_those_who_may_not(root: Path) -> None:
    """A stranger, a key past its last day, a trainer who did not train it, and a signature over something else."""
    with pytest.raises(ReleaseRejected, match="does not know this key"):
        add(root, "first", "dee")
    with pytest.raises(ReleaseRejected, match="is valid"):
        add(root, "first", "ben", day=date(2028, 1, 1))
    other = TrustRoot(version=1, keys=(trusted("dee", "trainer"), trusted("ben", "approver")))
    with pytest.raises(ReleaseRejected, match="ada trained the model and has not signed"):
        add(root, "first", "dee", trust=other)
    elsewhere = sign(key("ben"), Envelope.around(MANIFEST_TYPE, b"{}"), MANIFEST_TYPE)
    with pytest.raises(ReleaseRejected, match="not over this manifest"):
        models.add_signature("first", root, elsewhere, TRUST, TODAY)
    assert not (root / "first" / ENVELOPE_NAME).exists()


def test_without_a_trust_root_nothing_signed_is_believed(root: Path) -> None:
    """The one beside CHAMPION is read where none is given; where there is none the release is refused, not waved in."""
    add(root, "first", "ada", "ben")
    assert refused(root, trust=None)[0] == "trust"
    (root / models.TRUST_NAME).write_bytes(b"{}")
    assert refused(root, trust=None)[0] == "trust"
    (root / models.TRUST_NAME).write_bytes(models.first_root(TRUST))
    assert load(root, trust=None).signers


def test_an_unsigned_release_can_carry_no_signatures(root: Path, trained: Draft) -> None:
    """An envelope beside a manifest that says `signed: false` is refused: nobody shall take it for signed."""
    add(root, "first", "ada", "ben")
    write(trained.named("third", 3), root / "third")
    (root / "third" / ENVELOPE_NAME).write_bytes((root / "first" / ENVELOPE_NAME).read_bytes())
    assert refused(root, "third")[0] == "signature"


@pytest.mark.parametrize(
    ("record", "why"),
    [({"model_sha256": "0" * 64}, "not of this model"), ({"trained_by": "dee"}, "dee trained the model")],
)
def test_a_validation_of_another_model_or_trainer_is_refused(
    record: dict[str, object], why: str, root: Path, trained: Draft
) -> None:
    """The record names the model's digest, and whoever trained it is who signs as trainer."""
    publish(root, signed_draft(trained, "second", 2, **record))
    with pytest.raises(ReleaseRejected, match=why) as refusal:
        add(root, "second", "ada")
    assert refusal.value.stage == "validation"


def test_whoever_trained_or_signs_as_trainer_does_not_validate(root: Path, trained: Draft) -> None:
    """The record cannot name one person for both, and a second trainer's signature does not help."""
    with pytest.raises(ValueError, match="does not validate it"):
        signed_draft(trained, "second", 2, validated_by="Ada")
    publish(root, signed_draft(trained, "second", 2, validated_by="cy"))
    add(root, "second", "ada", "ben", "cy")
    assert refused(root, "second") == ("validation", "cy signs as trainer and cannot validate")


def test_signed_without_certificate_or_validation_cannot_be_stated(trained: Draft) -> None:
    """Signatures are for something: the manifest is refused when it is built."""
    stated = trained.facts.model_dump() | {"signed": True}
    with pytest.raises(ValueError, match="carries a certificate"):
        type(trained.facts)(**stated)


def test_a_false_certificate_is_refused_by_a_new_proof(trained: Draft, tmp_path: Path) -> None:
    """Loading proves the directions of the contract anew: claiming more, less or other ones than hold is refused."""
    directed = models.Contract(CONTRACT.features, CONTRACT.sha256, (1, *(0,) * 7))
    write(trained.with_facts(certificate=Certificate(claim=CLAIM, proofs=())), tmp_path / "first")
    with pytest.raises(ReleaseRejected, match="feature_0: the score may only rise") as refusal:
        models.load("first", tmp_path, contract=directed, read_policy=read_policy)
    assert refusal.value.stage == "certificate"
    assert load(tmp_path).manifest.certificate is not None  # of a contract without directions it is the whole proof
    write(trained.with_facts(certificate=Certificate(claim="It is fine.", proofs=())), tmp_path / "first")
    assert refused(tmp_path)[0] == "certificate"


# -- promotion and going back --------------------------------------------------------------------------------


def promote(root: Path, name: str, day: date = TODAY) -> Release:
    """Promoted under the test's trust root."""
    return models.promote(name, root, contract=CONTRACT, read_policy=read_policy, trust=TRUST, day=day)


def champion(root: Path) -> str:
    """The serving release's name."""
    return models.champion(root, contract=CONTRACT, read_policy=read_policy, trust=TRUST).name


def go_back(root: Path, statement: bytes | None = None) -> Release:
    """Rolled back, with or without a statement."""
    return models.rollback(root, contract=CONTRACT, read_policy=read_policy, trust=TRUST, statement=statement)


def statement(release: Release, *people: str, below: int = 2) -> bytes:
    """Signed leave to go back to a release."""
    stated = RollbackStatement(
        name=release.name, digest=release.digest, sequence=release.manifest.sequence, below=below,
        why="second errs on trusts", stated_on="2026-11-25",
    )  # fmt: skip
    envelope = Envelope.around(ROLLBACK_TYPE, stated.to_bytes())
    for person in people:
        envelope = envelope.with_signature(sign(key(person), envelope, ROLLBACK_TYPE))
    return envelope.to_bytes()


@pytest.fixture
def two(root: Path, trained: Draft) -> Path:
    """Two signed releases, the second the champion after the first."""
    publish(root, signed_draft(trained, "second", 2))
    for name in ("first", "second"):
        add(root, name, "ada", "ben")
        promote(root, name)
    return root


def test_a_lower_sequence_serves_again_only_by_a_signed_statement(two: Path) -> None:
    """Neither promoted nor rolled back to without one; with one it serves, and goes on serving after a restart."""
    for act in (partial(promote, two, "first"), partial(go_back, two)):
        with pytest.raises(ReleaseRejected, match="no signed rollback statement") as refusal:
            act()
        assert refusal.value.stage == "sequence"
    assert champion(two) == "second"
    first = load(two)
    for bad in (statement(first, "ada"), statement(first, "cy"), statement(first, "ada", "ben", below=3), b"{}"):
        with pytest.raises(ReleaseRejected) as refusal:
            go_back(two, bad)
        assert refusal.value.stage == "sequence"
    assert go_back(two, statement(first, "ada", "ben")).name == "first"
    assert champion(two) == "first"


def test_a_champion_line_put_back_by_hand_is_refused(two: Path) -> None:
    """Old bytes in CHAMPION do not bring an old release back, and a statement is void once something higher served."""
    line = (two / "CHAMPION").read_bytes()
    first = load(two)
    (two / "CHAMPION").write_text(f"first {first.digest}\n")
    with pytest.raises(ReleaseRejected) as refusal:
        champion(two)
    assert refusal.value.stage == "sequence"
    (two / "CHAMPION").write_bytes(line)
    go_back(two, statement(first, "ada", "ben"))
    (two / HIGHEST_NAME).write_text("3\n")
    with pytest.raises(ReleaseRejected, match="for first below 2"):
        champion(two)
    (two / STATEMENT_NAME).unlink()
    (two / HIGHEST_NAME).write_text("two")
    with pytest.raises(ReleaseRejected, match="damaged"):
        champion(two)


def test_promotion_looks_at_the_day(root: Path) -> None:
    """Past the review of its validation, or past a signer's last day, a release that loads is not promoted."""
    add(root, "first", "ada", "ben")
    for day, stage in ((date(2027, 5, 21), "validation"), (date(2028, 1, 1), "signature")):
        with pytest.raises(ReleaseRejected) as refusal:
            promote(root, "first", day)
        assert refusal.value.stage == stage
    assert load(root).name == "first"
    assert promote(root, "first", date(2027, 5, 20)).name == "first"


# -- the trust root ------------------------------------------------------------------------------------------


def test_a_new_trust_root_needs_two_people_of_the_old_one() -> None:
    """The next version, signed by a trainer and an approver of the last, and nothing else."""
    new = TrustRoot(version=2, keys=(trusted("dee", "trainer"), trusted("ben", "approver")))

    def file(root: TrustRoot, *people: str) -> bytes:
        envelope = Envelope.around(TRUST_TYPE, root.to_bytes())
        for person in people:
            envelope = envelope.with_signature(sign(key(person), envelope, TRUST_TYPE))
        return envelope.to_bytes()

    assert models.check_successor(TRUST, file(new, "ada", "ben"), TODAY) == new
    skipped = new.model_copy(update={"version": 3})
    for data in (file(new), file(new, "ada"), file(new, "dee", "ben"), file(skipped, "ada", "ben"), b"{}"):
        with pytest.raises(ReleaseRejected) as refusal:
            models.check_successor(TRUST, data, TODAY)
        assert refusal.value.stage == "trust"


@pytest.mark.parametrize(
    "change",
    [
        *({"public": "AAAA"}, {"public": "?"}, {"roles": ()}, {"roles": ("owner",)}),
        *({"valid_to": "2025-01-01"}, {"person": ""}),
    ],
)
def test_a_key_that_makes_no_sense_is_not_trusted(change: dict[str, object]) -> None:
    """Length, role, days and person are checked when the root is built."""
    stated = trusted("ada", "trainer").model_dump() | change
    with pytest.raises(ValueError, match="validation error"):
        TrustedKey.model_validate(stated)
    with pytest.raises(ValueError, match="stands twice"):
        TrustRoot(version=1, keys=(trusted("ada", "trainer"), trusted("ada", "approver", person="eve")))
    assert trusted("ada", "trainer").key_id == key_id_of(key("ada").public_key().public_bytes_raw())
