"""What an address of the store may be, and what is read of it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.store.transport.place import Place

ADDRESSES: dict[str, tuple[str, str, dict[str, Any]]] = {
    # address: kind, name, some of the options
    "redis://me:hunter2@db/2": ("server", "redis://db:6379", {"username": "me", "password": "hunter2", "db": 2}),
    "rediss://db:7000": ("server", "rediss://db:7000", {"host": "db"}),
    "unix:///run/redis.sock?db=3": ("server", "unix:///run/redis.sock", {"path": "/run/redis.sock", "db": 3}),
    "redis+sentinel://a,b:7/main": ("sentinel", "redis+sentinel://a:26379,b:7/main", {}),
    "redis+sentinel://:hunter2@a/main/4": (
        "sentinel", "redis+sentinel://a:26379/main", {"password": "hunter2", "db": 4},
    ),
    "rediss+sentinel://a/main?ssl_cert_reqs=none": (
        "sentinel", "rediss+sentinel://a:26379/main", {"ssl_cert_reqs": "none"},
    ),
    "redis+sentinel://a/main?sentinel_password=hunter2": ("sentinel", "redis+sentinel://a:26379/main", {}),
    "redis+cluster://a:7000,[::1]:7001/0": ("cluster", "redis+cluster://a:7000,[::1]:7001", {}),
    "redis+cluster://me:hunter2@a?socket_timeout=2": (
        "cluster", "redis+cluster://a:6379", {"username": "me", "password": "hunter2", "socket_timeout": 2.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_read_as_it_is_meant_and_named_without_secrets(address: str) -> None:
    kind, name, options = ADDRESSES[address]
    place = Place.read(address)
    assert (place.kind, place.name) == (kind, f"the store at {name}")
    assert {name: place.options[name] for name in options} == options
    assert "hunter2" not in place.name and "me" not in place.name.removeprefix("the store")


def test_what_sentinels_are_told_is_not_told_to_the_server() -> None:
    place = Place.read("redis+sentinel://:one@a/main?sentinel_password=two&sentinel_username=watcher")
    assert place.options == {"password": "one"}
    assert place.sentinel_options == {"password": "two", "username": "watcher"}


def test_a_node_of_a_cluster_is_told_what_all_are_told() -> None:
    node = Place.read("redis+cluster://me:secret@a").at("10.0.0.7", 7001)
    assert node.options == {"username": "me", "password": "secret", "host": "10.0.0.7", "port": 7001}
    assert node.name == "the store's node at 10.0.0.7:7001"
