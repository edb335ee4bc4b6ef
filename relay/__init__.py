"""The server's half of pixelmirror: takes events, keeps them, delivers them to each destination."""

from importlib.metadata import version

__version__ = version("pixelmirror")
