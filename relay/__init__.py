"""The server's half of pixelmirror: takes events, keeps them, delivers them to each destination."""
