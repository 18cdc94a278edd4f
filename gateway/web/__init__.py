"""The HTTP faces of the gateway, in front of one application.

A request's way: `message` judges and cleans its head, `section` what many have in common; what lies under the
gateway's own prefix goes to `site` (offer, checkout, decline, release, me, health); everything else goes to `gate`,
which finds the rule, asks who it is, lets `gateway.access.decide` decide, and acts: `forward` streams, `withhold`
keeps a result back and puts the offer in its place, `socket` opens WebSockets and relays them as bytes or as messages,
as the server at hand allows (`socket_bytes`, `socket_messages`), `notice` puts a few words into the
application's pages. `answers` writes the gateway's own answers, every one with its reason.
"""
