"""Who may have which result.

Pure rules: `match` finds the rule of a request by its path (`path_tree`; `aliases`, other addresses of a page), its
query (`parameters`) and its body, which `body` reads (`strict_json`, `form`) and `fit_body` judges (`graphql_request`,
`graphql_document`); `decide` says what is done with it, `trial` when a trial begins, `cover` by what right a held
result may be taken, `hold_id` reads and writes the ids of held results. Use-cases: `identify` asks who it is, `keep`
produces and keeps a result back and gives it out again, `teasers` shows a harmless part of it. `seal` is the
encryption of what is kept.
"""
