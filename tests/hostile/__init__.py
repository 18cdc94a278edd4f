"""The differential hostile test: no spelling of a result's request may bring an expired subject the result.

What it proves. One result route, `/api/result/{id}`, is asked for in thousands of hostile ways (see `variants.py`), of
real applications (`applications.py`) in their frameworks' own routing. Two oracles watch: *delivered*, the result's
marker is in the bytes that came back; *executed*, the result's handler sent a datagram with the request's nonce. After
every batch a third: innocent subjects get their own answers (else a request was left in a shared connection).

1. Directly, for the ground truth: how many variants reach the handler of each application at all.
2. Through `naive.py`, the known-bad twin, which must leak by the hundred: so the rig is known to see.
3. Through the real gateway, mode `block`: nothing delivered, nothing executed. Mode `hold`: nothing delivered, and
   executed only where the target, as the application got it, plainly names the result: that is what holding means.
4. Five hundred canonical open URLs through the real gateway: answered as directly, the target byte for byte.
5. With one rule of the gateway taken out (`rules`, `crippled.py`), a variant leaks, or an honest request is not
   answered: each rule is needed. Some need a config and an application of their own to show it (`ONE_RULE`): rules for
   bodies, for the data of pages, for WebSockets, for answers, for who is believed. Some need a server under the gateway
   that refuses nothing (`lenient.py`), since the parser of its own refuses first. Where two rules say the same in two
   places, both are taken out (`Rule.besides`). Of what nothing shows to be needed, `rules.NOT_SHOWN` says why.

The long form is `make hostile`: the hand-made variants and 100,000 composed by chance (`grammar.py`), in both modes,
before every application. `ARGS` takes `--variants`, `--seed`, `--modes`, `--fronts`, `--upstreams` and `--every`.

How to read a failure. Each leak is three lines: application, what leaked and the variant's name; the bytes sent;
the bytes got. Send them to the application directly to see why it takes them for the result; ask `paywall explain`
why the gateway does not. "executed" without "delivered" is a leak too: the work was done, and a HEAD, a timing or
a side effect may be all the result there is. A canary line names a batch, not a variant: run that batch's halves.

Needs: the development extra (Flask, Django, FastAPI, waitress), Node.js with npm, PHP, nginx, HAProxy. What is absent
is skipped with a reason, but fails where `CI=true`. `-k nginx` runs one application; the counts are printed in the
summary. `PAYWALL_COMMAND` names another gateway to try, started as `paywall` is.
"""
