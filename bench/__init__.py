"""What the gateway costs, measured beside nginx, HAProxy and Caddy in the same run. Start with README.md."""
