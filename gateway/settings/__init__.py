"""The config: what people write, checked whole, as one immutable value.

`load` reads a file and finds every problem at once; `policy` makes of it what decisions are made with; `live` swaps it
for a new one; `json_schema` describes it for editors; `init` writes a first one.

The way of a file: `document` (YAML with places), `overlay` (environment and options), `draft` (pydantic's `schema`,
worded by `wording`), `checks` and `reach` (what is wrong between the parts). pydantic and ruamel.yaml are imported in
this room and in `gateway.ports.fields` alone.
"""
