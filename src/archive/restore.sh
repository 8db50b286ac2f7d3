#!/bin/sh
# Restore this archive with psql alone. Run it in the folder that holds manifest.json:
#
#     TARGET_DATABASE_URL=postgresql://user@host/new_database ./restore.sh
#
# Without TARGET_DATABASE_URL, psql's own variables (PGHOST, PGDATABASE ...) count. The target must
# be an empty database of the same PostgreSQL major version or a newer one. Everything happens in
# one transaction: when a statement fails, nothing has changed.
set -eu

cd "$(dirname "$0")"
if [ ! -f manifest.json ]; then
    echo "restore.sh: no manifest.json here: this folder is not a complete archive" >&2
    exit 8
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The manifest has a line for each file: {"bytes": 1, "path": "a", "sha256": "b"}.
sed -n 's/^ *{"bytes": [0-9]*, "path": "\([^"]*\)", "sha256": "\([0-9a-f]*\)"},\{0,1\}$/\2  \1/p' \
    manifest.json >"$work/sums"
if [ ! -s "$work/sums" ]; then
    echo "restore.sh: manifest.json lists no files: it is damaged" >&2
    exit 8
fi
if ! sha256sum --check --strict --quiet "$work/sums"; then
    echo "restore.sh: a checksum is wrong: use another archive" >&2
    exit 8
fi

# A line for each table too, its files in the order in which their rows belong.
sed -n 's/^ *{"bytes": [0-9]*, "files": \[\([^]]*\)\], "name": .*$/\1/p' manifest.json |
    tr ',' '\n' | sed 's/^ *"//; s/"$//' >"$work/data"

{
    echo '\i roles.sql'
    echo '\i database/pre-data.sql'
    sed -n 's/^[0-9a-f]*  \(database\/large-objects\/.*\)$/\\i \1/p' "$work/sums"
    sed 's/^/\\i /' "$work/data"
    echo '\i database/sequences.sql'
    echo '\i database/post-data.sql'
    echo '\i database/refresh.sql'
} >"$work/script"

# The texts are UTF-8, unless the database had no encoding at all.
PGCLIENTENCODING=UTF8
grep -q '"encoding": "SQL_ASCII"' manifest.json && PGCLIENTENCODING=SQL_ASCII
export PGCLIENTENCODING
PGOPTIONS="${PGOPTIONS:-} -c statement_timeout=0 -c lock_timeout=0 -c intervalstyle=postgres"
PGOPTIONS="$PGOPTIONS -c datestyle=ISO -c client_min_messages=warning"
export PGOPTIONS

# "p%40ss" -> "p@ss"
decode_percent()
{
    LC_ALL=C awk '{
        while (match($0, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
            hex = tolower(substr($0, RSTART + 1, 2))
            code = 16 * (index("0123456789abcdef", substr(hex, 1, 1)) - 1)
            code += index("0123456789abcdef", substr(hex, 2, 1)) - 1
            printf "%s%c", substr($0, 1, RSTART - 1), code
            $0 = substr($0, RSTART + 3)
        }
        print
    }'
}

if [ -n "${TARGET_DATABASE_URL:-}" ]; then
    # A password in an argument would show in the process list: it goes through the environment.
    case $TARGET_DATABASE_URL in
    postgres://*:*@* | postgresql://*:*@*)
        rest=${TARGET_DATABASE_URL#*://}
        login=${rest%%@*}
        PGPASSWORD=$(printf '%s\n' "${login#*:}" | decode_percent)
        export PGPASSWORD
        TARGET_DATABASE_URL="${TARGET_DATABASE_URL%%://*}://${login%%:*}@${rest#*@}"
        ;;
    esac
    set -- --dbname="$TARGET_DATABASE_URL"
else
    set --
fi

psql --no-psqlrc --quiet --output=/dev/null --single-transaction --set=ON_ERROR_STOP=1 "$@" \
    --file="$work/script"
echo "restore.sh: done, $(wc -l <"$work/sums") files were checked and restored"
