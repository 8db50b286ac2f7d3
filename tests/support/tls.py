"""A certificate for servers on 127.0.0.1, made by the openssl program.

They may also be called db.test, a name that a test's proxy knows."""
from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Self-signed, so the certificate is also the CA file a client needs: (certificate, key)."""
    certificate, key = folder / 'cert.pem', folder / 'key.pem'
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
         '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', str(key),
         '-out', str(certificate), '-addext', 'subjectAltName=DNS:localhost,DNS:db.test,IP:127.0.0.1'],
        check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key
