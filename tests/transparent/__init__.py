"""The transparency rig: whatever passes the gateway arrives as it was sent, but for what docs/http.md lists.

What it proves, with an application that is called by its name, as most are, and not by an address:

1. *Exchanges* (`exchanges.py`). Requests and answers are generated from a seed within all that HTTP/1.1 allows. Each
   exchange is done directly and by three passages: an open route the short way, an open route the long way, and a
   result route as a subject in trial; before one application also by a fourth, where bodies are read first. The answers
   must be the same (status, headers, body), and at an application that works by exact bytes so must be the requests,
   but for `documented.py`: that is the page's list a second time, and `test_documented.py` holds the two together. The
   applications: one of exact bytes, Express, Flask, Django, FastAPI and nginx.
2. *Users* (`users.py`). Fifty users with cookies of their own over connections that they share, many of them cut or
   pipelined: no cookie, header or body of one reaches another, nor the application in another's name.
3. *Stale connections* (`stale.py`). An application that ends connections when a request is sent, after it was read, or
   within the answer: nothing that counts or is not safe is done twice, what may be repeated gets its answer, and
   nobody gets a part for a whole or the answer to another request.

The known-bad twin of all three is the naive gateway of the hostile test. `make test` runs a short version, and
`make transparent` 20,000 exchanges with each application, 100,000 requests of users and 10,000 races.

How to read a failure. Each line names the application, the passage, the exchange's number and what was not as it should
be. `make transparent ARGS="--applications flask --only 4711"` does that exchange again. A difference is either a bug or
belongs on the list in docs/http.md, under "What the gateway changes", and into `documented.py`.

Needs what the hostile test needs, and skips in the same way what is absent.
"""
