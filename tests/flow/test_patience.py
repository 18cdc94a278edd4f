"""No page waits long for what would be nice to have."""

from __future__ import annotations

import asyncio

import pytest

from gateway.web.patience import Patience


class Work:
    """Something that takes until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def __call__(self, error: Exception | None = None) -> None:
        self.begun += 1
        await self.may_end.wait()
        if error is not None:
            raise error


async def test_what_is_done_in_time_is_done() -> None:
    work = Work()
    work.may_end.set()
    assert await Patience(wait=60).is_done(work())


async def test_what_goes_wrong_in_time_is_told() -> None:
    work = Work()
    work.may_end.set()
    with pytest.raises(OSError, match="wrong"):
        await Patience(wait=60).is_done(work(OSError("wrong")))


async def test_one_waits_in_vain_and_then_nobody_for_a_while() -> None:
    work, patience = Work(), Patience(wait=0.001, pause=3600)
    assert not await patience.is_done(work())
    for _ in range(10):
        assert not await patience.is_done(work())
    assert work.begun == 1
    work.may_end.set()


async def test_after_the_while_it_is_tried_again() -> None:
    work, patience = Work(), Patience(wait=0.001, pause=0)
    assert not await patience.is_done(work())
    work.may_end.set()
    for _ in range(1000):  # whatever the machine is doing besides
        if await patience.is_done(work()):
            return
        await asyncio.sleep(0)
    pytest.fail("nobody is served any more")


async def test_nobody_waits_to_find_out_whether_it_goes_faster_again() -> None:
    work, patience = Work(), Patience(wait=0.001, pause=0)
    assert not await patience.is_done(work())
    for _ in range(3):
        with pytest.raises(StopIteration) as end:  # it returns without waiting for anything
            patience.is_done(work()).send(None)
        assert end.value.value is False
    await asyncio.sleep(0)
    assert work.begun == 4, "they are asked all the same"
    work.may_end.set()


async def test_what_comes_too_late_is_done_all_the_same_and_its_errors_are_nobodys() -> None:
    work, told = Work(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    assert not await Patience(wait=0.001).is_done(work(OSError("too late")))
    work.may_end.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert told == []
