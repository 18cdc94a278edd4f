"""CPU per request on an open route, beside the peers; what the policy adds; a result in trial; zero-config."""

from __future__ import annotations

import statistics

from bench.gateway import PLAIN, ZERO_CONFIG, in_trial, with_token
from bench.measure.load_turn import CPU, load_turn, warm_up
from bench.peers import NGINX_UPSTREAM
from bench.peers import PEERS as PEER_PROXIES
from bench.rounds import ratios, take_turns
from bench.row import PEERS, Result, ratio_row
from bench.setting import Setting


def measure_cost(setting: Setting) -> Result:
    """All of them in the same rounds."""
    token, trial = with_token(), in_trial()
    candidates = (*PEER_PROXIES, PLAIN, token, trial, ZERO_CONFIG)
    turn = load_turn(setting)
    series = take_turns(setting, NGINX_UPSTREAM, candidates, turn, warm_up=warm_up(setting))
    of_nginx = ratios(series[token.name], series["nginx"], CPU)
    of_caddy = "x Caddy"
    cost = ratio_row(
        "cost", "CPU per request: open route, JWT, 100 rules, metrics, access log", series, token.name, "caddy", CPU,
        unit=of_caddy, beside_unit="us", goal="<= 0.6 x Caddy; aim 0.35, and 2 x nginx", limit=0.6, peers=PEERS,
        notes=[f"The first row is {statistics.median(of_nginx):.2f} x nginx."] if of_nginx else [],
    )  # fmt: skip
    policy = ratio_row(
        "policy", "the same against one open route without identity", series, token.name, PLAIN.name, CPU,
        unit="x policy off", beside_unit="us", goal="<= 1.15", limit=1.15,
    )  # fmt: skip
    shown = [
        ratio_row(
            name, title, series, own, "caddy", CPU, unit=of_caddy, beside_unit="us", goal="shown", peers=PEERS,
        )
        for name, title, own in (
            ("trial", "result route in trial, the same rules and token", trial.name),
            ("zero", "zero-config: no file, visitors by cookie", ZERO_CONFIG.name),
        )
    ]  # fmt: skip
    return Result([cost, policy, *shown], series)
