"""The overlay for single-page applications: a script that shows the offer in the page and hands it what was paid for.

The `.mjs` files are the script, an ES module as it stands; `script` joins them into one file for browsers, `words` has
all that it says, `face` answers what it asks for.
"""
