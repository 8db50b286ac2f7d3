#!/bin/sh
# Restore this archive with psql alone:
#
#     TARGET_DATABASE_URL=postgresql://user@host/new_database ./restore.sh
#
# A sealed archive needs the programs age and zstd too, and the key:
#
#     AGE_IDENTITY_FILE=key.txt TARGET_DATABASE_URL=... ./restore.sh
#
# With TRUSTED_KEY=RW... minisign proves first who made the archive.
#
# Without TARGET_DATABASE_URL, psql's own variables count (PGDATABASE, PGHOST ...). The target must
# be an empty database of the archive's PostgreSQL major version or a newer one. Everything happens
# in one transaction: afterwards it holds the whole archive, or it is as it was.
#
# Exit status: 0 done; 1 failed; 2 usage, or the target is not empty; 8 the archive is damaged;
# 129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM.
set -eu
LC_ALL=C # sed takes bytes, not characters; sort and comm agree on an order
export LC_ALL

say()
{
    printf 'restore.sh: %s\n' "$*" >&2
}

fail() # STATUS WORDS...
{
    code=$1
    shift
    say "$@"
    exit "$code"
}

# "p%40ss" -> "p@ss"
decode_percent()
{
    text=$1
    while :; do
        after=${text#*%[0-9A-Fa-f][0-9A-Fa-f]}
        [ "$after" != "$text" ] || break
        before=${text%"$after"}
        hex=${before#"${before%??}"}
        printf '%s%b' "${before%???}" "\\0$(printf %o "0x$hex")"
        text=$after
    done
    printf '%s' "$text"
}

# ---- the target ----

target=${TARGET_DATABASE_URL:-}
if [ -z "$target" ] && [ -z "${PGDATABASE:-}${PGSERVICE:-}" ]; then
    fail 2 "which database? hint: TARGET_DATABASE_URL=postgresql://user@host/new_database $0"
fi
# A password in an argument would show in the process list: it goes through the environment.
case $target in
postgres://* | postgresql://*)
    # To libpq everything before the first @ is the login, even a ? or a #, but not a /.
    rest=${target#*://}
    authority=${rest%%/*}
    case $authority in
    *@*@*) fail 2 "TARGET_DATABASE_URL has two @; hint: write %40 for an @ in the password" ;;
    *:*@*)
        login=${authority%@*}
        PGPASSWORD=$(decode_percent "${login#*:}")
        export PGPASSWORD
        target="${target%%://*}://${login%%:*}@${rest#*@}"
        ;;
    esac
    ;;
esac
if printf '%s\n' "$target" | grep -q 'password[[:space:]]*='; then
    fail 2 "password= in TARGET_DATABASE_URL would show in the process list; hint: put the" \
        "password into PGPASSWORD"
fi
command -v psql >/dev/null || fail 2 "no psql here; hint: install PostgreSQL's client programs"

# ---- the archive ----

start=$PWD # psql runs there: it finds what the caller's settings name (sslrootcert, passfile)
CDPATH='' cd -- "$(dirname -- "$0")"
[ -f manifest.json ] || fail 8 "no manifest.json here: this folder is not a whole archive"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

# What the backup wrote. A verification is noted later, and no signature covers it: nothing that
# stands there is read. Of a sealed archive this is the opened half, once it is open.
manifest=$work/manifest.json
sed '/^  "verification": {$/,/^  }/c\
  "verification": {}' manifest.json >"$manifest"

# number KEY: of the only line "KEY": NUMBER
number()
{
    sed -n 's/^ *"'"$1"'": \([0-9]\{1,\}\),\{0,1\}$/\1/p' "$manifest"
}

# The manifest has a line for each file: {"bytes": 1, "path": "a", "sha256": "b"}. No path has
# blanks or quotes; with ./ before it, none looks like an option.
sed -n 's/^ *{"bytes": [0-9]*, "path": "\([^"]*\)", "sha256": "\([0-9a-f]*\)"}.*$/\2  .\/\1/p' \
    "$manifest" | sort >"$work/sums"
sed 's/^[^ ]*  //' "$work/sums" | sort >"$work/paths"

damaged()
{
    fail 8 "manifest.json is damaged, nothing has changed; hint: use another archive"
}

[ "$(number files)" = "$(sed -n '$=' "$work/paths")" ] || damaged

# ---- who made it ----

if [ -n "${TRUSTED_KEY:-}" ]; then
    command -v minisign >/dev/null || fail 2 "no minisign here, which TRUSTED_KEY needs"
    [ -f manifest.json.minisig ] ||
        fail 8 "the archive is not signed, nothing has changed; hint: it may be planted, or older" \
            "than your signing key"
    minisign -Vqm "$manifest" -x manifest.json.minisig -P "$TRUSTED_KEY" >/dev/null 2>&1 ||
        fail 8 "the signature of manifest.json is not of this TRUSTED_KEY, nothing has changed;" \
            "hint: somebody else has made this archive, or changed it"
fi

# ---- the files ----

# The first program that knows the sum of "abc": a missing or strange one must not make a good
# archive look damaged.
for sum in sha256sum 'shasum -a 256' 'openssl dgst -sha256 -r' ''; do
    # shellcheck disable=SC2086 # a program and its arguments
    case $(printf abc | $sum 2>/dev/null) in
    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad*) break ;;
    esac
done
[ -n "$sum" ] || fail 2 "no program for SHA-256 here; hint: install coreutils"

# shellcheck disable=SC2086
xargs $sum <"$work/paths" 2>/dev/null | sed 's/ [ *]/  /' | sort >"$work/found"
comm -23 "$work/sums" "$work/found" | sed 's/^[^ ]*  //' | sort >"$work/wrong"
while IFS= read -r path; do
    if [ -r "$path" ]; then
        say "${path#./}: FAILED, its checksum is wrong"
    else
        say "${path#./}: FAILED, it is missing or cannot be read"
    fi
done <"$work/wrong"
[ ! -s "$work/wrong" ] || fail 8 "the archive is damaged, nothing has changed; hint: use another"

# Only what the manifest lists is used, so another file does no harm: a warning is enough.
find . ! -type d ! -path ./manifest.json ! -path ./manifest.json.minisig | sort | comm -13 "$work/paths" - |
    while IFS= read -r path; do
        say "warning: ${path#./} is not part of the archive and is not used"
    done

# ---- a sealed archive ----

sealed=
! grep -q '^  "sealed": true' "$manifest" || sealed=yes
identity=${AGE_IDENTITY_FILE:-}
case $identity in
'' | /*) ;;
*) identity=$start/$identity ;;
esac

# FILE: what was sealed in it
unseal()
{
    age --decrypt --identity "$identity" "$1" | zstd --decompress --stdout --quiet
}

# The opened manifest has a line for each file: {"bytes": 1, "path": "a", "sealed": "s", "sha256":
# "b"}. Nothing of what it tells is used before each file was opened once and is what was sealed.
open_archive()
{
    [ -n "$identity" ] || fail 2 "the archive is sealed; hint: AGE_IDENTITY_FILE names its key"
    [ -r "$identity" ] || fail 2 "cannot read the key in '$identity' (AGE_IDENTITY_FILE)"
    for program in age zstd; do
        command -v "$program" >/dev/null ||
            fail 2 "the archive is sealed, and there is no $program here; hint: install it"
    done
    if ! age --decrypt --identity "$identity" manifest.private.json.zst.age \
        >"$work/private.zst" 2>"$work/why"; then
        say "$(sed -n 1p "$work/why")"
        fail 1 "this key does not open the archive, nothing has changed; hint: is it the key of" \
            "one of its recipients?"
    fi
    id=$(sed -n 's/^  "id": //p' "$manifest")
    manifest=$work/private.json
    zstd --decompress --stdout --quiet "$work/private.zst" >"$manifest" || damaged
    [ "$(sed -n 's/^  "id": //p' "$manifest")" = "$id" ] ||
        fail 8 "the two manifests are of different archives, nothing has changed; hint: use another"
    sed -n 's/^ *{"bytes": [0-9]*, "path": "\([^"]*\)", "sealed": "\([^"]*\)", "sha256": "\([0-9a-f]*\)"}.*$/\3 .\/\2 .\/\1/p' \
        "$manifest" | sort >"$work/places"
    sed 's/^[^ ]* \([^ ]*\) .*/\1/' "$work/places" | sort -u | comm -23 - "$work/paths" >"$work/wrong"
    [ ! -s "$work/wrong" ] || damaged
    while read -r hash place path; do
        # shellcheck disable=SC2086 # a program and its arguments
        case $(unseal "$place" 2>/dev/null | $sum) in
        "$hash"*) ;;
        *)
            say "${path#./} (in ${place#./}): FAILED, it does not open, or its checksum is wrong"
            echo "$path" >>"$work/wrong"
            ;;
        esac
    done <"$work/places"
    [ ! -s "$work/wrong" ] || fail 8 "the archive is damaged, nothing has changed; hint: use another"
    sed 's/^[^ ]* [^ ]* //' "$work/places" | sort >"$work/paths"
}

[ -z "$sealed" ] || open_archive

# What psql runs. The manifest has a line for each table too, with its files in the order in which
# their rows belong.
{
    echo ./roles.sql
    echo ./database/pre-data.sql
    sed -n '/^\.\/database\/large-objects\//p' "$work/paths"
    sed -n 's/^ *{"bytes": [0-9]*, "files": \[\([^]]*\)\], "name": .*$/\1/p' "$manifest" |
        tr ',' '\n' | sed -n 's/^ *"\(.*\)"$/.\/\1/p'
    echo ./database/sequences.sql
    echo ./database/post-data.sql
    echo ./database/refresh.sql
} >"$work/order"

[ -z "$sealed" ] || # as psql needs them: PLACE PATH
    awk 'NR == FNR { place[$3] = $2; next } { print place[$1], $1 }' "$work/places" "$work/order" \
        >"$work/ordered"

version=$(number server_version_num)
tables=$(number tables)
rows=$(number rows)
if [ -z "$version" ] || [ -z "$tables" ] || [ -z "$rows" ] ||
    [ -n "$(sort "$work/order" | comm -23 - "$work/paths")" ]; then
    damaged
fi

# ---- what psql does ----

major=$((version / 10000))
psql_major=$(psql --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
if [ "${psql_major:-0}" -lt "$major" ]; then
    say "warning: psql is version $psql_major, the archive is from PostgreSQL $major: if this" \
        "fails, use psql $major or newer"
fi

# A psql from before August 2025 does not know \restrict, by which pg_dump forbids a script to give
# orders to psql. It gets copies without these two lines, as pg_dump wrote them then.
definitions=./database
knows_restrict=yes
psql --help=commands </dev/null 2>/dev/null | grep -q '\\restrict' || knows_restrict=
if [ -z "$knows_restrict$sealed" ]; then
    definitions=:work
    for name in pre-data.sql post-data.sql; do
        key=$(sed -n '/^\\restrict [0-9A-Za-z]*$/{s/.* //p;q;}' "database/$name")
        sed "/^\\\\restrict $key\$/d; /^\\\\unrestrict $key\$/d" "database/$name" >"$work/$name"
    done
fi

# The texts are UTF-8, unless the database had no encoding at all.
encoding=UTF8
! grep -q '^ *"encoding": "SQL_ASCII"' "$manifest" || encoding=SQL_ASCII

# PATH: what has to be said before this file. A view is filled with what its owner sees; pg_dump's
# settings would have that fail where a policy hides rows from him.
put_refresh()
{
    [ "$1" != ./database/refresh.sql ] || echo 'SET row_security = on;'
}

# Where to look for what somebody made. Parts of other objects do not count: indexes, row types,
# array types, members of extensions.
catalogs='pg_proc pg_operator pg_opfamily pg_collation pg_conversion pg_ts_config pg_ts_dict
    pg_ts_parser pg_ts_template pg_cast pg_transform pg_language pg_am pg_foreign_data_wrapper
    pg_foreign_server pg_publication pg_event_trigger pg_default_acl'
{
    cat <<SQL
\\cd :archive
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET client_encoding = '$encoding';
SET search_path = '';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET standard_conforming_strings = on;
SET array_nulls = on;
SET client_min_messages = warning;
SELECT set_config(name, '0', false) FROM pg_settings
 WHERE name ~ '^(statement|lock|transaction|idle_in_transaction_session)_timeout\$';
\\o :work/target
\\qecho database :DBNAME at :HOST port :PORT
\\o /dev/null
SELECT current_setting('server_version_num')::int / 10000 < $major AS is_old \\gset
\\if :is_old
\\o :work/old
\\qecho is PostgreSQL :SERVER_VERSION_NAME, older than the archive
\\q
\\endif
SELECT count(*) > 0 AS is_full, count(*) AS how_many,
 string_agg(name, ', ' ORDER BY place) FILTER (WHERE place <= 5) AS names
FROM (
 SELECT o.type || ' ' || identity AS name,
  row_number() OVER (ORDER BY class <> 'pg_class'::regclass, o.type, identity) AS place
 FROM (
  SELECT 'pg_namespace'::regclass AS class, oid FROM pg_namespace
   WHERE nspname <> 'public' AND nspname !~ '^pg_(temp|toast)'
  UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class
   WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'
  UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t
   LEFT JOIN pg_class c ON c.oid = typrelid
   WHERE typtype IN ('d', 'e', 'r') OR (typtype = 'c' AND relkind = 'c')
   OR (typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))
   OR NOT typisdefined
  UNION ALL SELECT 'pg_extension'::regclass, oid FROM pg_extension WHERE extname <> 'plpgsql'
SQL
    for catalog in $catalogs; do
        echo "  UNION ALL SELECT '$catalog'::regclass, oid FROM $catalog"
    done
    cat <<SQL
  UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata
 ) x CROSS JOIN LATERAL pg_identify_object(class, oid, 0) o
 WHERE (oid >= 16384 OR class = 'pg_largeobject'::regclass) -- what initdb makes has lower ones
 AND NOT EXISTS (SELECT FROM pg_depend d WHERE classid = class AND objid = oid AND deptype = 'e')
) y \\gset
\\if :is_full
\\o :work/full
\\qecho is not empty, it holds :how_many objects (:names)
\\q
\\endif
SQL
    if [ -z "$sealed" ]; then
        sed "\$d; s,^\\./database/\\(p[a-z]*-data\\.sql\\)\$,$definitions/\\1,; s/^/\\\\i /" \
            "$work/order"
        put_refresh ./database/refresh.sql
        echo '\i ./database/refresh.sql'
    fi
} >"$work/script"

# PLACE PATH: a file of a sealed archive as psql gets it
put_file()
{
    if [ -z "$knows_restrict" ] && [ "${2##*-}" = data.sql ]; then
        key=$(unseal "$1" | sed -n '/^\\restrict [0-9A-Za-z]*$/{s/.* //p;q;}')
        unseal "$1" >/dev/null || return 1 # of the next line only the last program's status counts
        unseal "$1" | sed "/^\\\\restrict $key\$/d; /^\\\\unrestrict $key\$/d"
    else
        unseal "$1"
    fi
}

# All that psql is told. What was sealed goes through a pipe and never onto the disk; when one of
# these files fails, the end is missing, and without COMMIT nothing has happened.
feed()
{
    cat "$work/script"
    if [ -n "$sealed" ]; then
        while read -r place path; do
            put_refresh "$path"
            put_file "$place" "$path" 2>/dev/null || exit 1
        done <"$work/ordered"
    fi
    echo '\o :work/committing'
    echo 'COMMIT;'
}

# Say what became of the database when psql has ended.
finish() # failed|stopped STATUS
{
    psql_status=0
    wait "$!" || psql_status=$?
    trap '' HUP INT TERM
    where=$(cat "$work/target" 2>/dev/null) || where=
    if [ -e "$work/old" ]; then
        fail 1 "$where $(cat "$work/old"), nothing has changed; hint: restore into PostgreSQL" \
            "$major or newer"
    elif [ -e "$work/full" ]; then
        fail 2 "$where $(cat "$work/full"), nothing has changed; hint: restore into a new one:" \
            "createdb -T template0 new_database"
    elif [ -e "$work/committing" ] && [ "$psql_status" -eq 0 ]; then
        echo "restore.sh: done, $tables tables and $rows rows are in $where; next: run ANALYZE" \
            "there and give new roles their passwords"
        exit 0
    elif [ -e "$work/committing" ] && [ "$1 $psql_status" != 'failed 3' ]; then
        # Status 3: the server itself has refused the COMMIT.
        fail "$2" "$1 during COMMIT: $where holds the whole archive now, or it is as it was;" \
            "hint: run this again, it refuses a database that is not empty"
    fi
    fail "$2" "$1, nothing has changed"
}

# SIGINT lets psql cancel the statement on the server, which else would run to its end; SIGTERM is
# for a psql that has no connection yet.
# shellcheck disable=SC2317 # the traps call it
stop() # STATUS
{
    trap '' HUP INT TERM
    [ -n "${!-}" ] || fail "$1" "stopped, nothing has changed"
    kill -INT "$!" 2>/dev/null || :
    sleep 1
    kill -TERM "$!" 2>/dev/null || :
    finish stopped "$1"
}

set -- --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 --set=work="$work" \
    --set=archive="$PWD" --file=-
[ -z "$target" ] || set -- "$@" --dbname="$target"
# In the background, because a shell hears no signal while it waits for something in the foreground.
feed | (cd "$start" && exec psql "$@") &
finish failed 1
