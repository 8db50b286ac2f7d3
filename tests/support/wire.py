"""A TCP proxy that a test can cut: a network that hangs, resets or closes.

    with Wire(cluster.port) as wire:
        wire.cut('hang', after=4 << 20)         # bytes from the server, on one connection
        ... the program talks to 127.0.0.1, wire.port ...
        wire.wait_until_cut()
        wire.mend()

`hang` forwards nothing any more and closes nothing, so that neither side learns anything; `reset`
and `close` end the connection on both sides. The connection that has carried so many bytes is cut
alone, or with whole=True the whole network: every other connection as well, and new ones. With
client=b'...' it is only looked for among those whose client said this in its first words.
"""
from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

PIECE = 1 << 16
FIRST_WORDS = 1 << 10
RESET = struct.pack('ii', 1, 0)     # SO_LINGER: close() sends RST


class Connection:
    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.received = 0
        self.said = b''
        self.is_over = self.is_reset = False
        self.may_pass = threading.Event()
        self.may_pass.set()

    def end(self, reset: bool = False) -> None:
        self.is_over, self.is_reset = True, reset
        for side in (self.client, self.server):
            with suppress(OSError):
                if reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                # Either wakes who waits in recv(); the write side would say FIN before the RST.
                side.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
        self.may_pass.set()


class Wire:
    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.port = 0
        self._listener: socket.socket | None = None
        self._guard = threading.Lock()
        self._connections: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._how, self._after, self._whole, self._client = '', 0, False, b''
        self._is_cut = threading.Event()
        self.cut_port = 0       # from which the server sees the connection that was cut first

    def __enter__(self) -> 'Wire':
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        self._run(self._accept)
        return self

    def __exit__(self, *exc) -> None:
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        with self._guard:
            self._how = ''
            for connection in self._connections:
                connection.end()
        for thread in self._threads:
            thread.join()

    # Use

    def cut(self, how: str, after: int, whole: bool = False, client: bytes = b'') -> None:
        """Arm it; how: hang, reset or close."""
        assert how in ('hang', 'reset', 'close')
        with self._guard:
            self._is_cut.clear()
            self._how, self._after, self._whole, self._client = how, after, whole, client

    def wait_until_cut(self, timeout: float = 60) -> None:
        if not self._is_cut.wait(timeout):
            raise AssertionError(f'no connection has received {self._after} bytes in {timeout} s')

    @property
    def is_cut(self) -> bool:
        return self._is_cut.is_set()

    def mend(self) -> None:
        """What hangs goes on where it was; nothing is cut until the next cut()."""
        with self._guard:
            self._how = ''
            for connection in self._connections:
                connection.may_pass.set()

    # Inside

    def _run(self, function, *arguments) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        assert self._listener is not None
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(('127.0.0.1', self.server_port), 10)
                server.settimeout(None)
            except OSError:
                client.close()          # the server is down: so is whoever stands before it
                continue
            connection = Connection(client, server)
            with self._guard:
                self._connections.append(connection)
                if self._whole and self._how and self._is_cut.is_set():
                    self._break(connection)
            self._run(self._carry, connection)

    def _carry(self, connection: Connection) -> None:
        back = threading.Thread(target=self._pump, daemon=True,
                                args=(connection, connection.server, connection.client))
        back.start()
        self._pump(connection, connection.client, connection.server)
        back.join()
        with self._guard:
            self._connections.remove(connection)
            connection.client.close()
            connection.server.close()

    def _pump(self, connection: Connection, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(PIECE):
                if source is connection.server:
                    self._count(connection, len(piece))
                elif len(connection.said) < FIRST_WORDS:
                    connection.said += piece[:FIRST_WORDS]
                connection.may_pass.wait()
                if connection.is_over:
                    return
                sink.sendall(piece)
        except OSError:
            pass
        connection.may_pass.wait()      # the end of a connection does not pass either
        if not connection.is_reset:
            with suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

    def _count(self, connection: Connection, received: int) -> None:
        with self._guard:
            connection.received += received
            if not self._how or self._is_cut.is_set() or connection.received < self._after:
                return
            if self._client not in connection.said:
                return
            self.cut_port = connection.server.getsockname()[1]
            for one in self._connections if self._whole else [connection]:
                self._break(one)
            self._is_cut.set()

    def _break(self, connection: Connection) -> None:
        if self._how == 'hang':
            connection.may_pass.clear()
        else:
            connection.end(self._how == 'reset')
