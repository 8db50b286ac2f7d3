-- Everything unusual that a database may hold. The roles shop_app and shop_reports exist already.

CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION hstore SCHEMA public;

CREATE SCHEMA "Odd ""schema/..";
CREATE SCHEMA "schöma";
CREATE SCHEMA ".";

-- names
CREATE TABLE "Odd ""schema/..".".." (".." int PRIMARY KEY, "a""b" text, "c\d" text, "100%" int);
INSERT INTO "Odd ""schema/..".".." VALUES (2, 'two', E'\\', 200), (1, 'one', E'\\.', 100);
CREATE TABLE "schöma"."line
break" ("col
umn" text PRIMARY KEY, "CASE" text DEFAULT 'select');
INSERT INTO "schöma"."line
break" VALUES ('b', NULL), ('B', ''), ('ä', E'\\N'), ('a', E'x\ty\nz\r\b\f\v');
CREATE TABLE "."."%2F" (x int);
INSERT INTO "."."%2F" VALUES (1);
CREATE TABLE public."Users" (id int PRIMARY KEY);
CREATE TABLE public.users (id int PRIMARY KEY);
CREATE TABLE public."a.b" (id int);
CREATE TABLE public."-- TOC entry" (id int);
COMMENT ON TABLE public."-- TOC entry" IS '
--
-- TOC entry 1 (class 1259 OID 1)
-- Name: x; Type: TABLE; Schema: public; Owner: postgres
--
';
CREATE SEQUENCE public."odd ' seq\";
SELECT setval('public."odd '' seq\"', 42, false);

-- tables without columns, rows or keys
CREATE TABLE public.zero ();
INSERT INTO public.zero DEFAULT VALUES;
INSERT INTO public.zero DEFAULT VALUES;
INSERT INTO public.zero DEFAULT VALUES;
CREATE TABLE public.only_generated (g int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO public.only_generated DEFAULT VALUES;
CREATE TABLE public.empty (id int PRIMARY KEY, t text);
CREATE TABLE public.no_key (a json, b xml, c point, d text, e int);
INSERT INTO public.no_key
    SELECT '{"b": 1, "a": 2}', '<a>text</a>', point(i % 3, 1), CASE WHEN i % 2 = 0 THEN 'x' END, 7
    FROM generate_series(1, 20) AS i;
CREATE TABLE public.dropped (a int, b int, c text);
ALTER TABLE public.dropped DROP COLUMN b;
INSERT INTO public.dropped VALUES (1, 'one');

-- keys whose order needs care
CREATE TABLE public.key_citext (k citext PRIMARY KEY);
INSERT INTO public.key_citext VALUES ('b'), ('A'), ('C');
CREATE TABLE public.key_text (k text, n int, PRIMARY KEY (n, k));
INSERT INTO public.key_text SELECT chr(64 + i) || 'z', i % 2 FROM generate_series(1, 20) AS i;
CREATE TABLE public.key_float (k float8 PRIMARY KEY);
INSERT INTO public.key_float VALUES ('NaN'), (0.1), ('-Infinity'), (1e300), ('-0');
CREATE TABLE public.key_range (k int4range PRIMARY KEY);
INSERT INTO public.key_range VALUES ('[10,20)'), ('[9,20)'), ('empty');
CREATE COLLATION public.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE public.key_blind (k text COLLATE public.blind PRIMARY KEY, c text COLLATE "C");
INSERT INTO public.key_blind VALUES ('b', 'x'), ('A', 'y');

-- types
CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
ALTER TYPE public.mood ADD VALUE 'meh' BEFORE 'ok';
CREATE TYPE public.pair AS (a int, b text);
CREATE TYPE public.span AS RANGE (subtype = float8);
CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
CREATE TABLE public.types (
    id public.positive PRIMARY KEY, m public.mood, p public.pair, ps public.pair[], s public.span,
    h hstore, f4 float4, f8 float8, i interval, tz timestamptz, d date, b bytea, bits varbit,
    n numeric, u uuid, ip inet, ts tsvector, arr int[][], mr int4multirange, c "char", o oid
);
INSERT INTO public.types VALUES
    (1, 'meh', ROW(1, 'a "b", c'), ARRAY[ROW(1, NULL)::public.pair], '[1.5,2.5]', 'a=>1, b=>NULL',
     0.1, 1.0 / 3, '1 year 2 mons -3 days 04:05:06.789', 'infinity', '4713-01-01 BC', '\x00ff',
     B'101', 'NaN', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64', 'a:1A b:2', '{{1,2},{3,4}}',
     '{[1,3),[5,7)}', 'x', 4294967295),
    (2, NULL, NULL, '{}', 'empty', '', 'Infinity', '-0', '-1 day', '0044-03-15 12:00:00+00 BC',
     '-infinity', '', '', 0.000, NULL, '10.0.0.0/8', '', '{}', '{}', NULL, 0);

-- inheritance, unlogged, references
CREATE TABLE public.parent (id int PRIMARY KEY, t text);
CREATE TABLE public.child (extra int) INHERITS (public.parent);
INSERT INTO public.parent VALUES (1, 'p');
INSERT INTO public.child VALUES (1, 'c', 2), (3, 'c', 4);
CREATE UNLOGGED TABLE public.unlogged (id int PRIMARY KEY);
INSERT INTO public.unlogged VALUES (1);
CREATE TABLE public.tree (id int PRIMARY KEY, up int REFERENCES public.tree);
INSERT INTO public.tree VALUES (1, 3), (2, 1), (3, 2);
CREATE TABLE public.by_mood (id int, m public.mood) PARTITION BY HASH (m);
CREATE TABLE public.by_mood_0 PARTITION OF public.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.by_mood_1 PARTITION OF public.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO public.by_mood
    SELECT i, (enum_range(NULL::public.mood))[1 + i % 4] FROM generate_series(1, 12) AS i;

-- code
CREATE FUNCTION public.secret() RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = '' AS $body$
BEGIN
    -- a body with its own quotes; and a line that psql would take for its own:
    EXECUTE $q$SELECT 'a;b'$q$;
    RETURN $$
\unrestrict x
$$;
END
$body$;
CREATE FUNCTION public.next_mood(m public.mood) RETURNS int LANGUAGE sql
    BEGIN ATOMIC
        SELECT CASE WHEN m = 'ok' THEN 1 ELSE 2 END;
        SELECT 3;
    END;
CREATE PROCEDURE public.tidy() LANGUAGE sql AS 'DELETE FROM public.empty; SELECT 1';
CREATE AGGREGATE public.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE CAST (public.pair AS text) WITH INOUT;
CREATE VIEW public.ruled AS SELECT id FROM public.users;
CREATE RULE no_insert AS ON INSERT TO public.ruled DO INSTEAD (
    INSERT INTO public.users VALUES (NEW.id);
    NOTIFY users);
CREATE STATISTICS public.stats ON a, c FROM public.dropped;
CREATE TEXT SEARCH CONFIGURATION public.plain (COPY = simple);
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS
    $$BEGIN IF tg_tag = 'CREATE TABLE' THEN RAISE EXCEPTION 'no more tables'; END IF; END$$;

-- rights
CREATE TABLE public.guarded (id int PRIMARY KEY, owner text);
INSERT INTO public.guarded VALUES (1, 'shop_app'), (2, 'nobody');
ALTER TABLE public.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.guarded TO shop_app USING (owner = current_user);
REVOKE EXECUTE ON FUNCTION public.secret() FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_app GRANT SELECT ON TABLES TO shop_reports;
CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER far FOREIGN DATA WRAPPER dummy OPTIONS (host 'a''b');
CREATE FOREIGN TABLE public.abroad (id int) SERVER far;
GRANT USAGE ON FOREIGN SERVER far TO shop_app;
CREATE PUBLICATION changes FOR TABLE public.users, public.tree;

-- large objects
SELECT lo_from_bytea(70001, 'hello'), lo_create(70002),
    lo_from_bytea(70003, decode(repeat('00ff5c0a', 50000), 'hex'));
ALTER LARGE OBJECT 70001 OWNER TO shop_app;
GRANT SELECT ON LARGE OBJECT 70001 TO shop_reports WITH GRANT OPTION;
REVOKE UPDATE ON LARGE OBJECT 70001 FROM shop_app;
GRANT SELECT ON LARGE OBJECT 70003 TO PUBLIC;
COMMENT ON LARGE OBJECT 70001 IS E'two\nlines, a \\ and a !\ttab';
COMMENT ON LARGE OBJECT 70002 IS 'it''s empty';

CREATE EVENT TRIGGER watcher ON ddl_command_start EXECUTE FUNCTION public.watch();
