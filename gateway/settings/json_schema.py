"""The JSON Schema of the config, for editors and for `paywall schema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.ports.fields import Settings
from gateway.settings.load import PluginKind
from gateway.settings.schema import GatewaySettings
from gateway.settings.sections import IN_STORE

DIALECT = "https://json-schema.org/draft/2020-12/schema"

PluginModels = Mapping[PluginKind, Mapping[str, type[Settings]]]
"""Settings of the plugins that are installed: kind, name, model."""


def json_schema(plugin_models: PluginModels | None = None) -> dict[str, Any]:
    """JSON Schema 2020-12 of the whole config. A kind that has no models here allows any plugin of its kind.

    What it refuses the gateway refuses too. The reverse does not hold: what is wrong between the parts of a config,
    only `paywall check` finds.
    """
    schema = GatewaySettings.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    for kind, models in (plugin_models or {}).items():
        if not models:
            continue
        entries = [_entry(kind, name, model, definitions) for name, model in sorted(models.items())]
        if kind == "storage":
            definitions["Holds"]["properties"][kind]["anyOf"] = [{"const": IN_STORE}, *entries]
        else:
            schema["properties"][kind]["items"] = {"anyOf": entries}
    schema["title"] = "Paywall Gateway"
    return {"$schema": DIALECT, **schema}


def _entry(kind: str, name: str, model: type[Settings], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of `- name: {settings}`; what the plugin defines for itself gets a name of its own."""
    prefix = f"{kind}.{name}."
    own = model.model_json_schema(by_alias=True, ref_template=f"#/$defs/{prefix}{{model}}")
    for inner, definition in own.pop("$defs", {}).items():
        definitions[prefix + inner] = definition
    return {"type": "object", "properties": {name: own}, "required": [name], "additionalProperties": False}
