"""Commands for keys, the trust root and signatures.

It does: read arguments, ask for passphrases, print what came out. It does not: compute, or print a private key. The
rule it keeps: nothing is overwritten but the trust root, and that by its successor alone.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_PASSPHRASE = click.option(
    "--passphrase", envvar="CREDITLINE_KEY_PASSPHRASE", prompt="Passphrase (empty for none)", hide_input=True,
    default="", show_default=False, help="Asked for where neither this nor CREDITLINE_KEY_PASSPHRASE says it.",
)  # fmt: skip


def register(main: click.Group) -> None:
    """Put the commands into the desk's command line."""
    for command in (keys, trust, sign, verify, rollback_statement):
        main.add_command(command)


@click.group()
def keys() -> None:
    """Keys of the people who sign releases."""


@keys.command("new")
@click.option("--out", type=_NEW, required=True, help="Where the private key goes: outside the project, yours alone.")
@_PASSPHRASE
def new_key(out: Path, passphrase: str) -> None:
    """Make a private key in a file of mode 0600 and print its public half."""
    from training.signing import new_key as make

    try:
        public = make(out, passphrase)
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from None
    if not passphrase:
        click.echo("no passphrase: whoever copies the file can sign as you", err=True)
    click.echo(public)


@click.group()
def trust() -> None:
    """The trust root: whose keys are believed."""


@trust.command("new")
@click.argument("described", type=_FILE)
@click.option("--out", type=_NEW, required=True, help="The trust root, TRUST.json beside CHAMPION or elsewhere.")
def new_trust(described: Path, out: Path) -> None:
    """Write a trust root from a description (TOML: version, and [[keys]] with public, person, roles and days).

    A first version is believed because whoever may write that place put it there; a later one has to be signed and
    accepted.
    """
    import tomllib

    from models import TrustRoot, first_root

    try:
        told = tomllib.loads(described.read_text())
        for key in told.get("keys", []):
            key |= {day: str(key[day]) for day in ("valid_from", "valid_to") if day in key}
        data = first_root(TrustRoot.model_validate(told))
        with out.open("xb") as file:
            file.write(data)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{out}: version {told['version']}, {len(told['keys'])} keys")


@trust.command("sign")
@click.argument("root", type=_FILE)
@click.option("--key", type=_FILE, required=True)
@_PASSPHRASE
def sign_trust(root: Path, key: Path, passphrase: str) -> None:
    """Sign a new version of the trust root with a key of the old one."""
    from models.signing import TRUST_TYPE

    _sign_file(root, key, passphrase, TRUST_TYPE)


@trust.command("accept")
@click.argument("new", type=_FILE)
@click.option("--root", "old", type=_FILE, required=True, help="The trust root that it follows, which it replaces.")
def accept_trust(new: Path, old: Path) -> None:
    """Replace a trust root by the next version, which a trainer and an approver of the old one have signed."""
    import models
    from models.folder import locked, replace_file

    data = new.read_bytes()
    try:
        with locked(old.parent):
            root = models.check_successor(models.read_trust(old), data, datetime.now(UTC).date())
            replace_file(old, data)
    except (models.ReleaseRejected, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{old}: version {root.version}")


def _root_options(command: Any) -> Any:
    for option in (
        click.option(
            "--trust", "trust_file", type=_FILE, help="The trust root.  [default: TRUST.json beside CHAMPION]"
        ),
        click.option("--root", type=_FOLDER, default=None, help="Where releases are kept.  [default: models/]"),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("name")
@click.option("--key", type=_FILE, required=True, help="Your private key.")
@_PASSPHRASE
@_root_options
def sign(name: str, key: Path, passphrase: str, root: Path | None, trust_file: Path | None) -> None:
    """Sign a published release as its trainer or approver; it loads once both have."""
    import models
    from models.signing import MANIFEST_TYPE
    from training.signing import read_key
    from training.signing import sign as sign_envelope

    where = root or models.ROOT
    try:
        trusted = models.read_trust(trust_file or where / models.TRUST_NAME)
        _, envelope = models.waiting_envelope(name, where)
        signature = sign_envelope(read_key(key, passphrase), envelope, MANIFEST_TYPE)
        models.add_signature(name, where, signature, trusted)
        release = models.load(name, where, trust=trusted)
    except models.ReleaseRejected as error:
        if error.stage != "signature" or not error.reason.startswith("no "):
            raise click.ClickException(str(error)) from None
        click.echo(f"signed; {error.reason}")
        return
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"signed by {_people(release.signers)}: {name} loads")


@click.command()
@click.argument("name")
@_root_options
def verify(name: str, root: Path | None, trust_file: Path | None) -> None:
    """Load a release with every check and say who signed it and what is proved of it."""
    import models

    where = root or models.ROOT
    try:
        trusted = models.read_trust(trust_file) if trust_file else None
        release = models.load(name, where, trust=trusted)
    except models.ReleaseRejected as error:
        raise click.ClickException(str(error)) from None
    manifest = release.manifest
    click.echo(f"{release.name}  sequence {manifest.sequence}, manifest sha256 {release.digest}")
    click.echo(f"signed by {_people(release.signers)}" if release.signers else "UNSIGNED: for development alone")
    if manifest.synthetic:
        click.echo("SYNTHETIC: made from pretend data, for development alone")
    proofs = manifest.certificate.proofs if manifest.certificate else ()
    click.echo(f"directions proved: {len(proofs)}" if proofs else "no certificate of directions")
    if record := manifest.validation:
        click.echo(f"validated by {record.validated_by} on {record.validated_on}: {record.conclusion}")
        click.echo(f"to be reviewed by {record.review_on}; known limits:")
        for limit in record.limits:
            click.echo(f"  {limit}")


@click.command("rollback-statement")
@click.argument("name")
@click.option("--why", required=True, help="One line: why the older release may serve again.")
@click.option("--on", "stated_on", type=_DAY, default=None, help="[default: today]")
@click.option("--below", type=click.IntRange(2), default=None, help="[default: the highest sequence that served]")
@click.option("--key", type=_FILE, required=True, help="Your private key.")
@click.option("--out", type=_NEW, required=True, help="The statement; one that is there is signed too.")
@_PASSPHRASE
@_root_options
def rollback_statement(  # noqa: PLR0913, PLR0917 - one parameter an option
    name: str, why: str, stated_on: datetime | None, below: int | None, key: Path, out: Path, passphrase: str,
    root: Path | None, trust_file: Path | None,
) -> None:  # fmt: skip
    """State, and sign, that an older release may serve again; a trainer and an approver sign the same file."""
    import models
    from models.signing import ROLLBACK_TYPE, Envelope

    where = root or models.ROOT
    try:
        trusted = models.read_trust(trust_file) if trust_file else None
        release = models.load(name, where, trust=trusted)
        statement = models.RollbackStatement(
            name=release.name, digest=release.digest, sequence=release.manifest.sequence,
            below=below or models.highest(where), why=why,
            stated_on=(stated_on or datetime.now(UTC)).date().isoformat(),
        )  # fmt: skip
        fresh = Envelope.around(ROLLBACK_TYPE, statement.to_bytes())
        if not out.exists():
            out.write_bytes(fresh.to_bytes())
        elif Envelope.parse(out.read_bytes()).payload != fresh.payload:
            raise ValueError(
                f"{out} states something else: sign the same name, reason, day and sequence, or a new file"
            )
    except (models.ReleaseRejected, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _sign_file(out, key, passphrase, ROLLBACK_TYPE)


def _sign_file(path: Path, key: Path, passphrase: str, payload_type: str) -> None:
    """Add a signature to an envelope's file."""
    from models.folder import replace_file
    from models.signing import Envelope
    from training.signing import read_key
    from training.signing import sign as sign_envelope

    try:
        envelope = Envelope.parse(path.read_bytes())
        envelope = envelope.with_signature(sign_envelope(read_key(key, passphrase), envelope, payload_type))
        replace_file(path, envelope.to_bytes())
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{path}: {len(envelope.signatures)} signatures")


def _people(signers: Any) -> str:
    return ", ".join(f"{signer.person} ({signer.role})" for signer in signers)
