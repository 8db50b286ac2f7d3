"""A gate before a PostgreSQL server: it says no to the first connections, then it lets through.

    with Gate(cluster.port, refusals=2, state='57P03', words='the database system is starting up')
"""
from __future__ import annotations

import socket
import struct
import threading

from processes import free_port

ENCRYPTION = (80877103, 80877104)       # the requests for TLS and for GSSAPI


class Gate:
    def __init__(self, target: int | str, refusals: int = 0, state: str = '57P03',
                 words: str = 'the database system is starting up', address: str = '127.0.0.1',
                 port: int = 0) -> None:
        """target: a port of 127.0.0.1, or the path of a socket."""
        self.target, self.refusals, self.state, self.words = target, refusals, state, words
        self.address, self.port = address, port or free_port()
        self.connections = 0
        self._listener: socket.socket | None = None

    def __enter__(self) -> 'Gate':
        self._listener = socket.create_server((self.address, self.port))
        self._server = threading.Thread(target=self._serve, daemon=True)
        self._server.start()
        return self

    def __exit__(self, *exc) -> None:
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._server.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            handle = self._refuse if self.connections <= self.refusals else self._let_through
            threading.Thread(target=handle, args=(client,), daemon=True).start()

    def _refuse(self, client: socket.socket) -> None:
        with client:
            while True:
                head = client.recv(8, socket.MSG_WAITALL)
                if len(head) < 8:
                    return
                length, code = struct.unpack('!ii', head)
                if code not in ENCRYPTION:
                    break
                client.sendall(b'N')
            client.recv(length - 8, socket.MSG_WAITALL)
            fields = (f'SFATAL\0VFATAL\0C{self.state}\0M{self.words}\0\0').encode()
            client.sendall(b'E' + struct.pack('!i', len(fields) + 4) + fields)

    def _let_through(self, client: socket.socket) -> None:
        if isinstance(self.target, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
        else:
            server = socket.create_connection(('127.0.0.1', self.target))
        with client, server:
            back = threading.Thread(target=copy, args=(client, server), daemon=True)
            back.start()
            copy(server, client)
            back.join()


def copy(source: socket.socket, to: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            to.sendall(data)
    except OSError:
        pass
    for end in (source, to):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
