"""The network that tests cut tests itself, with a server that sends what it is asked for."""
from __future__ import annotations

import socket
import threading
import unittest

from asking import wait_until
from wire import Wire


class Sender:
    """Sends as many bytes as a line of each client says."""

    def __init__(self) -> None:
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.ports: list[int] = []      # of the clients
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        while True:
            try:
                client, address = self.listener.accept()
            except OSError:
                return
            self.ports.append(address[1])
            self.threads.append(threading.Thread(target=self.serve, args=(client,)))
            self.threads[-1].start()

    def serve(self, client: socket.socket) -> None:
        with client, client.makefile('r') as lines:
            try:
                for line in lines:
                    client.sendall(b'x' * int(line))
            except OSError:
                pass

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join()


class WireTest(unittest.TestCase):
    def setUp(self) -> None:
        self.sender = Sender()
        self.addCleanup(self.sender.close)
        self.wire = Wire(self.sender.port)
        self.wire.__enter__()
        self.addCleanup(self.wire.__exit__)

    def connect(self) -> socket.socket:
        client = socket.create_connection(('127.0.0.1', self.wire.port), 10)
        self.addCleanup(client.close)
        return client

    def ask(self, client: socket.socket, count: int) -> None:
        client.sendall(b'%d\n' % count)

    def read(self, client: socket.socket, count: int) -> int:
        got = 0
        while got < count and (piece := client.recv(count - got)):
            got += len(piece)
        return got

    def test_passes_everything_until_it_is_cut(self) -> None:
        client = self.connect()
        self.ask(client, 1 << 20)
        self.assertEqual(1 << 20, self.read(client, 1 << 20))
        self.assertFalse(self.wire.is_cut)

    def test_hangs_one_connection_and_goes_on_when_it_is_mended(self) -> None:
        one, other = self.connect(), self.connect()
        self.wire.cut('hang', after=1000)
        self.ask(one, 500)
        self.assertEqual(500, self.read(one, 500))
        self.assertFalse(self.wire.is_cut)
        self.ask(one, 600)
        self.wire.wait_until_cut(10)
        self.assertIn(self.wire.cut_port, self.sender.ports)
        self.ask(other, 5000)
        self.assertEqual(5000, self.read(other, 5000))
        one.setblocking(False)
        self.assertRaises(BlockingIOError, one.recv, 1)
        one.settimeout(10)
        self.wire.mend()
        self.assertEqual(600, self.read(one, 600))

    def test_hangs_the_whole_network_and_whoever_comes_new(self) -> None:
        one, other = self.connect(), self.connect()
        self.ask(other, 10)
        self.assertEqual(10, self.read(other, 10))
        self.wire.cut('hang', after=1000, whole=True)
        self.ask(one, 1000)
        self.wire.wait_until_cut(10)
        new = self.connect()
        for client in (other, new):
            self.ask(client, 20)
        self.wire.mend()
        for client in (other, new):
            self.assertEqual(20, self.read(client, 20))

    def test_cuts_only_who_said_a_word(self) -> None:
        one, other = self.connect(), self.connect()
        self.wire.cut('close', after=100, client=b'77')
        self.ask(one, 1000)
        self.assertEqual(1000, self.read(one, 1000))
        self.ask(other, 77)
        self.assertEqual(77, self.read(other, 77))
        self.assertFalse(self.wire.is_cut)
        self.ask(other, 1000)
        self.wire.wait_until_cut(10)
        self.assertEqual(b'', other.recv(1))

    def test_resets_or_closes(self) -> None:
        for how in ('reset', 'close'):
            with self.subTest(how=how):
                client = self.connect()
                self.wire.cut(how, after=1000)
                self.ask(client, 1000)
                self.wire.wait_until_cut(10)
                if how == 'reset':
                    self.assertRaises(ConnectionResetError, client.recv, 1)
                else:
                    self.assertEqual(b'', client.recv(1))

    def test_ends_whoever_comes_new_after_the_whole_network_was_reset(self) -> None:
        client = self.connect()
        self.wire.cut('reset', after=1, whole=True)
        self.ask(client, 1)
        self.wire.wait_until_cut(10)

        def is_refused() -> bool:
            try:
                new = self.connect()
                self.ask(new, 1)
                return new.recv(1) == b''
            except OSError:
                return True

        self.assertTrue(is_refused())
        self.wire.mend()
        wait_until(lambda: not is_refused(), 'a connection through the mended network')


if __name__ == '__main__':
    unittest.main()
