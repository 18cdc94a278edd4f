"""Chunks as objects of a bucket, by obstore."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import AsyncIterator, Awaitable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field

from gateway.ports.fields import Secret, Settings
from gateway.ports.plugin import Host
from gateway.ports.storage import StorageUnavailable, Stored, checked

_CALL_SECONDS = 30.0
_PAGE = 1000
_SAID = re.compile(r"<Code>([^<]{1,100})</Code>\s*<Message>([^<]{1,300})</Message>")

T = TypeVar("T")


def _check_endpoint(text: str) -> str:
    if re.fullmatch(r"https?://[^\s/@?#]+/?", text) is None:
        raise ValueError(f"{text!r} is no address of a server: write it like https://s3.example.com")
    return text


def _check_bucket(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._-]{1,255}", text) is None:
        raise ValueError(f"{text!r} is no name of a bucket: write the name alone, like paywall-holds")
    return text


def _check_prefix(text: str) -> str:
    if text and re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", text) is None:
        raise ValueError(f"{text!r} is no prefix: write it like paywall/holds, of letters, digits, '-' and '_'")
    return text


class S3Settings(Settings):
    """Which bucket, and who may use it."""

    bucket: Annotated[str, AfterValidator(_check_bucket)] = Field(
        description="The bucket. It must be there already, and be nobody's to read but the gateway's.",
        examples=["paywall-holds"],
    )
    endpoint: Annotated[str, AfterValidator(_check_endpoint)] | None = Field(
        default=None,
        description="The server, where it is not Amazon's.",
        examples=["https://minio.internal:9000"],
    )
    region: str = Field(default="us-east-1", description="The bucket's region.", examples=["eu-central-1"])
    prefix: Annotated[str, AfterValidator(_check_prefix)] = Field(
        default="",
        description="What all names in the bucket begin with, where it is not the gateway's alone.",
        examples=["paywall/holds"],
    )
    access_key_id: Secret | None = Field(
        default=None,
        description="The access key, by reference. Where it is left out, the machine's own rights count, or the "
        "usual variables (`AWS_ACCESS_KEY_ID`).",
        examples=[{"env": "HOLDS_KEY_ID"}],
    )
    secret_access_key: Secret | None = Field(
        default=None,
        description="The secret that belongs to it, by reference.",
        examples=[{"env": "HOLDS_KEY"}],
    )

    def model_post_init(self, context: object) -> None:
        """One key is of no use without the other."""
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("names half a key: give both `access_key_id` and `secret_access_key`, or neither")


class S3Storage:
    """The port `Storage`: an object for each chunk, `NAME/NUMBER`."""

    def __init__(self, settings: S3Settings, host: Host) -> None:
        """obstore is not loaded before `start`."""
        self._settings = settings
        self._place = f"the bucket {settings.bucket}"
        self._obstore: Any = None
        self._bucket: Any = None

    async def start(self) -> None:
        """Load obstore and read the keys. The bucket is not asked: it may come up later than the gateway.

        Raises `RuntimeError` where obstore is not installed, `ValueError` where a key can't be had.
        """
        settings = self._settings
        try:
            self._obstore = await asyncio.to_thread(importlib.import_module, "obstore")
        except ImportError:
            raise RuntimeError("the storage s3 needs obstore: pip install 'paywall-gateway[s3]'") from None
        options: dict[str, Any] = {"region": settings.region}
        if settings.endpoint is not None:
            options["endpoint"] = settings.endpoint.rstrip("/")
        if settings.access_key_id is not None and settings.secret_access_key is not None:
            options["access_key_id"] = settings.access_key_id.reveal().decode()
            options["secret_access_key"] = settings.secret_access_key.reveal().decode()
        self._bucket = importlib.import_module("obstore.store").S3Store(
            settings.bucket,
            prefix=settings.prefix or None,
            client_options={"allow_http": True, "timeout": "20s", "connect_timeout": "5s"},
            retry_config={"max_retries": 2},
            **options,
        )

    async def stop(self) -> None:
        """Nothing to close: a download that goes on is read to its end, and connections end with this object."""

    async def write(self, name: str, number: int, chunk: bytes) -> None:
        """See the port. S3 has it for good before it answers."""
        await self._do(self._obstore.put_async(self._bucket, _path(name, number), chunk, use_multipart=False))

    async def read(self, name: str, number: int) -> bytes | None:
        """See the port."""
        try:
            found = await self._do(self._obstore.get_async(self._bucket, _path(name, number)))
        except _NotThere:
            return None
        return bytes(await self._do(found.bytes_async()))

    async def remove(self, name: str) -> None:
        """See the port. What is missing already is no error."""
        async for page in self._pages(name):
            paths = [each["path"] for each in page]
            if paths:
                await self._do(self._obstore.delete_async(self._bucket, paths))

    async def walk(self, under: str) -> AsyncIterator[Stored]:
        """See the port. Listings are sorted by name, so that the chunks of one name come together."""
        name, sizes, changed = "", dict[int, int](), 0
        async for page in self._pages(under):
            for each in page:
                its, _, number = each["path"].rpartition("/")
                if not number.isdecimal():
                    continue
                if its != name and sizes:
                    yield Stored(name, sizes, changed)
                    sizes, changed = {}, 0
                name = its
                sizes[int(number)] = each["size"]
                changed = max(changed, int(each["last_modified"].timestamp() * 1000))
        if sizes:
            yield Stored(name, sizes, changed)

    async def _pages(self, under: str) -> AsyncIterator[list[Any]]:
        listing = self._obstore.list(self._bucket, prefix=checked(under), chunk_size=_PAGE)
        while True:
            try:
                page = await self._do(anext(listing))
            except StopAsyncIteration:
                return
            yield page

    async def _do(self, work: Awaitable[T]) -> T:
        """Do this in time. Raises `StorageUnavailable`, of an object that is not there `_NotThere`."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await work
        except StopAsyncIteration:
            raise
        except TimeoutError:
            raise StorageUnavailable(f"{self._place} did not answer within {_CALL_SECONDS:g} s") from None
        except Exception as error:  # obstore's own, of which each is another class
            said = f"{self._place}: {_in_short(str(error))}"
            # A bucket that is not there is no reason to say that a result is lost.
            missing = isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error)
            raise (_NotThere if missing else StorageUnavailable)(said) from None


class _NotThere(StorageUnavailable):
    """There is no such object in the bucket."""


def _path(name: str, number: int) -> str:
    return f"{checked(name)}/{number}"


def _in_short(said: str) -> str:
    """What the server said, without the structure that obstore prints around it."""
    found = _SAID.search(said)
    if found is not None:
        return f"{found[2]} ({found[1]})"
    return said.strip().partition("\n")[0][:300]
