"""What the `inventory` command can do, a module per group; `inventory_app/cli.py` names them."""
