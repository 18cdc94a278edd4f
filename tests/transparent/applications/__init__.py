"""The applications that stand behind the gateway in the transparency rig, each in its framework's own way.

Every one answers any request as `X-Answer` tells it (see `message.Told.order`), with a body that begins with a report
of the request as the framework hands it over. nginx, which can be told a status alone, serves files besides.
"""
