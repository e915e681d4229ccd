"""`python -m liminal_jax` is `liminal`."""

from liminal_jax.cli.main import run

if __name__ == "__main__":
    run()
