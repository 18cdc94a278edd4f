"""The numbers of several processes together: what counts is added, what says how it is is not."""

from __future__ import annotations

import json

from prometheus_client.parser import text_string_to_metric_families

from gateway.eventlog.metrics import Metrics
from gateway.eventlog.sums import Numbers, add_up, numbers_of, page_of, what_stays

from .test_access_log import ENTRY


def counted(times: int) -> Metrics:
    metrics = Metrics(lambda: times)
    metrics.count([ENTRY] * times)
    return metrics


def sent(metrics: Metrics) -> Numbers:
    """As another process gets them."""
    numbers: Numbers = json.loads(json.dumps(numbers_of(metrics.families())))
    return numbers


def values(page: bytes) -> dict[tuple[str, str], float]:
    return {
        (sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_one_process_alone_shows_what_it_would_have_shown_itself() -> None:
    metrics = counted(3)
    metrics.count_reload("accepted", True)
    assert page_of(add_up([sent(metrics)])) == metrics.page()


def test_counters_and_histograms_are_added_up() -> None:
    one, other = counted(2), counted(5)
    together, alone = values(page_of(add_up([sent(one), sent(other)]))), values(counted(7).page())
    assert {key for key in together if not key[0].endswith("_created")} == {
        key for key in alone if not key[0].endswith("_created")
    }
    for key, value in together.items():
        if not key[0].endswith("_created"):
            assert round(value, 6) == round(alone[key], 6), key
    assert together["paywall_events_dropped", ""] == 7


def test_a_series_began_when_its_first_part_did() -> None:
    one, other = counted(1), counted(1)
    began = [values(metrics.page())["paywall_short_way_requests_created", ""] for metrics in (one, other)]
    assert values(page_of(add_up([sent(other), sent(one)])))["paywall_short_way_requests_created", ""] == min(began)


def test_all_is_well_only_where_it_is_in_every_part() -> None:
    good, bad = counted(1), counted(1)
    bad.count_reload("refused", False)
    last = ("paywall_config_last_reload_successful", "")
    assert values(page_of(add_up([sent(good), sent(bad)])))[last] == 0
    assert values(page_of(add_up([sent(bad), sent(good)])))[last] == 0
    assert values(page_of(add_up([sent(good), sent(good)])))[last] == 1


def test_an_address_is_set_aside_where_one_part_has_set_it_aside_and_not_for_ever() -> None:
    name = "paywall_upstream_set_aside"
    both: list[dict[str, bool]] = [{"a": True, "b": False}, {"a": True}]
    parts = [sent(Metrics(upstreams_set_aside=told.copy)) for told in both]
    numbers = values(page_of(add_up(parts)))
    assert (numbers[name, "upstream=a"], numbers[name, "upstream=b"]) == (1, 0)
    assert not any(key[0] == name for key in values(page_of(add_up(map(what_stays, parts)))))


def test_a_series_that_only_one_part_has_is_kept() -> None:
    one, other = counted(1), counted(1)
    one.count_reload("accepted", True)
    numbers = values(page_of(add_up([sent(other), sent(one), []])))
    assert numbers["paywall_config_reloads_total", "result=accepted"] == 1
