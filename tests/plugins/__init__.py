"""The gateway's own plugins, through the door that every plugin uses."""
