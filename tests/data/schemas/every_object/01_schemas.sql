-- One database that uses everything that the SQL command reference of PostgreSQL 15 can CREATE. The
-- files of this folder are loaded in order, by the superuser, into a database made from template0.
--
--     01_schemas       ROLE, SCHEMA, EXTENSION, ALTER DATABASE SET, ALTER ROLE SET
--     02_types         TYPE (enum, composite, range, base, shell), DOMAIN, COLLATION, CONVERSION
--     03_routines      FUNCTION, PROCEDURE, AGGREGATE, OPERATOR, OPERATOR CLASS, OPERATOR FAMILY,
--                      CAST, LANGUAGE, TRANSFORM, ACCESS METHOD
--     04_text_search   TEXT SEARCH PARSER, TEMPLATE, DICTIONARY, CONFIGURATION
--     05_tables        TABLE, SEQUENCE, inheritance, typed tables, LIKE
--     06_partitions    TABLE ... PARTITION BY, PARTITION OF, ATTACH PARTITION
--     07_rows          chapter 8, Data Types: a column of every type, edge values in the rows
--     08_constraints   table constraints, INDEX, STATISTICS, CLUSTER, REPLICA IDENTITY
--     09_views         VIEW, MATERIALIZED VIEW, RULE, TRIGGER
--     10_foreign       FOREIGN DATA WRAPPER, SERVER, USER MAPPING, FOREIGN TABLE, IMPORT FOREIGN
--                      SCHEMA, PUBLICATION, SUBSCRIPTION
--     11_large_objects chapter 35, Large Objects
--     12_rights        POLICY, GRANT on every kind, ALTER DEFAULT PRIVILEGES
--     13_comments      COMMENT on every kind
--     14_events        EVENT TRIGGER, which would see all that comes behind it
--
-- What is of the cluster, not of a database, is missing: DATABASE, TABLESPACE, GRANT ON PARAMETER.
-- Missing as well: what an extension was given by ALTER EXTENSION ADD, which no dump writes; and
-- SECURITY LABEL, for which no package has a provider without SELinux (sepgsql registers none).
--
-- The extension bp_every and the variables bp_host, bp_port and bp_password come from the test.

SET client_min_messages = error;
SET check_function_bodies = off;

CREATE ROLE every_owner NOLOGIN CREATEDB;
CREATE ROLE every_group NOLOGIN NOINHERIT;
CREATE ROLE every_reader LOGIN CONNECTION LIMIT 7 VALID UNTIL '2039-05-06 07:08:09+02'
    PASSWORD 'secret-of-a-role';
CREATE ROLE every_admin LOGIN CREATEROLE REPLICATION BYPASSRLS;
CREATE ROLE every_super SUPERUSER;
CREATE ROLE "every Odd "" role\%s" LOGIN;
CREATE ROLE every_unrelated LOGIN;
GRANT every_group TO every_reader;
GRANT every_group TO every_admin WITH ADMIN OPTION;
GRANT pg_read_all_data TO every_reader;
ALTER ROLE every_reader SET search_path TO every, "odd ""; schema", public;
ALTER ROLE every_reader SET work_mem = '5MB';
ALTER ROLE "every Odd "" role\%s" SET application_name = E'a''b\\c %s\nnext';
COMMENT ON ROLE every_reader IS E'reads\nall';

CREATE SCHEMA every AUTHORIZATION every_owner;
CREATE SCHEMA every_other;
CREATE SCHEMA "odd ""; schema";
-- with elements of its own
CREATE SCHEMA every_elements AUTHORIZATION every_owner
    CREATE TABLE inside (a int PRIMARY KEY)
    CREATE VIEW above AS SELECT a FROM inside
    CREATE SEQUENCE beside
    GRANT SELECT ON inside TO every_reader;
ALTER SCHEMA public OWNER TO every_owner;

CREATE EXTENSION hstore SCHEMA every_other;
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION btree_gist SCHEMA every_other;
CREATE EXTENSION postgres_fdw SCHEMA public;
CREATE EXTENSION file_fdw;
-- bp_every has configuration tables and a sequence: some rows are its own, some are the user's.
CREATE EXTENSION bp_every SCHEMA every_other;
INSERT INTO every_other.bp_settings VALUES ('mine', 'by the user'), ('also mine', NULL);
INSERT INTO every_other.bp_list (what) VALUES ('one'), ('two');

DO $$
DECLARE
    db text := quote_ident(current_database());
BEGIN
    EXECUTE 'ALTER DATABASE ' || db || ' SET search_path TO every, public, "odd ""; schema"';
    EXECUTE 'ALTER DATABASE ' || db || ' SET statement_timeout = ''3min''';
    EXECUTE 'ALTER DATABASE ' || db || ' SET every.own = E''100%\\''''x''';
    EXECUTE 'ALTER ROLE every_reader IN DATABASE ' || db || ' SET search_path TO ''''';
    EXECUTE 'ALTER ROLE every_admin IN DATABASE ' || db || ' SET datestyle TO ''German, DMY''';
END
$$;
