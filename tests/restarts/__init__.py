"""A gateway that is given new configs and restarted again and again under load: nobody may notice.

What fails is counted as its client would: an error of ours, an answer that is empty, cut or wrong, a connection that is
reset with a request on it, a stream that ends before its end, a WebSocket that ends without a word. Who writes into a
kept connection that was closed just then asks again, as browsers do; that is no failure, and counted apart.
"""
