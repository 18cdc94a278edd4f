"""The applications that stand behind the gateway in the hostile test: same routes, each in its framework's own way."""
