"""What is found of the gateway's secret, its data folder and the embedded store in it. Nothing is made or changed."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from gateway.core.finding import Finding, Gravity, Matter
from gateway.settings.schema import GatewaySettings
from gateway.store.embedded.server_program import find_server
from gateway.store.embedded.server_socket import Health, ask, socket_path
from gateway.store.embedded.start_error import StoreStartError
from gateway.wiring.secret import FILE_NAME

_LITTLE_ROOM = 200 * 1024 * 1024
"""Bytes. Less than this on the disk of the data is worth a warning."""


def secret_findings(settings: GatewaySettings) -> Iterator[Finding]:
    """Whether the secret is there. One that the config names and that is missing is told with the config."""
    if settings.secret is not None:
        try:
            settings.secret.reveal()
        except ValueError:
            return
        yield Finding(Gravity.GOOD, Matter.SECRET, "secret", "it is there")
        return
    path = settings.data / FILE_NAME
    try:
        content, mode = path.read_bytes().strip(), path.stat().st_mode
    except FileNotFoundError:
        yield Finding(Gravity.GOOD, Matter.SECRET, str(path), "there is none yet: `paywall run` makes one")
    except OSError as error:
        yield Finding(
            Gravity.FAULT, Matter.SECRET, str(path), f"it can't be read: {error.strerror}", _as_its_user(path)
        )
    else:
        if not content:
            mend = "put it back from a backup; without one delete the file, and visitors begin anew"
            yield Finding(Gravity.FAULT, Matter.SECRET, str(path), "it is empty: `paywall run` will not start", mend)
        elif mode & 0o077:
            text = "other users of this machine can read it, and make themselves anybody and anything paid"
            yield Finding(Gravity.WARNING, Matter.SECRET, str(path), text, f"chmod 600 {path}")
        else:
            yield Finding(Gravity.GOOD, Matter.SECRET, str(path), "it is there, and this user's alone")


def data_findings(settings: GatewaySettings) -> Iterator[Finding]:
    """Whether the data folder can be written to, where it is needed at all."""
    if settings.store != "embedded" and settings.secret is not None:
        return
    folder = settings.data.absolute()
    there = next(each for each in (folder, *folder.parents) if each.exists())
    place = str(settings.data)
    if not there.is_dir():
        yield Finding(Gravity.FAULT, Matter.DATA, place, f"{there} is no folder", "give another one with `data`")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        text = f"this user can't write in {there}"
        yield Finding(Gravity.FAULT, Matter.DATA, place, text, _as_its_user(there))
        return
    free = shutil.disk_usage(there).free
    if free < _LITTLE_ROOM:
        text = (
            f"its disk has {free // 2**20} MiB left: when that is full, the embedded store refuses payments and results"
        )
        yield Finding(Gravity.WARNING, Matter.DATA, place, text, "make room on it (df -h, du)")
    else:
        what = "it can be written to" if there == folder else "there is none yet: `paywall run` makes it"
        yield Finding(Gravity.GOOD, Matter.DATA, place, what)


def embedded_server(settings: GatewaySettings) -> str | Finding:
    """The address of the embedded store where its gateway runs; else what is to be said of it."""
    folder = settings.data.resolve() / "store"
    place = f"the embedded store in {settings.data}"
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        text = f"this user can't look into {folder}"
        return Finding(Gravity.UNKNOWN, Matter.STORE, place, text, _as_its_user(folder))
    try:
        socket = socket_path(folder)
        health = ask(socket)
        program = find_server()
    except StoreStartError as error:
        return Finding(Gravity.FAULT, Matter.STORE, place, str(error))
    if health is Health.ABSENT:
        text = f"no gateway runs with this folder, and doctor starts none (it would be {program.name})"
        return Finding(Gravity.UNKNOWN, Matter.STORE, place, text, "ask again when `paywall run` is up")
    if health is Health.SILENT:
        text = "it is there and does not answer"
        mend = (
            f"see the end of {folder / 'store.log'}, and whether the machine is out of memory or its disk hangs (dmesg)"
        )
        return Finding(Gravity.FAULT, Matter.STORE, place, text, mend)
    return f"unix://{quote(str(socket))}"


def _as_its_user(path: Path) -> str:
    """How to be the user whose it is."""
    try:
        owner = path.stat().st_uid
        name = pwd.getpwuid(owner).pw_name
    except (OSError, KeyError):
        return "run it as the gateway's user, or give another folder with `data`"
    if owner == os.getuid():
        return f"it is yours: chmod u+rwx {path}"
    return (
        f"it belongs to {name}: run this as the gateway's user (sudo -u {name} paywall doctor …), or change its owner"
    )
