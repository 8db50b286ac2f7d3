CREATE TYPE every.shell;
CREATE TYPE every.mood AS ENUM ('sad', 'it''s "ok"', '', 'happy');
ALTER TYPE every.mood ADD VALUE 'meh' BEFORE 'happy';
ALTER TYPE every.mood RENAME VALUE 'happy' TO 'glad';
CREATE TYPE every.no_mood AS ENUM ();
CREATE TYPE every.empty_row AS ();
CREATE TYPE every.place AS (x float8, "the ""name" text COLLATE "C", moods every.mood[]);
ALTER TYPE every.place ADD ATTRIBUTE gone int, ADD ATTRIBUTE z numeric(6, 2);
ALTER TYPE every.place DROP ATTRIBUTE gone;
CREATE TYPE every.nested AS (one every.place, many every.place[]);

CREATE COLLATION every.libc (provider = libc, lc_collate = 'C', lc_ctype = 'C.UTF-8');
CREATE COLLATION every.icu (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION every.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION every.copied FROM "POSIX";
CREATE CONVERSION every.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION every.latin_default FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;

CREATE DOMAIN every.positive AS int DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (VALUE > 0);
ALTER DOMAIN every.positive ADD CONSTRAINT below_top CHECK (VALUE < 1000000) NOT VALID;
CREATE DOMAIN every.small AS every.positive CHECK (VALUE < 100);
CREATE DOMAIN every.words AS text COLLATE every.icu CHECK (VALUE ~ '^[^;]*$');
CREATE DOMAIN every.moods AS every.mood[] CHECK (cardinality(VALUE) < 5);

-- a base type, with all that it can have
CREATE TYPE every.base;
CREATE FUNCTION every.base_in(cstring, oid, int) RETURNS every.base
    LANGUAGE internal IMMUTABLE STRICT AS 'varcharin';
CREATE FUNCTION every.base_out(every.base) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT AS 'varcharout';
CREATE FUNCTION every.base_receive(internal, oid, int) RETURNS every.base
    LANGUAGE internal STABLE STRICT AS 'varcharrecv';
CREATE FUNCTION every.base_send(every.base) RETURNS bytea
    LANGUAGE internal STABLE STRICT AS 'varcharsend';
CREATE TYPE every.base (INPUT = every.base_in, OUTPUT = every.base_out,
    RECEIVE = every.base_receive, SEND = every.base_send, TYPMOD_IN = varchartypmodin,
    TYPMOD_OUT = varchartypmodout, ANALYZE = array_typanalyze, INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4, STORAGE = external, CATEGORY = 'Y', PREFERRED = true, DEFAULT = 'a;''b',
    DELIMITER = ';', COLLATABLE = true);
CREATE TYPE every.fixed;
CREATE FUNCTION every.fixed_in(cstring) RETURNS every.fixed
    LANGUAGE internal IMMUTABLE STRICT AS 'int8in';
CREATE FUNCTION every.fixed_out(every.fixed) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT AS 'int8out';
CREATE TYPE every.fixed (INPUT = every.fixed_in, OUTPUT = every.fixed_out, LIKE = int8);

-- ranges, each with its multirange
CREATE TYPE every.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TYPE every.day_span;
CREATE FUNCTION every.day_canonical(every.day_span) RETURNS every.day_span
    LANGUAGE internal IMMUTABLE STRICT AS 'daterange_canonical';
CREATE TYPE every.day_span AS RANGE (SUBTYPE = date, SUBTYPE_OPCLASS = date_ops,
    CANONICAL = every.day_canonical, MULTIRANGE_TYPE_NAME = every.day_spans);
CREATE TYPE every.word_span AS RANGE (SUBTYPE = text, COLLATION = "C",
    MULTIRANGE_TYPE_NAME = "odd ""; schema"."Word ""spans");
CREATE TYPE every.mood_span AS RANGE (SUBTYPE = every.mood);

-- types in the schemas with odd names, one name twice
CREATE TYPE "odd ""; schema"."mo;od\" AS ENUM (E'tab\there', E'back\\slash');
CREATE TYPE "odd ""; schema".mood AS ENUM ('x');
ALTER TYPE every.span OWNER TO every_owner;
ALTER DOMAIN every.words OWNER TO every_owner;
ALTER COLLATION every.blind OWNER TO every_owner;
ALTER CONVERSION every.latin OWNER TO every_owner;
ALTER TYPE every.shell OWNER TO "every Odd "" role\%s";
