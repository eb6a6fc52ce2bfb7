"""Documents in an S3-compatible store, over real requests to one of our own."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from api.documents.storage import ObjectStorage, StorageDown, storage_at
from api.sealing import CannotOpen, Sealer
from tests.support.s3 import BUCKET, Bucket, serving_bucket

SEALER = Sealer({"k1": bytes(range(32))})
PLAIN = b"%PDF-1.7 a statement of Jane Sample" * 40


def stored(work: Callable[[ObjectStorage, Bucket], Awaitable[None]], sealer: Sealer = SEALER) -> None:
    """Do this with a store of its own."""

    async def run() -> None:
        async with serving_bucket() as bucket:
            await work(ObjectStorage(f"s3://{BUCKET}/sealed", sealer, **bucket.options), bucket)

    asyncio.run(run())


def test_what_was_put_is_got_and_deleted() -> None:
    """Bytes come back as they were, under the prefix; after a deletion they are gone, and a second one is no error."""

    async def work(storage: ObjectStorage, bucket: Bucket) -> None:
        await storage.put("doc_1", PLAIN)
        assert await storage.get("doc_1") == PLAIN
        assert list(bucket.kept) == ["sealed/doc_1"]
        await storage.delete("doc_1")
        await storage.delete("doc_1")
        assert not bucket.kept
        with pytest.raises(KeyError):
            await storage.get("doc_1")

    stored(work)


def test_ten_megabytes_go_in_one_request() -> None:
    """The largest file is put and got whole: there is never half an object."""

    async def work(storage: ObjectStorage, bucket: Bucket) -> None:
        await storage.put("doc_1", bytes(10_000_000))
        assert bucket.asked == ["PUT sealed/doc_1"]
        assert await storage.get("doc_1") == bytes(10_000_000)

    stored(work)


def test_the_bucket_holds_only_sealed_bytes() -> None:
    """Nothing of the file can be read there, and an object that was moved or changed does not open."""

    async def work(storage: ObjectStorage, bucket: Bucket) -> None:
        await storage.put("doc_1", PLAIN)
        kept = bucket.kept["sealed/doc_1"]
        assert PLAIN[:20] not in kept
        assert b"Sample" not in kept
        bucket.kept["sealed/doc_2"] = kept
        bucket.kept["sealed/doc_1"] = kept[:-1] + bytes([kept[-1] ^ 1])
        for key in ("doc_1", "doc_2"):
            with pytest.raises(CannotOpen):
                await storage.get(key)

    stored(work)


def test_an_object_larger_than_any_document_is_not_read() -> None:
    """Whoever can write to the bucket cannot fill the service's memory."""

    async def work(storage: ObjectStorage, bucket: Bucket) -> None:
        bucket.kept["sealed/doc_1"] = bytes(11_000_001)
        with pytest.raises(CannotOpen):
            await storage.get("doc_1")

    stored(work)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_store_that_refuses_is_down_and_not_repeated(status: int) -> None:
    """Whatever it answers is one exception of ours, without its words, the address or the secret."""

    async def work(storage: ObjectStorage, bucket: Bucket) -> None:
        bucket.refuses = status
        for asked in (storage.put("doc_1", PLAIN), storage.get("doc_1"), storage.delete("doc_1")):
            with pytest.raises(StorageDown) as refused:
                await asked
            assert refused.value.__cause__ is None
            assert not any(word in str(refused.value) for word in ("127.0.0.1", "sample", "doc_1", "Refused"))

    stored(work)


def test_a_bucket_that_is_not_there_is_down() -> None:
    """Where the store does not know the bucket nothing is taken for kept, nor for deleted."""

    async def work(storage: ObjectStorage, bucket: Bucket) -> None:
        bucket.refuses = 404
        for asked in (storage.put("doc_1", PLAIN), storage.delete("doc_1")):
            with pytest.raises(StorageDown):
                await asked

    stored(work)


def test_a_store_that_nobody_answers_for_is_down() -> None:
    """A port that nobody listens on is one exception of ours too, and does not take minutes."""

    async def run() -> None:
        async with serving_bucket() as bucket:
            options = bucket.options
        storage = ObjectStorage(f"s3://{BUCKET}/sealed", SEALER, **options)
        with pytest.raises(StorageDown):
            await storage.get("doc_1")

    asyncio.run(run())


def test_only_an_address_of_s3_is_one() -> None:
    """Another kind of address is refused when the service starts, not when the first document comes."""
    for place in ("file:///var/documents", "http://127.0.0.1/papers", "memory://"):
        with pytest.raises(ValueError, match="s3://bucket/prefix"):
            storage_at(place, SEALER)
